package signaling_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/signaling"
)

// relay stands for the one of a node: it notes what it is told.
type relay struct {
	number int

	mu      sync.Mutex // guards the following
	retired bool
	met     []string
	ended   []string
}

func (r *relay) announce() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.retired {
		return "none"
	}
	return fmt.Sprint("192.0.2.", r.number)
}

func (r *relay) retire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.retired = true
}

func (r *relay) meet(all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.met = all
}

func (r *relay) end(call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = append(r.ended, call)
}

// told is what it knows of others and of calls that are over.
func (r *relay) told() (met, ended []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.met, r.ended
}

// iceOf is a credential of the relay that announced itself so.
func iceOf(announced, call string) signaling.Ice {
	if announced == "none" {
		return signaling.Ice{TTLMS: 600_000}
	}
	return signaling.Ice{TTLMS: 600_000, Servers: []signaling.IceServer{{
		URLs: []string{"turn:" + announced + ":3478?transport=udp"}, Username: "user-of-" + call, Credential: "secret-of-" + call,
	}}}
}

// TestRelaysOfACall: a room names the relays of its own node and of the members' nodes, each once;
// once it is over it names none.
func TestRelaysOfACall(t *testing.T) {
	now := time.Unix(1e9, 0)
	at := func(node, id string) signaling.Address { return signaling.Address{Node: node, ID: id} }
	r := signaling.NewRoom(at("one", "room"))
	ana, bo := at("one", "ana"), at("two", "bo")
	expect := func(when string, want string, l signaling.ToRoom) {
		t.Helper()
		if got := fmt.Sprint(r.Named(now, l)); got != want {
			t.Errorf("%s: %s, want %s", when, got, want)
		}
	}
	expect("alone", "[]", signaling.Enter{From: ana, Member: "a"})
	expect("both", "[[one two] [one two]]", signaling.Enter{From: bo, Member: "b"})
	expect("asked", "[[one two]]", signaling.Want{From: ana, Member: "a", C: 1})
	expect("asked by a stranger", "[]", signaling.Want{From: at("two", "eve"), Member: "e", C: 1})
	r.Letters(now, &signaling.Say{Room: "room", Sender: bo, From: "b", To: "a"})
	r.Letters(now, signaling.Fell("two"))
	expect("after his node died", "[[one]]", signaling.Want{From: ana, Member: "a", C: 2})
	expect("he goes", "[]", signaling.Went{From: ana, Member: "a", Why: signaling.EndLeft})
	expect("after the end", "[]", signaling.Want{From: ana, Member: "a", C: 3})
}

// TestEndOfACallReachesAllRelays: also that of a node which has nothing to do with the call, as
// that may have been named.
func TestEndOfACallReachesAllRelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.play("testdata/transcripts/parts/apart.txt")
		for i := 1; i <= 3; i++ {
			if met, ended := s.at(i).relay.told(); len(met) != 2 || len(ended) != 0 {
				t.Errorf("node %d has met %v and knows that %v are over", i, met, ended)
			}
		}
		s.must(`ana > {"t":"leave","c":3,"a":3}`, "wait 1s")
		for i := 1; i <= 3; i++ {
			_, first := s.node.relay.told()
			if _, ended := s.at(i).relay.told(); len(ended) != 1 || !slices.Equal(ended, first) {
				t.Errorf("node %d was told that %q are over, and the room's that %q are", i, ended, first)
			}
		}
	})
}

// TestRelaysMeet: nodes hear of each other's relays within two seconds, of a word that changed
// within one, and of a death within five.
func TestRelaysMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must("nodes 3")
		met := func() string {
			met, _ := s.node.relay.told()
			return fmt.Sprint(met)
		}
		if got := met(); got != "[192.0.2.2 192.0.2.3]" {
			t.Errorf("met %s", got)
		}
		s.must("retire 3", "wait 2s") // one to say it, one to read it
		if got := met(); got != "[192.0.2.2 none]" {
			t.Errorf("after one retired: %s", got)
		}
		s.must("kill 2", "wait 5s")
		if got := met(); got != "[none]" {
			t.Errorf("after one died: %s", got)
		}
		// An outage of the store is no death.
		s.must("redis away", "wait 20s")
		if got := met(); got != "[none]" {
			t.Errorf("while the store is away: %s", got)
		}
		s.must("redis back", "wait 5s")
		if got := met(); got != "[none]" {
			t.Errorf("when it is back: %s", got)
		}
	})
}
