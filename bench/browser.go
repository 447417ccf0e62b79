package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	subprotocol = "parley.v1"
	// boxSize is the text of an envelope: 1 KiB.
	boxSize = 1024
	// stampSize is how many characters of it say, in hexadecimal, when it was sent.
	stampSize = 16
	// ackAfter is how many frames a browser receives before it sends ack if it says nothing else.
	ackAfter = 8
)

// browser is the load's side of one socket. It speaks the protocol as the page does, and as little
// of it as the figures need.
type browser struct {
	conn  *websocket.Conn
	stage chan string   // queued, connected: sent once each, by the reader
	ended chan struct{} // closed when the reader has returned
	got   atomic.Uint64 // the highest number received
	clock *clock

	peer string // written by the reader before it sends connected
	seen map[string]bool
	kept kept  // written by the reader; read it after ended
	err  error // why the reader returned; read it after ended

	mu    sync.Mutex // guards the following fields, and writing to conn
	sent  uint64
	acked uint64
	seq   uint64
	frame []byte

	heard   sync.Mutex // guards the following field
	delays  []time.Duration
	content []byte
}

// clock is shared by a fleet: when it began, and whether delays count now.
type clock struct {
	began  time.Time
	counts atomic.Bool
}

// frameHead is what the load reads of a frame that is not a relay.
type frameHead struct {
	T     string `json:"t"`
	N     uint64 `json:"n"`
	Match string `json:"match"`
	Peer  string `json:"peer"`
	Token string `json:"token"`
	Place string `json:"place"`
	Code  string `json:"code"`
	Text  string `json:"text"`
}

// dial opens a socket; name is only for the bare relay.
func dial(ctx context.Context, address, name string, at *clock) (*browser, error) {
	dialer := websocket.Dialer{
		ReadBufferSize: 1024, WriteBufferSize: 2048, WriteBufferPool: &sync.Pool{},
		Subprotocols: []string{subprotocol}, HandshakeTimeout: 20 * time.Second,
	}
	u := url.URL{Scheme: "ws", Host: address, Path: "/ws", RawQuery: url.Values{"name": {name}}.Encode()}
	if name == "" {
		u.RawQuery = ""
	}
	conn, answer, err := dialer.DialContext(ctx, u.String(), http.Header{"Origin": {"http://" + address}})
	if err != nil {
		if answer != nil {
			return nil, fmt.Errorf("handshake: %s: %w", answer.Status, err)
		}
		return nil, err
	}
	b := &browser{
		conn: conn, stage: make(chan string, 2), ended: make(chan struct{}), clock: at,
		seen: map[string]bool{}, content: bytes.Repeat([]byte("x"), boxSize-stampSize),
	}
	go b.read() // ends with the socket; close waits for it
	return b, nil
}

func (b *browser) close() {
	_ = b.conn.Close()
	<-b.ended
}

func (b *browser) read() {
	defer close(b.ended)
	var buffer bytes.Buffer
	for {
		_, r, err := b.conn.NextReader()
		if err == nil {
			buffer.Reset()
			_, err = buffer.ReadFrom(r)
		}
		if err == nil {
			err = b.hear(buffer.Bytes())
		}
		if err != nil {
			b.err = err
			return
		}
	}
}

func (b *browser) hear(frame []byte) error {
	if bytes.HasPrefix(frame, []byte(`{"t":"relay"`)) {
		return b.relayed(frame)
	}
	var head frameHead
	if err := json.Unmarshal(frame, &head); err != nil {
		return err
	}
	b.got.Store(max(b.got.Load(), head.N))
	switch head.T {
	case "welcome":
		b.kept.token = head.Token
	case "queued":
		b.kept.place = head.Place
		b.reach("queued")
		return b.acknowledge() // the page does within a second
	case "matched":
		return b.say(`{"t":"confirm","c":%d,"a":%d,"match":"` + head.Match + `"}`)
	case "connected":
		b.peer = head.Peer
		b.reach("connected")
	case "ping":
		return b.write([]byte(`{"t":"pong"}`))
	case "error", "aborted", "expired", "ended", "drain", "notice":
		return fmt.Errorf("server said %s %s %s", head.T, head.Code, head.Text)
	}
	return nil
}

// reach tells a stage once; the channel has room for each.
func (b *browser) reach(stage string) {
	if !b.seen[stage] {
		b.seen[stage] = true
		b.stage <- stage
	}
}

