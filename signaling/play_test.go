package signaling_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/matcher"
	"parley/moderation"
	"parley/retention"
	"parley/signaling"
)

const origin = "https://parley.test"

// stage is one node with its store in a bubble, and the browsers of a test.
type stage struct {
	t        testing.TB
	redis    *vtest.Redis
	ring     *keyring.Ring
	weeks    *keyring.Epochs
	log      *vtest.Log
	accusers int // who have reported somebody so far
	most     int // sockets; 0 for the default

	paused atomic.Bool // matching

	node *node
	more []*node // nodes 2, 3, ...
	cast map[string]*browser
	vars map[string]any // what the placeholders of a transcript stand for
}

// node is a running hub with the queue beside it.
type node struct {
	redis    *redis.Client // its own, to be cut off by
	name     string
	valve    *signaling.Valve
	relay    *relay
	hub      *signaling.Hub
	listener *vtest.Listener
	server   *http.Server
	stop     context.CancelFunc
	done     sync.WaitGroup
}

func newStage(t testing.TB) *stage {
	s := &stage{
		t: t, redis: vtest.NewRedis(t), ring: sameRing(t), weeks: keyring.NewEpochs(), log: &vtest.Log{},
		cast: map[string]*browser{}, vars: map[string]any{},
	}
	for _, what := range []string{"link", "channel", "other"} { // what a browser derives from a phrase or a number
		sum := sha256.Sum256([]byte("tag of a " + what))
		s.vars["$tag."+what] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	s.start()
	t.Cleanup(s.close)
	return s
}

// sameRing is the same each time: it decides who is on probation.
func sameRing(t testing.TB) *keyring.Ring {
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(strings.Repeat("2f", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func (s *stage) start() {
	s.node = s.launch(1)
	synctest.Wait()
}

func (s *stage) launch(number int) *node {
	logger := slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	n := &node{listener: vtest.NewListener(), redis: s.redis.Another(), relay: &relay{number: number}}
	queue := matcher.New(n.redis, matcher.Config{Log: logger})
	n.name = queue.Node()
	desk := moderation.New(moderation.Config{Redis: n.redis, Ring: s.ring, Epochs: s.weeks, Log: logger})
	n.hub = signaling.New(signaling.Config{
		Queue: queue, Desk: desk, Ring: s.ring, Log: logger, Redis: signaling.Redis{Client: n.redis, PubSub: n.redis},
		Origins: []string{origin}, Most: s.most, Paused: s.paused.Load,
		Ice:    func(call string) signaling.Ice { return iceOf(n.relay.announce(), call) },
		Open:   func(room string) signaling.Ice { return iceOf(n.relay.announce(), "open "+room) },
		Others: signaling.OtherRelays{Announce: n.relay.announce, Meet: n.relay.meet, End: n.relay.end, Ice: func(call, announced string) signaling.Ice { return iceOf(announced, call) }, Open: func(room, announced string) signaling.Ice { return iceOf(announced, "open "+room) }},
	})
	n.valve = n.hub.Valve()
	n.server = &http.Server{Handler: door(n.hub), ErrorLog: log.New(io.Discard, "", 0)}
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.done.Go(func() { _ = queue.Run(ctx) })
	n.done.Go(func() { _ = desk.Run(ctx) })
	n.done.Go(func() { _ = n.hub.Run(ctx) })
	n.done.Go(func() { _ = n.server.Serve(n.listener) })
	return n
}

// kill ends the only node without a goodbye to its browsers: first the sockets, then the rest.
func (s *stage) kill() {
	for _, b := range s.cast {
		b.drop()
	}
	s.node.end()
}

// door does what stands before signaling: it says which network a browser comes from.
func door(hub http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hub.ServeHTTP(w, r.WithContext(signaling.WithNetwork(r.Context(), r.Header.Get("Network"))))
	})
}

func (n *node) end() {
	n.server.Close()
	n.stop()
	n.done.Wait()
}

// at returns node 1, 2, ...
func (s *stage) at(number int) *node {
	if number <= 1 {
		return s.node
	}
	return s.more[number-2]
}

// killOne ends one node as kill -9 does: nothing of it reaches a browser or the store any more.
func (s *stage) killOne(number int) {
	n := s.at(number)
	_ = n.redis.Close()
	for _, b := range s.cast {
		if b.at == number || (b.at == 0 && number == 1) {
			b.drop()
		}
	}
	n.end()
}

func (s *stage) close() {
	s.kill()
	for _, n := range s.more {
		n.end()
	}
	for _, b := range s.cast {
		b.reading.Wait()
	}
}

// desk is one like that of the nodes.
func (s *stage) desk() *moderation.Desk {
	return moderation.New(moderation.Config{Redis: s.redis.Client, Ring: s.ring, Epochs: s.weeks, Log: slog.New(slog.DiscardHandler)})
}

func (s *stage) browser(name string) *browser {
	b := s.cast[name]
	if b == nil {
		sum := sha256.Sum256([]byte(name))
		looks := sha256.Sum256([]byte("looks of " + name))
		b = &browser{
			stage: s, name: name, device: base64.RawURLEncoding.EncodeToString(sum[:]),
			digest: base64.RawURLEncoding.EncodeToString(looks[:]),
		}
		_, b.age = s.desk().Age(b.device, "", time.Now().Add(-48*time.Hour)) // known for two days
		s.cast[name] = b
	}
	return b
}

// audit fails when something is remembered that the catalogue does not declare.
func (s *stage) audit() {
	s.t.Helper()
	faults, err := retention.Audit(context.Background(), s.redis.Client)
	if err != nil {
		s.t.Error(err)
	}
	for _, f := range faults {
		s.t.Errorf("%s %s", f.Key, f.Says)
	}
	for _, key := range s.redis.Keys() {
		for _, what := range []string{"link", "channel", "other"} {
			if strings.Contains(key, s.vars["$tag."+what].(string)) {
				s.t.Errorf("%s shows the tag of a room", key)
			}
		}
	}
}

// secrecy fails when the log holds anything that is nobody's business.
func (s *stage) secrecy() {
	s.t.Helper()
	text := s.log.String()
	for name, value := range s.vars {
		if v, ok := value.(string); ok && len(v) > 8 && strings.Contains(text, v) {
			s.t.Errorf("the log holds %s", name)
		}
	}
	for _, b := range s.cast {
		if strings.Contains(text, b.device) {
			s.t.Errorf("the log holds the device of %s", b.name)
		}
	}
	if strings.Contains(text, "192.0.2.") {
		s.t.Error("the log holds an address")
	}
}

// browser is one of the cast: a WebSocket client that collects what it hears.
type browser struct {
	stage   *stage
	name    string
	device  string
	digest  string
	age     string // "" for somebody new
	at      int    // the number of the node it comes to; 0 as 1
	ws      *websocket.Conn
	reading sync.WaitGroup
	status  int    // of the HTTP answer
	says    string // its body, when refused
	narrow  int    // room in its socket when it does not read

	writing sync.Mutex

	mu     sync.Mutex // guards the following
	heard  [][]byte
	last   uint64 // highest n
	closed error
	deaf   chan struct{} // closed when it reads again; nil while it reads
	sip    time.Duration // how long it waits before it reads a frame
	mute   bool          // answers no pings
}

type dialing struct{ origin, protocol string }

func (b *browser) open(d dialing) error {
	s := b.stage
	dialer := websocket.Dialer{Subprotocols: []string{d.protocol}, HandshakeTimeout: 5 * time.Second}
	dialer.NetDialContext = s.at(b.at).listener.Dial
	if b.narrow > 0 {
		dialer.NetDialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return s.at(b.at).listener.DialNarrow(ctx, b.narrow)
		}
	}
	ws, answer, err := dialer.Dial("ws://parley.test/ws", http.Header{"Origin": {d.origin}, "Network": {"net of " + b.name}})
	if answer != nil {
		b.status = answer.StatusCode
		body, _ := io.ReadAll(answer.Body)
		b.says = strings.TrimSpace(string(body))
	}
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.ws, b.closed = ws, nil
	b.mu.Unlock()
	ws.SetCloseHandler(func(code int, _ string) error { // as a browser does: the answer may fail
		_ = ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Time{})
		return nil
	})
	ws.SetPingHandler(func(data string) error {
		if !b.mute {
			_ = ws.WriteControl(websocket.PongMessage, []byte(data), time.Time{})
		}
		return nil
	})
	b.reading.Go(func() { b.read(ws) })
	return nil
}

