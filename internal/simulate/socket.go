package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Times of a socket.
const (
	handshakeWithin = 10 * time.Second
	writeWithin     = 2 * time.Second
	abnormal        = 1006 // a socket that ended without a close frame
)

// Target is one parley: where its socket is and which page the people come from.
type Target struct {
	Socket *url.URL // ws or wss
	Page   *url.URL // http or https
}

// ParseTarget reads ws://host/ws, http://host or the same with TLS.
func ParseTarget(v string) (Target, error) {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return Target{}, fmt.Errorf("%q is not an address like http://localhost:8080 or wss://talk.example.org/ws", v)
	}
	socket, page := *u, *u
	switch u.Scheme {
	case "ws", "wss":
		page.Scheme = map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
		page.Path = "/"
	case "http", "https":
		socket.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
		socket.Path = "/ws"
		page.Path = "/"
	default:
		return Target{}, fmt.Errorf("%q is not an address like http://localhost:8080 or wss://talk.example.org/ws", v)
	}
	return Target{&socket, &page}, nil
}

// origin is what a browser on the page would send.
func (t Target) origin() string { return t.Page.Scheme + "://" + t.Page.Host }

// socket is an open WebSocket. One goroutine reads, one writes.
type socket struct{ ws *websocket.Conn }

// door opens sockets.
type door struct {
	run       string
	origin    string    // instead of the target's own
	forwarded bool      // every person comes from an address of its own, as a proxy would say
	spread    bool      // the same by source addresses of loopback
	buffers   sync.Pool // of readers
	writers   sync.Pool
	slots     chan struct{} // handshakes at the same time
}

func newDoor(run, origin string, forwarded, spread bool) *door {
	return &door{
		run: run, origin: origin, forwarded: forwarded, spread: spread, slots: make(chan struct{}, 256),
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
}

// refusedError is an answer other than a socket.
type refusedError struct {
	status int
	says   string
	after  time.Duration
}

func (e *refusedError) Error() string { return fmt.Sprintf("%d %s", e.status, e.says) }

// addressOf gives each person an address of 10.0.0.0/8 or 127.0.0.0/8, from .1.0.1 on: the first
// 65,280 in a network of their own each, because those of one network share a budget.
func addressOf(first byte, n int) netip.Addr {
	n += 1 << 8
	return netip.AddrFrom4([4]byte{first, byte(n >> 8), byte(n), byte(n>>16) + 1}) //nolint:gosec // the low bits
}

// address is what the n-th person is said to come from; empty when a proxy says nothing.
func (d *door) address(n int) string {
	if !d.forwarded {
		return ""
	}
	return addressOf(10, n).String()
}

// agent is the browser of the n-th person.
func (d *door) agent(n int) string { return fmt.Sprintf("Simulated/1.0 (%s; visitor %d)", d.run, n) }

// dial opens the socket of the n-th person.
func (d *door) dial(ctx context.Context, t Target, n int) (*socket, error) {
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	dialer := websocket.Dialer{
		HandshakeTimeout: handshakeWithin, Subprotocols: []string{Subprotocol},
		ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &d.writers,
	}
	if d.spread {
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: addressOf(127, n).AsSlice()}}
		dialer.NetDialContext = from.DialContext
	}
	header := http.Header{"Origin": {t.origin()}, "User-Agent": {d.agent(n)}}
	if d.origin != "" {
		header.Set("Origin", d.origin)
	}
	if d.forwarded {
		header.Set("X-Forwarded-For", d.address(n))
	}
	conn, answer, err := dialer.DialContext(ctx, t.Socket.String(), header)
	if err == nil {
		return &socket{conn}, nil
	}
	if answer == nil {
		return nil, err
	}
	says, _ := io.ReadAll(io.LimitReader(answer.Body, 300)) // whatever came of it
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	return nil, &refusedError{answer.StatusCode, string(bytes.TrimSpace(says)), time.Duration(seconds) * time.Second}
}

// next reads the next frame as it is, within a time.
func (s *socket) next(within time.Duration) ([]byte, error) {
	s.within(within)
	_, b, err := s.ws.ReadMessage()
	return b, err
}

// read reads frames until the socket ends, and returns its close code.
func (d *door) read(s *socket, hear func(frame) bool) (code int, err error) {
	for {
		kind, r, err := s.ws.NextReader()
		if err != nil {
			return codeOf(err), nil
		}
		b := d.buffers.Get().(*bytes.Buffer)
		b.Reset()
		if _, err := b.ReadFrom(r); err != nil {
			return codeOf(err), nil
		}
		var f frame
		if kind == websocket.TextMessage {
			f, err = decode(b.Bytes())
		} else {
			err = errors.New("a binary frame")
		}
		d.buffers.Put(b)
		if err != nil {
			return abnormal, err
		}
		if !hear(f) {
			return abnormal, nil
		}
	}
}

func codeOf(err error) int {
	if closed := new(websocket.CloseError); errors.As(err, &closed) {
		return closed.Code
	}
	return abnormal
}

// write sends a frame. A socket that does not take it in time is closed: the reader notices.
func (s *socket) write(b []byte) {
	_ = s.ws.SetWriteDeadline(time.Now().Add(writeWithin)) // only stored
	if err := s.ws.WriteMessage(websocket.TextMessage, b); err != nil {
		s.close() // so that the reader ends
	}
}

// hangUp ends the socket as a page does.
func (s *socket) hangUp() {
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	_ = s.ws.WriteControl(websocket.CloseMessage, bye, time.Now().Add(writeWithin)) // as far as it goes
	s.close()
}

// cut ends the socket as if the network were gone: what is on its way is lost.
func (s *socket) cut() {
	if tcp, ok := s.ws.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // else it is only slower
	}
	s.close()
}

// close ends the socket, wherever it stands.
func (s *socket) close() { _ = s.ws.Close() } // whoever reads it learns of it

// speaksParley tells whether the server took our protocol.
func (s *socket) speaksParley() bool { return s.ws.Subprotocol() == Subprotocol }

// within bounds what is read from now on.
func (s *socket) within(d time.Duration) { _ = s.ws.SetReadDeadline(time.Now().Add(d)) } // only stored
