package web

import (
	"bufio"
	"net"
	"net/http"
)

// counted gives a place back to the limiter when the connection that signaling takes over is
// closed, which is long after the handler returned.
type counted struct {
	http.ResponseWriter
	release func() // may be called more than once
	taken   bool
}

// Hijack fits [http.Hijacker].
func (c *counted) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(c.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	c.taken = true
	return countedConn{conn, c.release}, buffered, nil
}

type countedConn struct {
	net.Conn
	release func()
}

// Close fits [net.Conn].
func (c countedConn) Close() error {
	c.release()
	return c.Conn.Close()
}