func (b *browser) read(ws *websocket.Conn) {
	for {
		b.mu.Lock()
		deaf, sip := b.deaf, b.sip
		b.mu.Unlock()
		time.Sleep(sip)
		if deaf != nil {
			<-deaf
		}
		_, m, err := ws.ReadMessage()
		if !b.take(ws, m, err) {
			ws.Close()
			return
		}
	}
}

func (b *browser) take(ws *websocket.Conn, m []byte, err error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ws != ws {
		return err == nil
	}
	if err != nil {
		b.closed = err
		return false
	}
	var head struct {
		T string
		N uint64
	}
	if err := json.Unmarshal(m, &head); err != nil {
		b.closed = err
		return false
	}
	b.last = max(b.last, head.N)
	switch head.T {
	case "ping": // every browser answers; no transcript wants to read it
		if !b.mute {
			_ = b.write(ws, websocket.TextMessage, `{"t":"pong"}`)
		}
	case "ack":
	default:
		b.heard = append(b.heard, m)
	}
	return true
}

func (b *browser) drop() {
	if b.ws != nil {
		b.ws.NetConn().Close()
		b.listen(true)
	}
	synctest.Wait()
}

// listen stops or goes on reading.
func (b *browser) listen(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !on && b.deaf == nil:
		b.deaf = make(chan struct{})
	case on && b.deaf != nil:
		close(b.deaf)
		b.deaf = nil
	}
}

