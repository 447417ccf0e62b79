package turn

import (
	"errors"
	"net"
	"sync"
)

// restMay is what may wait below TLS at the most: the record of one piece, and some of TLS's own.
const restMay = 2 * atOnce

// errBehind says that a client takes nothing, while TLS has ever more to tell it.
var errBehind = errors.New("turn: a client does not read")

// eager is a TCP connection to which whoever has a packet for its client writes without waiting: at
// once as much as the socket takes, the rest later by somebody who may wait. To wake a goroutine for
// each packet costs more than the packet. Below TLS it also sees that records stay whole.
type eager struct {
	net.Conn

	attempt *attempt // nil where the system knows none: every write waits

	mu      sync.Mutex // held while something is written, so that what is left goes first
	patient bool       // writes wait
	rest    []byte     // was written, and is not sent yet
}

// newEager returns conn, whose writes wait until it is told otherwise.
func newEager(conn net.Conn) *eager {
	return &eager{Conn: conn, attempt: attemptOn(conn), patient: true}
}

// hasty says whether writes need not wait.
func (e *eager) hasty() bool { return e.attempt != nil }

// wait lets writes wait, or not.
func (e *eager) wait(patient bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.patient = patient || e.attempt == nil
}

// behind says whether something is left to send.
func (e *eager) behind() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.rest) > 0
}

// Write sends b after what is left. Without patience it keeps what the socket does not take.
func (e *eager) Write(b []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.patient {
		if err := e.finish(); err != nil {
			return 0, err
		}
		return e.Conn.Write(b)
	}
	sent := 0
	if len(e.rest) == 0 {
		var err error
		if sent, err = e.attempt.write(b); err != nil {
			return 0, err
		}
	}
	if len(e.rest)+len(b)-sent > restMay {
		return 0, errBehind
	}
	e.rest = append(e.rest, b[sent:]...)
	return len(b), nil
}

// flush sends what is left, and waits for it.
func (e *eager) flush() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.finish()
}

// finish is flush for who holds mu.
func (e *eager) finish() error {
	if len(e.rest) == 0 {
		return nil
	}
	_, err := e.Conn.Write(e.rest)
	e.rest = nil
	return err
}

// eagerly is a listener whose connections are eager.
type eagerly struct{ net.Listener }

// Accept waits for the next connection.
func (l eagerly) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newEager(conn), nil
}
