package signaling_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/internal/keyring"
	"parley/internal/store"
	"parley/internal/vtest"
	"parley/matcher"
	"parley/moderation"
	"parley/signaling"
)

// patience is how long anything may take that does come about.
const patience = 30 * time.Second

// engine is a real Redis, and how it fails over.
type engine struct {
	url      string
	failover func()
}

func onServer(t *testing.T) engine {
	s := vtest.StartServer(t)
	return engine{s.URL(), func() { s.Kill(); s.Again() }} // and is empty
}

func onSentinel(t *testing.T) engine {
	set := vtest.StartSentinel(t)
	return engine{set.URL(), func() { set.Primary().Kill() }}
}

func onCluster(t *testing.T) engine {
	c := vtest.StartCluster(t)
	owner := c.Owner(c.Slot("{m}")) // of the queue and the leases
	c.AddReplica(owner)
	return engine{c.URL(), owner.Kill}
}

// TestResumeOnEngines: a call of two browsers on two nodes, in real time. Sockets break and come
// back to the same node and to the other one, Redis fails over, and the node that carries the call
// dies. All that they say arrives: at once, again after a cut, or once more when the server says
// that some is lost.
func TestResumeOnEngines(t *testing.T) {
	for name, on := range map[string]func(*testing.T) engine{"redis-server": onServer, "sentinel": onSentinel, "cluster": onCluster} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := on(t)
			ring := keyring.New()
			one, two := startPoint(t, e.url, ring), startPoint(t, e.url, ring)
			for _, p := range []*point{one, two} {
				await(t, "the nodes know each other", func() bool { return len(p.queue.Living()) == 2 })
			}
			ana, bo := arrive(t, "ana", one), arrive(t, "bo", two)
			ana.peer, bo.peer = bo, ana
			connect(ana, bo)
			talk(ana, bo)
			resumeHere(ana, bo, one, two)
			e.failover()
			talk(ana, bo)
			rejoinElsewhere(ana, bo, one, two)
		})
	}
}

// connect brings the two into a call that ana's node carries.
func connect(ana, bo *guest) {
	const find = `"t":"find","languages":["en"],"interests":[],"widen":true,"avoid":[],"place":""`
	ana.say(find)
	ana.until("queued", func() bool { return ana.got["queued"] > 0 })
	bo.say(find)
	for _, g := range []*guest{ana, bo} {
		g.until("matched", func() bool { return g.match != "" })
		g.say(`"t":"confirm","match":"` + g.match + `"`)
	}
	for _, g := range []*guest{ana, bo} {
		g.until("connected", func() bool { return g.got["connected"] > 0 })
	}
}

// talk sends some from both sides and waits until all of it is there.
func talk(ana, bo *guest) {
	for range 20 {
		ana.speak()
		bo.speak()
	}
	complete(ana, bo)
}

func complete(ana, bo *guest) {
	for _, g := range []*guest{ana, bo} {
		await(g.t, g.name+" has all", func() bool {
			ana.look()
			bo.look()
			return len(g.heard) == g.peer.said
		})
	}
}

// resumeHere breaks bo's socket while both talk: it comes back to its own node, to the other, and
// back. Nothing is lost, and nothing is out of order.
func resumeHere(ana, bo *guest, one, two *point) {
	for _, p := range []*point{two, one, two} {
		for range 10 {
			ana.speak()
		}
		bo.cut()
		for range 10 {
			ana.speak()
			bo.speak() // kept until it is back
		}
		resumed := bo.resumed
		bo.come(p)
		bo.until("resumed", func() bool { return bo.resumed > resumed })
		complete(ana, bo)
	}
	for _, g := range []*guest{ana, bo} {
		if g.fresh > 0 {
			g.t.Errorf("%s lost its session", g.name)
		}
		for i, seq := range g.heard {
			if seq != i+1 && g.resets+g.peer.resets == 0 {
				g.t.Fatalf("%s heard %d in place %d", g.name, seq, i+1)
			}
		}
	}
}

// rejoinElsewhere ends the node that carries the call, without a word to anybody.
func rejoinElsewhere(ana, bo *guest, one, two *point) {
	bo.move = two
	ana.move = two
	calls := ana.got["connected"]
	one.kill()
	ana.until("back in the call", func() bool { bo.look(); return ana.got["connected"] > calls })
	talk(ana, bo)
	ana.say(`"t":"leave"`)
	bo.until("ended", func() bool { return bo.got["ended"] > 0 })
}

