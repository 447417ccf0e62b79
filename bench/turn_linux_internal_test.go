//go:build linux

package main

import (
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"parley/turn"
)

// ownServer is a relay in this process, and what it uses after a collection.
func ownServer(t *testing.T) (*turn.Server, *turnServer) {
	t.Helper()
	relay, err := newRelay(netip.MustParseAddrPort("127.0.0.1:0"), "tlsrelay")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
	})
	return relay, &turnServer{
		name: "parley", address: relay.Addr(), secure: relay.Ways()[2].At, pid: os.Getpid(), usage: settledUsage,
		who: func(call int) (account, error) {
			c := relay.Credential(strconv.Itoa(call))
			return account{c.Username, c.Password}, nil
		},
	}
}

// The small version of the part turnwear, which has 10,000 allocations: a relay that has carried
// packets is as it was before.
func TestWear(t *testing.T) {
	relay, s := ownServer(t)
	w, err := wearOut(t.Context(), s, 60, 5000, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if c := relay.Counters(); c.Packets < 1000 || c.Relays != 0 || c.Panics != 0 || c.DroppedRate != 0 {
		t.Errorf("counters: %+v", c)
	}
	if w.late.goroutines > w.early.goroutines || w.after.goroutines > w.start.goroutines {
		t.Errorf("goroutines: %d before, %d and %d with calls, %d after", w.start.goroutines, w.early.goroutines, w.late.goroutines, w.after.goroutines)
	}
	if grown := int64(w.late.heap) - int64(w.early.heap); grown > 1<<20 {
		t.Errorf("the heap grew by %d bytes while packets were carried", grown)
	}
}

// Every shape of call gets through on a relay, so that a figure is of packets that arrive.
func TestShapes(t *testing.T) {
	_, s := ownServer(t)
	for _, how := range []shape{relayToRelay, indications, overStreams, overTLS} {
		p, err := gather(s, how, 3)
		if err != nil {
			t.Errorf("shape %d: %v", how, err)
			continue
		}
		if err := p.disperse(); err != nil {
			t.Error(err)
		}
	}
}

// The bare forwarder forwards, too.
func TestForwarder(t *testing.T) {
	f, err := newForwarder()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); f.serve() }()
	defer func() { f.stop(); <-ended }()
	p, err := gather(&turnServer{name: "forwarder", address: f.address, bare: true}, relayToRelay, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.disperse(); err != nil {
		t.Error(err)
	}
}
