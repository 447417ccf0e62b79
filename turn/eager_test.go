package turn_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"parley/turn"
)

// TestStreamStaysWhole: a client on a stream that does not read for a while gets all that its socket
// and one frame hold, without another packet that would push it; then whole frames in their order, of
// which some are missing.
func TestStreamStaysWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("takes twenty seconds")
	}
	t.Parallel()
	for name, over := range map[string]wire{"TCP": overTCP, "TLS": overTLS} {
		t.Run(name, func(t *testing.T) {
			s := startTLS(t, func(c *turn.Config) { c.Quotas.VoiceRate = 1 << 30 })
			ana := sitDown(t, speak(t, s, s.Credential(name), overTCP))
			bo := sitDown(t, speak(t, s, s.Credential(name), over))
			ana.bind(0x4001, bo.relayed)
			bo.bind(0x4001, ana.relayed)
			var last uint32
			give := func() {
				last++
				carried := s.Counters().Packets
				ana.send(numbered(last)) // by itself: what comes together waits for one another
				for s.Counters().Packets == carried {
					runtime.Gosched()
				}
			}
			for !stuck(s) {
				give()
			}
			in := bufio.NewReader(bo.conn)
			_ = bo.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			for n := range last { // a socket that is full has lost nothing yet
				if got := number(t, in); got != n+1 {
					t.Fatalf("%d, want %d", got, n+1)
				}
			}
			for lost := s.Counters().DroppedQueue; s.Counters().DroppedQueue < lost+100; {
				give()
			}
			for before := uint32(0); before < last; { // the newest stay
				n := number(t, in)
				if n <= before {
					t.Fatalf("%d after %d", n, before)
				}
				before = n
			}
			for range 100 { // one by one, each at once
				give()
				if n := number(t, in); n != last {
					t.Fatalf("%d, want %d", n, last)
				}
			}
			_ = bo.conn.SetReadDeadline(time.Now().Add(11 * time.Second)) // longer than a write may take
			if _, err := in.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("something came that nobody sent: %v", err)
			}
			give()
			_ = bo.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			if n := number(t, in); n != last {
				t.Fatalf("%d, want %d", n, last)
			}
		})
	}
}

// stuck says whether a stream has stayed behind for a while.
func stuck(s *turn.Server) bool {
	for range 1000 {
		if !s.Behind() {
			return false
		}
		runtime.Gosched()
	}
	return true
}

// numbered is a frame whose every word is its number.
func numbered(n uint32) []byte {
	return channelData(0x4001, string(bytes.Repeat(binary.BigEndian.AppendUint32(nil, n), 250)))
}

// number reads such a frame.
func number(t *testing.T, in io.Reader) uint32 {
	t.Helper()
	b := make([]byte, 1004)
	if _, err := io.ReadFull(in, b); err != nil {
		t.Fatal(err)
	}
	n := binary.BigEndian.Uint32(b[4:])
	if !bytes.Equal(b, numbered(n)) {
		t.Fatalf("frame %d is torn: % x", n, b[:12])
	}
	return n
}