// point is a node in real time.
type point struct {
	queue  *matcher.Queue
	hub    *signaling.Hub
	l      *vtest.Listener
	server *http.Server
	stop   context.CancelFunc
	desk   *moderation.Desk
	redis  signaling.Redis
	done   sync.WaitGroup
}

func startPoint(t *testing.T, url string, ring *keyring.Ring) *point {
	where, err := store.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	p := &point{l: vtest.NewListener(), redis: signaling.Redis{Client: where.Open(), PubSub: where.Listener()}}
	logger := slog.New(slog.DiscardHandler)
	p.queue = matcher.New(p.redis.Client, matcher.Config{Log: logger})
	p.desk = moderation.New(moderation.Config{Redis: p.redis.Client, Ring: ring, Epochs: keyring.NewEpochs(), Log: logger})
	p.hub = signaling.New(signaling.Config{
		Queue: p.queue, Desk: p.desk, Ring: ring, Log: logger, Redis: p.redis,
		Origins: []string{origin},
		Ice:     func(string) signaling.Ice { return signaling.Ice{Servers: []signaling.IceServer{}, TTLMS: 600_000} },
	})
	p.server = &http.Server{Handler: p.hub, ErrorLog: log.New(io.Discard, "", 0)}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.done.Go(func() { _ = p.queue.Run(ctx) })
	p.done.Go(func() { _ = p.hub.Run(ctx) })
	p.done.Go(func() { _ = p.server.Serve(p.l) })
	t.Cleanup(p.kill)
	return p
}

// kill ends the node as kill -9 does: nothing of it reaches the store any more. It may be repeated.
func (p *point) kill() {
	_ = p.redis.Client.Close()
	_ = p.redis.PubSub.Close()
	p.stop()
	p.done.Go(func() { _ = p.server.Close() })
	p.done.Wait()
}

// guest is a browser that comes back by itself, as the page does: it keeps what was not acknowledged,
// resumes, rejoins, and says again what the server says may be lost. One goroutine drives it; another
// reads its socket.
type guest struct {
	t     *testing.T
	name  string
	at    *point // where it is
	move  *point // where it comes to next
	peer  *guest
	token string

	ws      *websocket.Conn
	frames  chan []byte // of ws; closed with it
	c, last uint64
	unacked map[uint64]string

	got                    map[string]int
	match, me, other, pass string
	said                   int // the newest seq
	heard                  []int
	seen                   map[int]bool
	resumed, fresh, resets int
	retry                  time.Time // when to say again what the peer lacks; zero for not
}

func arrive(t *testing.T, name string, at *point) *guest {
	g := &guest{t: t, name: name, unacked: map[uint64]string{}, got: map[string]int{}, seen: map[int]bool{}}
	g.come(at)
	g.until("welcome", func() bool { return g.token != "" })
	t.Cleanup(g.cut)
	return g
}

// come opens a socket to a node.
func (g *guest) come(to *point) {
	g.at, g.move = to, to
	d := websocket.Dialer{Subprotocols: []string{signaling.Subprotocol}, NetDialContext: to.l.Dial, HandshakeTimeout: patience}
	ws, answer, err := d.DialContext(g.t.Context(), "ws://parley.test/ws", http.Header{"Origin": {origin}})
	if err != nil {
		return // tried again by look
	}
	answer.Body.Close()
	frames := make(chan []byte, 1024)
	g.ws, g.frames = ws, frames
	go func() {
		defer close(frames)
		for {
			_, m, err := ws.ReadMessage()
			if err != nil {
				return
			}
			frames <- m
		}
	}()
	digest := sha256.Sum256([]byte(g.name))
	device := base64.RawURLEncoding.EncodeToString(digest[:])
	_, age := to.desk.Age(device, "", time.Now().Add(-48*time.Hour)) // known for two days: no puzzle
	g.write(fmt.Sprintf(`{"t":"hello","token":%q,"last":%d,"device":%q,"digest":"","age":%q}`, g.token, g.last, device, age))
}

// cut breaks the socket without a goodbye.
func (g *guest) cut() {
	if g.ws == nil {
		return
	}
	_ = g.ws.NetConn().Close()
	for range g.frames { // what was on its way is lost
	}
	g.ws = nil
}

