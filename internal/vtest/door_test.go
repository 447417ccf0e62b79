package vtest_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/vtest"
)

// echo answers every connection with its own name, and keeps it open.
func echo(t *testing.T, name string) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() { // ends with l
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = c.Write([]byte(name))
				_, _ = io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// TestDoor leads to the first who takes the connection, cuts those of one server, holds clients,
// and is shut.
func TestDoor(t *testing.T) {
	one, two, nobody := echo(t, "1"), echo(t, "2"), vtest.FreeAddr(t)
	var order atomic.Pointer[[]string]
	order.Store(&[]string{nobody, one, two})
	d := vtest.NewDoor(t, vtest.FreeAddr(t), func() []string { return *order.Load() })
	says := func() (net.Conn, string) {
		t.Helper()
		c, err := net.Dial("tcp4", d.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c, read(t, c)
	}
	first, said := says()
	if said != "1" {
		t.Errorf("led to %q, want the first who is there", said)
	}
	order.Store(&[]string{two})
	second, said := says()
	if said != "2" {
		t.Errorf("led to %q", said)
	}
	if n := d.Cut(one); n != 1 {
		t.Errorf("%d were cut", n)
	}
	if said := read(t, first); said != "" {
		t.Errorf("the connection to the server that was cut still says %q", said)
	}
	if err := second.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
		t.Error("the other connection was cut too")
	}
	d.Hold(func(client net.Addr) bool { return client.String() == second.LocalAddr().String() })
	if _, said := says(); said != "2" {
		t.Errorf("led to %q while another client is held", said)
	}
	d.Cut("")
	if said := read(t, second); said != "" {
		t.Errorf("a held connection that was cut says %q", said)
	}
	d.Hold(func(net.Addr) bool { return true })
	held, err := net.Dial("tcp4", d.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	if err := held.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := held.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("who is held hears %d bytes, %v", n, err)
	}
	d.Hold(nil)
	if said := read(t, held); said != "2" {
		t.Errorf("after the hold it hears %q", said)
	}
	d.Shut()
	if c, err := net.Dial("tcp4", d.Addr); err == nil {
		c.Close()
		t.Error("a shut door takes connections")
	}
	d.Open()
	if _, said := says(); said != "2" {
		t.Errorf("led to %q after the door was opened again", said)
	}
}

// read returns what one read brings; "" at the end of the connection.
func read(t *testing.T, c net.Conn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	n, err := c.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("nothing comes")
	}
	return string(b[:n])
}
