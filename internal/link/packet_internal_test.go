package link

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// FuzzPacketIsCanonical: what is accepted is encoded to the same bytes.
func FuzzPacketIsCanonical(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readHead(b)
		if err != nil || h.version != version || h.kind != kindMail {
			return
		}
		m, err := readMail(b)
		if err != nil {
			return
		}
		if again := appendMail(nil, h.from, m); !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
		for _, body := range m.bodies {
			if cap(body) != len(body) {
				t.Error("whoever appends to a message would change the next")
			}
		}
	})
}

// FuzzArrival: no packet, and no sequence of two, crashes a link or makes it keep much.
func FuzzArrival(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		l := New(Config{Node: names[1], Alive: func(string) bool { return true }})
		l.Send(names[0], []byte("before"))
		l.collect(time.Now())
		for _, packet := range [][]byte{b, b, appendMail(nil, names[0], mail{epoch: 1 << 32, first: 1, bodies: [][]byte{{}}}), b} {
			l.arrive(t.Context(), string(packet))
			l.collect(time.Now().Add(time.Hour))
		}
		if len(l.lanes.peers) > 2 || len(l.inbox.items) > 8 {
			t.Error(len(l.lanes.peers), "nodes,", len(l.inbox.items), "deliveries")
		}
	})
}

func seeds(f *testing.F) {
	f.Helper()
	for _, m := range []mail{
		{ackEpoch: 1, ackNext: 2, want: true},
		{epoch: 1 << 32, first: 1, bodies: [][]byte{[]byte("a"), {}, []byte("bc")}},
		{epoch: 1<<32 + 1, first: 1, born: true, bodies: [][]byte{{}, []byte("x")}, ackEpoch: 1 << 32, ackNext: 2},
		{epoch: 7, first: 1 << 61, bodies: [][]byte{{1}}, ackEpoch: 1 << 32, want: true},
	} {
		f.Add(appendMail(nil, names[0], m))
	}
	f.Add(appendHead(nil, kindProbe, names[1]))
	f.Add(appendHead(nil, kindAlien, names[0]))
	f.Add([]byte("\x02\x01" + names[0]))
}

// TestPacketRoundTrip: any packet that a link makes is read as it was.
func TestPacketRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Uint64Range(1, 1<<62)
		m := mail{}
		if rapid.Bool().Draw(t, "messages") {
			m.born, m.epoch, m.first = rapid.Bool().Draw(t, "born"), rapid.Uint64Min(1).Draw(t, "epoch"), number.Draw(t, "first")
			m.bodies = rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 40), 1, 20).Draw(t, "bodies")
		}
		if rapid.Bool().Draw(t, "acknowledges") {
			m.want, m.ackEpoch, m.ackNext = rapid.Bool().Draw(t, "want"), rapid.Uint64Min(1).Draw(t, "ack epoch"), number.Draw(t, "next")
		}
		got, err := readMail(appendMail(nil, names[0], m))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got, cmp.AllowUnexported(mail{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestLinkKnowsSoMany: a link knows a bounded number of nodes. The forgotten make room, and one that
// is made anew begins a higher epoch.
func TestLinkKnowsSoMany(t *testing.T) {
	l := New(Config{Node: names[0], Alive: func(string) bool { return true }})
	numbered := func(i int) string { return fmt.Sprintf("%022d", i) }
	for i := range maxPeers {
		if !l.Send(numbered(i), []byte("x")) {
			t.Fatal("refused", i)
		}
	}
	if l.Send(numbered(maxPeers), nil) {
		t.Error("more nodes than a link may know")
	}
	was := l.lanes.peers[numbered(7)].out.epoch
	for i := range 10 {
		l.Forget(numbered(i))
	}
	l.collect(time.Now())
	if !l.Send(numbered(maxPeers), nil) || len(l.lanes.peers) != maxPeers-9 {
		t.Error("the forgotten made no room:", len(l.lanes.peers))
	}
	if !l.Send(numbered(7), nil) || l.lanes.peers[numbered(7)].out.epoch <= was+1 {
		t.Error("an epoch comes twice")
	}
}