// await returns when the reader reaches the stage.
func (b *browser) await(ctx context.Context, stage string) error {
	for {
		select {
		case s := <-b.stage:
			if s == stage {
				return nil
			}
		case <-b.ended:
			return fmt.Errorf("before %s: %w", stage, b.err)
		case <-ctx.Done():
			return fmt.Errorf("no %s: %w", stage, context.Cause(ctx))
		}
	}
}

// relayed notes how long an envelope took, and acknowledges it if nothing else will soon.
func (b *browser) relayed(frame []byte) error {
	if n, ok := numberAfter(frame, `"n":`); ok {
		b.got.Store(n)
	}
	at := len(frame) - len(`"}`) - boxSize
	if at < 0 {
		return errors.New("short envelope")
	}
	sent, err := strconv.ParseInt(string(frame[at:at+stampSize]), 16, 64)
	if err != nil {
		return err
	}
	if b.clock.counts.Load() {
		b.heard.Lock()
		b.delays = append(b.delays, time.Since(b.clock.began)-time.Duration(sent))
		b.heard.Unlock()
	}
	b.mu.Lock()
	due := b.got.Load() >= b.acked+ackAfter
	b.mu.Unlock()
	if due {
		return b.acknowledge()
	}
	return nil
}

func (b *browser) acknowledge() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acked = b.got.Load()
	return b.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"t":"ack","a":%d}`, b.acked))
}

func numberAfter(frame []byte, label string) (uint64, bool) {
	at := bytes.Index(frame[:min(len(frame), 64)], []byte(label))
	if at < 0 {
		return 0, false
	}
	n := uint64(0)
	for _, digit := range frame[at+len(label):] {
		if digit < '0' || digit > '9' {
			break
		}
		n = n*10 + uint64(digit-'0')
	}
	return n, true
}

// take returns the delays noted so far, and forgets them.
func (b *browser) take() []time.Duration {
	b.heard.Lock()
	defer b.heard.Unlock()
	taken := b.delays
	b.delays = nil
	return taken
}

func (b *browser) write(frame []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conn.WriteMessage(websocket.TextMessage, frame)
}

// say sends a numbered frame: the format takes c and a.
func (b *browser) say(format string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent++
	b.acked = b.got.Load()
	return b.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, b.sent, b.acked))
}

// relay sends an envelope of 1 KiB to the peer, in the order of fields that the page uses.
func (b *browser) relay() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sent++
	b.seq++
	b.acked = b.got.Load()
	f := append(b.frame[:0], `{"t":"relay","c":`...)
	f = strconv.AppendUint(f, b.sent, 10)
	f = append(f, `,"a":`...)
	f = strconv.AppendUint(f, b.acked, 10)
	f = append(f, `,"to":"`...)
	f = append(f, b.peer...)
	f = append(f, `","seq":`...)
	f = strconv.AppendUint(f, b.seq, 10)
	f = append(f, `,"box":"`...)
	f = fmt.Appendf(f, "%0*x", stampSize, int64(time.Since(b.clock.began)))
	f = append(f, b.content...)
	f = append(f, `"}`...)
	b.frame = f
	return b.conn.WriteMessage(websocket.TextMessage, f)
}

// kept is what a browser comes back with.
type kept struct {
	token, place       string
	device             int
	language, interest string
	widen              bool
}

// search says hello and find. The same device number means the same device.
func (b *browser) search(device int, language, interest string, widen bool) error {
	b.kept.device, b.kept.language, b.kept.interest, b.kept.widen = device, language, interest, widen
	return b.searchWith(b.kept)
}

// searchAgain does what another one did, with its token and its place.
func (b *browser) searchAgain(old *browser) error {
	b.kept.device, b.kept.language, b.kept.interest, b.kept.widen = old.kept.device, old.kept.language, old.kept.interest, old.kept.widen
	return b.searchWith(old.kept)
}

func (b *browser) searchWith(k kept) error {
	digest := sha256.Sum256(strconv.AppendInt(nil, int64(k.device), 10))
	hello := fmt.Appendf(nil, `{"t":"hello","token":%q,"last":0,"device":"%s"}`,
		k.token, base64.RawURLEncoding.EncodeToString(digest[:]))
	if err := b.write(hello); err != nil {
		return err
	}
	return b.say(`{"t":"find","c":%d,"a":%d,"languages":["` + k.language + `"],"interests":["` + k.interest +
		`"],"widen":` + strconv.FormatBool(k.widen) + `,"avoid":[],"place":"` + k.place + `"}`)
}
