package link

import (
	"bytes"
	"encoding/hex"
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
		m, err := readMail(b[bodyStart:])
		if err != nil {
			return
		}
		if again := appendMail(nil, h.from, m); !bytes.Equal(again[bodyStart:], b[bodyStart:]) {
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
		l.Send(names[0], "", []byte("before"))
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
	f.Add([]byte("\x09\x01" + names[0] + "12345678"))
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
		got, err := readMail(appendMail(nil, names[0], m)[bodyStart:])
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
		if !l.Send(numbered(i), "", []byte("x")) {
			t.Fatal("refused", i)
		}
	}
	if l.Send(numbered(maxPeers), "", nil) {
		t.Error("more nodes than a link may know")
	}
	was := l.lanes.peers[numbered(7)].out.epoch
	for i := range 10 {
		l.Forget(numbered(i))
	}
	l.collect(time.Now())
	if !l.Send(numbered(maxPeers), "", nil) || len(l.lanes.peers) != maxPeers-9 {
		t.Error("the forgotten made no room:", len(l.lanes.peers))
	}
	if !l.Send(numbered(7), "", nil) || l.lanes.peers[numbered(7)].out.epoch <= was+1 {
		t.Error("an epoch comes twice")
	}
}

// TestPacketGolden: what goes over the bus, byte for byte. Nodes of one version must agree on it: who
// changes it raises the version, except in the head and the seal, which no version may change.
func TestPacketGolden(t *testing.T) {
	const head = "6e6f64653030303030303030303030303030303030" // the sender is "node0..."
	m := mail{born: true, want: true, epoch: 7, first: 1, ackEpoch: 9, ackNext: 4, bodies: [][]byte{{}, []byte("x")}}
	for got, want := range map[string]string{
		hex.EncodeToString(appendMail(nil, "node00000000000000000a", m)): "0201" + head + "610000000000000000" +
			"03" + "0000000000000007" + "0000000000000001" + "0000000000000009" + "0000000000000004" + "00000000" + "0000000178",
		hex.EncodeToString(appendHead(nil, kindProbe, "node00000000000000000a")): "0202" + head + "610000000000000000",
		hex.EncodeToString(appendHead(nil, kindAlien, "node00000000000000000a")): "0203" + head + "610000000000000000",
	} {
		if got != want {
			t.Errorf("\n%s, was\n%s", got, want)
		}
	}
}

// TestFairShares: who floods gets what is left free and no more, so that there is room for others, and
// for the owner to the end. What is acknowledged counts no more.
func TestFairShares(t *testing.T) {
	now := time.Unix(1e9, 0)
	flood := func(o *outbound, by string, size int) (taken int) {
		for o.take(now, send{by, make([]byte, size)}) {
			taken++
		}
		return taken
	}
	for size, most := range map[int]int{0: maxMessages, 16 << 10: maxBytes >> 14} {
		p := newPeer(names[0], 1)
		o := &p.out
		for i, by := range []string{"one", "two", "three", "one"} {
			want := []int{most / 2, most / 4, most / 8, 0}[i]
			if n := flood(o, by, size); n != want {
				t.Errorf("of %d messages of %d bytes %s has %d, want %d", most, size, by, n, want)
			}
		}
		if n := flood(o, "", size); n != most/8 {
			t.Errorf("the owner had %d", n)
		}
		p.Step(now, pull{})
		for o.next < o.end() {
			p.Step(now, pull{})
		}
		p.Step(now, heard{mail{ackEpoch: 1, ackNext: uint64(most/2) + 1}})
		if n := flood(o, "one", size); n != most/4 {
			t.Errorf("then %d", n)
		}
		p.Step(now, heard{mail{ackEpoch: 1, ackNext: o.high}})
		if len(o.held) != 1 || o.held["one"].messages != most/4 {
			t.Errorf("%v are held", o.held)
		}
	}
}
