package web_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/vtest"
	"parley/web"
)

// start serves s on listeners in memory until the test ends.
func start(t *testing.T, s *web.Server) (public *vtest.Listener, stop func()) {
	t.Helper()
	public, operator := vtest.NewListener(), vtest.NewListener()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, public, operator) }()
	return public, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// dial opens a connection and writes text on it.
func dial(t *testing.T, l *vtest.Listener, text string) net.Conn {
	t.Helper()
	c, err := l.Dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestSlowHeader: who dawdles over the header of a request is cut after 5 s, not kept for ever.
func TestSlowHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := start(t, newServer(t))
		defer stop()
		c := dial(t, l, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		defer c.Close()
		begun := time.Now()
		if _, err := io.ReadAll(c); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("cut after %v, want 5s", took)
		}
	})
}

// TestIdle: a connection on which nothing is asked any more is closed after a minute.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := start(t, newServer(t))
		defer stop()
		c := dial(t, l, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
		defer c.Close()
		begun := time.Now()
		if _, err := io.ReadAll(c); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("closed after %v, want 1m", took)
		}
	})
}

// TestLargeHeader: a header is at most 8 KiB and what net/http adds for its own reading.
func TestLargeHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, stop := start(t, newServer(t))
		defer stop()
		c := dial(t, l, "GET / HTTP/1.1\r\nHost: x\r\nX-Large: "+strings.Repeat("x", 13<<10)+"\r\n\r\n")
		defer c.Close()
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || r.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%v %v", r, err)
		}
	})
}

// TestPlaceOfSocket: a socket that signaling has taken over keeps its place until it is closed,
// although the handler returned long before.
func TestPlaceOfSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		taken := make(chan net.Conn, 1)
		l, stop := start(t, newServer(t, func(c *web.Config) {
			c.Limits = web.Limits{PerAddress: 1}
			c.Socket = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
				}
				taken <- conn
			})
		}))
		defer stop()
		const handshake = "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n"
		first := dial(t, l, handshake)
		defer first.Close()
		held := <-taken

		second := dial(t, l, handshake)
		defer second.Close()
		r, err := http.ReadResponse(bufio.NewReader(second), nil)
		if err != nil || r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
			t.Fatalf("a second socket: %v %v", r, err)
		}

		held.Close()
		third := dial(t, l, handshake)
		defer third.Close()
		(<-taken).Close()
	})
}

// TestStop: an answer that is under way is finished, and one that hangs does not hold up the end.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entered := make(chan bool, 1)
		l, stop := start(t, newServer(t, func(c *web.Config) {
			c.Socket = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				entered <- true
				<-r.Context().Done()
			})
		}))
		c := dial(t, l, "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n")
		defer c.Close()
		<-entered
		begun := time.Now()
		stop()
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}