func (g *guest) write(frame string) {
	if g.ws != nil {
		_ = g.ws.WriteMessage(websocket.TextMessage, []byte(frame)) // a break shows when it is read
	}
}

// say sends a frame with a number, and keeps it until it is acknowledged.
func (g *guest) say(fields string) {
	g.c++
	g.unacked[g.c] = fmt.Sprintf(`{"c":%d,"a":%d,%s}`, g.c, g.last, fields)
	if g.token != "" {
		g.write(g.unacked[g.c])
	}
}

// speak sends the next envelope.
func (g *guest) speak() {
	g.said++
	g.box(g.said)
}

func (g *guest) box(seq int) {
	g.say(fmt.Sprintf(`"t":"relay","to":%q,"seq":%d,"box":"aGVsbG8"`, g.other, seq))
}

// until looks until something holds.
func (g *guest) until(what string, holds func() bool) {
	g.t.Helper()
	await(g.t, g.name+": "+what, func() bool { g.look(); return holds() })
}

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// look takes what has come, and comes back when the socket has broken.
func (g *guest) look() {
	if g.ws == nil {
		g.come(g.move)
		return
	}
	for {
		select {
		case m, open := <-g.frames:
			if !open {
				_ = g.ws.Close()
				g.ws = nil
				return
			}
			g.take(m)
			continue
		default:
		}
		break
	}
	if !g.retry.IsZero() && time.Now().After(g.retry) {
		g.retry = time.Time{}
		for seq := 1; seq <= g.said; seq++ {
			if !g.peer.seen[seq] {
				g.box(seq)
			}
		}
	}
}

// frame is what a guest reads of any frame.
type frame struct {
	T, Token, Match, Me, Peer, Pass, State, Why, Code string
	N, C                                              uint64
	Resumed                                           bool
	Seq                                               int
	Of                                                uint64
}

func (g *guest) take(m []byte) {
	var f frame
	if err := json.Unmarshal(m, &f); err != nil {
		g.t.Fatal(err)
	}
	if f.N > 0 && f.N <= g.last {
		return
	}
	g.last = max(g.last, f.N)
	for c := range g.unacked {
		if c <= f.C {
			delete(g.unacked, c)
		}
	}
	g.got[f.T]++
	switch f.T {
	case "welcome":
		g.welcome(f)
	case "ping":
		g.write(`{"t":"pong"}`)
	case "matched":
		g.match = f.Match
	case "connected":
		g.me, g.other, g.pass = f.Me, f.Peer, f.Pass
	case "relay":
		g.relay(f)
	case "peer":
		if f.State == "back" {
			g.resets++
			g.retry = time.Now()
		}
	case "error":
		g.refused(f)
	}
	if f.N%8 == 0 && f.N > 0 {
		g.write(fmt.Sprintf(`{"t":"ack","a":%d}`, g.last))
	}
}

func (g *guest) welcome(f frame) {
	if g.token != "" && !f.Resumed {
		g.fresh++
		g.c, g.last, g.unacked = 0, 0, map[uint64]string{}
		g.token = f.Token
		g.say(`"t":"rejoin","pass":"` + g.pass + `"`)
		g.retry = time.Now()
		return
	}
	if f.Resumed {
		g.resumed++
	}
	g.token = f.Token
	for c := f.C + 1; c <= g.c; c++ {
		if text, kept := g.unacked[c]; kept {
			g.write(text)
		}
	}
}

func (g *guest) relay(f frame) {
	if g.seen[f.Seq] {
		if g.resets+g.fresh+g.peer.resets+g.peer.fresh+g.peer.got["error"] == 0 {
			g.t.Errorf("%s heard %d twice", g.name, f.Seq)
		}
		return
	}
	g.seen[f.Seq] = true
	g.heard = append(g.heard, f.Seq)
}

// refused says again, after a while, what was not taken.
func (g *guest) refused(f frame) {
	switch f.Code {
	case "peer_busy", "no_member", "bad_state":
		g.retry = time.Now().Add(300 * time.Millisecond)
	case "unavailable":
		if g.fresh > 0 && g.got["connected"] < 1+g.fresh {
			g.say(`"t":"rejoin","pass":"` + g.pass + `"`)
		}
	default:
		g.t.Errorf("%s is told %s", g.name, f.Code)
	}
}