// write is for the reader, which answers pings, and for the transcript at once.
func (b *browser) write(ws *websocket.Conn, kind int, text string) error {
	b.writing.Lock()
	defer b.writing.Unlock()
	return ws.WriteMessage(kind, []byte(text))
}

func (b *browser) say(text string) error {
	if b.ws == nil {
		return errors.New("not connected")
	}
	defer synctest.Wait()
	return b.write(b.ws, websocket.TextMessage, text)
}

// hear returns the next frame, and lets up to a second pass for it.
func (b *browser) hear() ([]byte, error) {
	for i := range 20 {
		synctest.Wait()
		b.mu.Lock()
		if len(b.heard) > 0 {
			m := b.heard[0]
			b.heard = b.heard[1:]
			b.mu.Unlock()
			return m, nil
		}
		closed := b.closed
		b.mu.Unlock()
		if closed != nil {
			return nil, fmt.Errorf("socket closed: %w", closed)
		}
		if i < 19 {
			b.stage.redis.Pass(50 * time.Millisecond)
		}
	}
	return nil, errors.New("silence")
}

// end returns the close code, letting up to two seconds pass.
func (b *browser) end() (int, error) {
	for range 20 {
		synctest.Wait()
		b.mu.Lock()
		closed := b.closed
		b.mu.Unlock()
		var e *websocket.CloseError
		switch {
		case errors.As(closed, &e):
			return e.Code, nil
		case closed != nil:
			return websocket.CloseAbnormalClosure, nil //nolint:nilerr // that is what a browser would show
		}
		b.stage.redis.Pass(100 * time.Millisecond)
	}
	return 0, errors.New("the socket is still open")
}

func (b *browser) leftover() [][]byte {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.heard
}
