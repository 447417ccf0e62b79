package main

import (
	"bytes"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// bare is the baseline of the relay and of idle memory: gorilla as lean as it goes (small read
// buffer, write buffers from a pool, the handler returns, a writer goroutine only while there is
// something to write), and nothing else. No sessions, no numbers, no checks, no pings. A frame
// goes as it came to whoever joined with the same name. The write queue is not bounded.
type bare struct {
	upgrader websocket.Upgrader

	mu      sync.Mutex // guards the following field
	waiting map[string]*bareSocket
}

type bareSocket struct {
	conn *websocket.Conn
	peer *bareSocket // nil until the second one has come

	mu      sync.Mutex // guards the following fields
	queue   [][]byte
	writing bool
}

func newBare() *bare {
	return &bare{
		upgrader: websocket.Upgrader{
			ReadBufferSize: 512, WriteBufferSize: 4096, WriteBufferPool: &sync.Pool{},
			Subprotocols: []string{subprotocol},
		},
		waiting: map[string]*bareSocket{},
	}
}

func (b *bare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := b.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	s := &bareSocket{conn: conn}
	name := r.URL.Query().Get("name")
	b.mu.Lock()
	first := b.waiting[name]
	if first == nil {
		b.waiting[name] = s
	} else {
		delete(b.waiting, name)
		first.mu.Lock()
		first.peer = s
		first.mu.Unlock()
		s.peer = first
	}
	b.mu.Unlock()
	go s.read() // ends with the connection, which ends with the child
}

func (s *bareSocket) read() {
	defer func() { _ = s.conn.Close() }()
	var buffer bytes.Buffer
	for {
		_, r, err := s.conn.NextReader()
		if err != nil {
			return
		}
		buffer.Reset()
		if _, err := buffer.ReadFrom(r); err != nil {
			return
		}
		s.mu.Lock()
		peer := s.peer
		s.mu.Unlock()
		if peer != nil {
			peer.push(bytes.Clone(buffer.Bytes()))
		}
	}
}

func (s *bareSocket) push(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, frame)
	if !s.writing {
		s.writing = true
		go s.write() // ends when the queue is empty
	}
}

func (s *bareSocket) write() {
	for {
		s.mu.Lock()
		frames := s.queue
		s.queue = nil
		s.writing = len(frames) > 0
		s.mu.Unlock()
		if len(frames) == 0 {
			return
		}
		if err := s.conn.SetWriteDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return
		}
		for _, frame := range frames {
			if err := s.conn.WriteMessage(websocket.TextMessage, frame); err != nil {
				return
			}
		}
	}
}
