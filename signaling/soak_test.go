package signaling_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	"parley/internal/vtest"
)

// phone is a browser that keeps the protocol's promises: it numbers, acknowledges, resumes and sends
// again. It talks to its peer in numbered envelopes.
type phone struct {
	s     *stage
	name  string
	token string
	peer  string
	rng   *rand.Rand

	mu    sync.Mutex // guards the following
	ws    *websocket.Conn
	c     uint64
	seen  uint64
	kept  []string // frames that the server may not have, by number less than c
	from  uint64   // the number of kept[0]
	heard []uint64 // seq of the envelopes
	drops int
}

func (p *phone) dial(last uint64) (*websocket.Conn, map[string]any) {
	d := websocket.Dialer{Subprotocols: []string{"parley.v1"}}
	narrow := p.rng.IntN(3) == 0
	d.NetDialContext = p.s.node.listener.Dial
	if narrow {
		d.NetDialContext = narrowDial(p.s.node.listener)
	}
	ws, _, err := d.Dial("ws://parley.test/ws", map[string][]string{"Origin": {origin}})
	if err != nil {
		p.s.t.Fatal(err)
	}
	hello := fmt.Sprintf(`{"t":"hello","token":%q,"last":%d,"device":%q}`, p.token, last, p.s.browser(p.name).device)
	if err := ws.WriteMessage(websocket.TextMessage, []byte(hello)); err != nil {
		p.s.t.Fatal(err)
	}
	_, first, err := ws.ReadMessage()
	if err != nil {
		p.s.t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(first, &m); err != nil || m["t"] != "welcome" || m["resumed"] != true {
		p.s.t.Fatalf("the answer to a resume is %s", first)
	}
	return ws, m
}

// resume comes back on a new socket, over and over until ctx ends.
func (p *phone) run(ctx context.Context, done *sync.WaitGroup) {
	for ctx.Err() == nil {
		p.mu.Lock()
		ws, welcome := p.dial(p.seen)
		p.ws = ws
		p.forget(uint64(welcome["c"].(float64)))
		for i, frame := range p.kept { // again, as they were
			if ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, frame, p.from+uint64(i), p.seen)) != nil {
				break
			}
		}
		p.mu.Unlock()
		done.Go(func() {
			p.read(ws)
		})
		life := time.NewTimer(time.Duration(p.rng.IntN(1500)) * time.Millisecond)
		select {
		case <-life.C:
			p.drops++
		case <-ctx.Done():
			life.Stop()
			return
		}
		p.mu.Lock()
		p.ws = nil
		p.mu.Unlock()
		ws.NetConn().Close()
		time.Sleep(time.Duration(p.rng.IntN(400)) * time.Millisecond)
	}
}

func (p *phone) forget(c uint64) {
	for p.from <= c && len(p.kept) > 0 {
		p.kept, p.from = p.kept[1:], p.from+1
	}
}

func (p *phone) read(ws *websocket.Conn) {
	for {
		_, raw, err := ws.ReadMessage()
		if err != nil {
			return
		}
		var m struct {
			T             string
			N, C, Seq, Of uint64
			Code          string
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			p.s.t.Error(err)
			return
		}
		p.mu.Lock()
		if p.ws != ws {
			p.mu.Unlock()
			return
		}
		p.forget(m.C)
		if m.N > 0 {
			if m.N != p.seen+1 {
				p.s.t.Errorf("%s: frame %d after %d", p.name, m.N, p.seen)
			}
			p.seen = m.N
			switch m.T {
			case "relay":
				p.heard = append(p.heard, m.Seq)
			case "error":
				p.s.t.Errorf("%s: %s", p.name, raw)
			}
			if p.seen%8 == 0 {
				_ = ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"t":"ack","a":%d}`, p.seen))
			}
		}
		p.mu.Unlock()
	}
}

// say sends envelope number seq, or keeps it until the socket is back.
func (p *phone) say(seq uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.c++
	if len(p.kept) == 0 {
		p.from = p.c
	}
	frame := `{"t":"relay","c":%d,"a":%d,"to":"` + p.peer + `","seq":` + fmt.Sprint(seq) + `,"box":"` + pad(seq) + `"}`
	p.kept = append(p.kept, frame)
	if p.ws != nil {
		_ = p.ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, frame, p.c, p.seen))
	}
}

// TestNothingIsLostDoubledOrReordered: two talk while the sockets of both break every second or so,
// in the middle of frames too.
func TestNothingIsLostDoubledOrReordered(t *testing.T) {
	const envelopes = 400
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t)
			s.play("testdata/transcripts/parts/pair.txt")
			ana, bo := newPhone(s, "ana", 3, seed), newPhone(s, "bo", 2, seed)
			ana.peer, bo.peer = s.vars["$bo"].(string), s.vars["$ana"].(string)
			ctx, stop := context.WithCancel(t.Context())
			var done sync.WaitGroup
			for _, p := range []*phone{ana, bo} {
				s.cast[p.name].drop()
				done.Go(func() { p.run(ctx, &done) })
			}
			for i := range uint64(envelopes) {
				ana.say(i)
				bo.say(i)
				s.redis.Pass(60 * time.Millisecond)
			}
			s.redis.Pass(5 * time.Second)
			stop()
			for _, p := range []*phone{ana, bo} {
				p.mu.Lock()
				if p.ws != nil {
					p.ws.Close()
				}
				p.mu.Unlock()
			}
			done.Wait()
			for _, p := range []*phone{ana, bo} {
				if len(p.heard) != envelopes || p.drops < 10 {
					t.Errorf("seed %d: %s heard %d of %d envelopes over %d drops", seed, p.name, len(p.heard), envelopes, p.drops)
				}
				for i, seq := range p.heard {
					if seq != uint64(i) {
						t.Fatalf("seed %d: %s heard envelope %d at place %d", seed, p.name, seq, i)
					}
				}
			}
		})
	}
}

func newPhone(s *stage, name string, seen uint64, seed uint64) *phone {
	return &phone{
		s: s, name: name, token: s.vars["$"+name+".token"].(string), c: 2, seen: seen,
		rng: rand.New(rand.NewPCG(seed, uint64(len(name)))),
	}
}

func pad(seq uint64) string { return strings.Repeat("A", int(1+seq*37%3000)) }

func narrowDial(l *vtest.Listener) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return l.DialNarrow(ctx, 2000) }
}
