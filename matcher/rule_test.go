package matcher_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/matcher"
	"parley/retention"
)

// hall is a world whose people are told apart by a letter; every answer is compared with the model.
type hall struct {
	*testing.T
	*world
	last map[string]matcher.Ticket
}

func newHall(t *testing.T, e engine) *hall {
	w, err := newWorld(t.Context(), e, manyNodes, sound)
	if err != nil {
		t.Fatal(err)
	}
	return &hall{t, w, map[string]matcher.Ticket{}}
}

// want is what somebody searches. A device of 'a' widens after 6 s, one of 'b' after 2 s, and so
// on.
func want(who byte, languages, interests []string) matcher.Ticket {
	return matcher.Ticket{Device: device(int(who - 'a')), Languages: languages, Interests: interests, Meets: []int{0}}
}

// join joins on node n and returns who was found, or "". A ticket without an ID gets one.
func (h *hall) join(n int, t matcher.Ticket) string {
	h.Helper()
	if t.ID == "" {
		t.ID = matcher.NewID()
	}
	h.last[t.Device[:1]] = t
	if err := h.world.join(h.nodes[n], t); err != nil {
		h.Fatal(err)
	}
	s := h.model.tickets[t.ID]
	if s.state != offered {
		return ""
	}
	return s.match.other(s).Device[:1]
}

// repeat joins again with the last ticket of somebody.
func (h *hall) repeat(n int, who string) string {
	h.Helper()
	return h.join(n, h.last[who])
}

// wait lets time pass beat by beat.
func (h *hall) wait(d time.Duration) {
	h.Helper()
	for ; d > 0; d -= second {
		if err := h.pass(min(d, second)); err != nil {
			h.Fatal(err)
		}
	}
}

func (h *hall) is(got, wanted string) {
	h.Helper()
	if got != wanted {
		h.Errorf("got %q, want %q", got, wanted)
	}
}

var (
	en    = []string{"en"}
	de    = []string{"de"}
	enDe  = []string{"en", "de"}
	music = []string{"music"}
	film  = []string{"film"}
	both  = []string{"music", "film"}
)

func TestBothRipenWhileWaiting(t *testing.T) { engines(t, bothRipenWhileWaiting) }

func bothRipenWhileWaiting(t *testing.T, e engine) {
	h := newHall(t, e)
	h.is(h.join(0, want('b', en, music)), "")
	h.is(h.join(1, want('d', en, film)), "")
	h.wait(2*second - time.Microsecond)
	h.is(h.repeat(0, "b"), "")
	h.wait(time.Microsecond)
	h.is(h.repeat(0, "b"), "d") // nobody else ever came
	h.is(h.repeat(1, "d"), "b")
	if err := h.pools(); err != nil { // the seeker left its own pools
		t.Error(err)
	}
}

func TestOneRipeIsEnough(t *testing.T) { engines(t, oneRipeIsEnough) }

func oneRipeIsEnough(t *testing.T, e engine) {
	h := newHall(t, e)
	h.is(h.join(0, want('b', en, music)), "")
	h.wait(2 * second)
	h.is(h.join(1, want('d', en, film)), "b")
	h.is(h.join(1, want('a', en, nil)), "")
	h.is(h.join(1, want('c', en, film)), "a") // "anything" is ripe at once
}

func TestStrict(t *testing.T) { engines(t, strict) }

func strict(t *testing.T, e engine) {
	h := newHall(t, e)
	b := want('b', enDe, music)
	b.Strict = true
	h.is(h.join(0, b), "")
	h.wait(20 * second)
	h.is(h.join(1, want('d', en, film)), "")
	h.is(h.join(1, want('f', de, music)), "")
	h.is(h.repeat(0, "b"), "")
	h.is(h.join(2, want('c', en, music)), "b")
}

func TestOtherLanguages(t *testing.T) { engines(t, otherLanguages) }

func otherLanguages(t *testing.T, e engine) {
	h := newHall(t, e)
	h.is(h.join(0, want('b', []string{"en", "de"}, music)), "")
	h.is(h.join(1, want('d', []string{"fr", "de"}, music)), "")
	h.wait(3 * second)
	h.is(h.repeat(1, "d"), "")
	h.wait(second)
	h.is(h.repeat(1, "d"), "") // now it stands in its second language; b has yet to look there again
	h.is(h.repeat(0, "b"), "d")
	h.is(h.model.tickets[h.last["b"].ID].match.language, "de")

	h.is(h.join(0, want('b', []string{"en", "de"}, music)), "")
	h.is(h.join(1, want('f', de, film)), "")
	h.is(h.join(1, want('h', de, music)), "")
	h.wait(3 * second)
	h.is(h.join(2, want('d', []string{"fr", "de"}, film)), "f") // it looks there at once
	h.wait(second)
	h.is(h.repeat(0, "b"), "h")
}

func TestOverlapWithinTwoSeconds(t *testing.T) { engines(t, overlapWithinTwoSeconds) }

func overlapWithinTwoSeconds(t *testing.T, e engine) {
	h := newHall(t, e)
	for _, late := range []time.Duration{2 * second, 2*second + time.Microsecond} {
		one, two := want('b', en, music), want('d', en, both)
		one.Avoid, two.Avoid = []string{two.Device}, []string{one.Device}
		h.is(h.join(0, one), "")
		h.wait(late)
		h.is(h.join(1, two), "")
		h.is(h.join(2, want('a', en, both)), map[bool]string{true: "d", false: "b"}[late == 2*second])
		for _, who := range []string{"b", "d"} {
			if err := h.leave(h.last[who].ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLateDuplicates(t *testing.T) { engines(t, lateDuplicates) }

func lateDuplicates(t *testing.T, e engine) {
	h := newHall(t, e)
	h.join(0, want('a', en, music))
	if err := h.leave(h.last["a"].ID); err != nil {
		t.Fatal(err)
	}
	h.repeat(0, "a") // the model says closed

	c := want('c', en, music) // the browser leaves before its join arrives
	c.ID = matcher.NewID()
	if err := h.leave(c.ID); err != nil {
		t.Fatal(err)
	}
	h.join(0, c)

	h.join(0, want('e', en, music))
	h.is(h.join(1, want('b', en, music)), "e")
	p := h.pairs[0]
	for _, s := range []*search{p.sides[0], p.sides[1], p.sides[0], p.sides[1]} {
		if err := h.confirm(p, s); err != nil {
			t.Fatal(err)
		}
	}
	h.is(h.repeat(0, "e"), "b") // live: still the same match
	if err := h.abort(p, p.sides[1]); err != nil {
		t.Fatal(err)
	}
	if err := h.heard(); err != nil {
		t.Fatal(err)
	}
}

// TestTombstoneEnds is about lifetimes longer than a history of the model, so it asks the queue.
func TestTombstoneEnds(t *testing.T) {
	h := newHall(t, embedded(t))
	q, ticket := h.nodes[0], want('a', en, music)
	ticket.ID = matcher.NewID()
	if _, err := q.Leave(t.Context(), ticket.ID); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		pass time.Duration
		want matcher.Result
	}{{retention.Tombstone - second, matcher.Closed{}}, {2 * second, matcher.Waiting{}}} {
		if err := h.engine.pass(t.Context(), step.pass); err != nil {
			t.Fatal(err)
		}
		got, err := q.Join(t.Context(), ticket)
		if err != nil {
			t.Fatal(err)
		}
		if _, waits := got.(matcher.Waiting); waits != (step.want != matcher.Closed{}) {
			t.Errorf("after %v: %#v", step.pass, got)
		}
	}
}

func TestSearchExpires(t *testing.T) {
	h := newHall(t, embedded(t))
	old := want('a', en, music)
	old.ID = matcher.NewID()
	q := h.nodes[0]
	ask := func(ticket matcher.Ticket, pass time.Duration) matcher.Result {
		t.Helper()
		if err := h.engine.pass(t.Context(), pass); err != nil {
			t.Fatal(err)
		}
		got, err := q.Join(t.Context(), ticket) // beats, too
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	place, _ := ask(old, 0).(matcher.Waiting)
	old.Arrived = place.Arrived
	for range 5 {
		if got, waits := ask(old, 119*second).(matcher.Waiting); !waits || !got.Arrived.Equal(place.Arrived) {
			t.Fatalf("%+v", got)
		}
	}
	fresh := want('c', en, music)
	fresh.ID = matcher.NewID()
	if got, waits := ask(fresh, 5*second).(matcher.Waiting); !waits {
		t.Errorf("met somebody who waited for 10 minutes: %+v", got)
	}
	if got := ask(old, 0); got != (matcher.Closed{}) {
		t.Errorf("%+v", got)
	}
}

// standing returns who stands in a pool, and checks that its last entry is nobody.
func standing(t *testing.T, e engine, pool string) []string {
	t.Helper()
	entries, err := e.rdb.ZRange(t.Context(), pool, 0, -1).Result()
	if err != nil || len(entries) == 0 || strings.Count(strings.Join(entries, " "), "~") != 1 || entries[len(entries)-1][0] != '~' {
		t.Fatalf("%s: %v %v", pool, entries, err)
	}
	who := make([]string, len(entries)-1)
	for i := range who {
		who[i] = entries[i][16:]
	}
	return who
}

// TestQuietPoolLives: who comes to a pool that nobody used for long, and that is about to expire,
// stands in it until the end.
func TestQuietPoolLives(t *testing.T) {
	h := newHall(t, embedded(t))
	q, pool := h.nodes[0], retention.Pool.Key("en", "music", "0")
	for spent := time.Duration(0); spent < 3*retention.Pool.TTL(); spent += retention.Pool.TTL() - second {
		ticket := want('a', en, music)
		ticket.ID = matcher.NewID()
		if _, err := q.Join(t.Context(), ticket); err != nil {
			t.Fatal(err)
		}
		if left := h.engine.rdb.PTTL(t.Context(), pool).Val(); left < retention.LongestWait {
			t.Errorf("after %v the pool lives for %v, less than who stands in it", spent, left)
		}
		if got := standing(t, h.engine, pool); !slices.Equal(got, []string{ticket.ID}) {
			t.Errorf("after %v: %v", spent, got)
		}
		if _, err := q.Leave(t.Context(), ticket.ID); err != nil {
			t.Fatal(err)
		}
		if err := h.engine.pass(t.Context(), retention.Pool.TTL()-second); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBusyPoolLives: nobody waits long enough to repeat a join, and still no pool expires.
func TestBusyPoolLives(t *testing.T) {
	h := newHall(t, embedded(t))
	q, pool := h.nodes[0], retention.Pool.Key("en", "music", "0")
	before := ""
	for spent := time.Duration(0); spent < retention.Pool.TTL()+time.Minute; spent += second {
		ticket := want('a', en, music)
		ticket.ID = matcher.NewID()
		if _, err := q.Join(t.Context(), ticket); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Leave(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		if err := h.engine.pass(t.Context(), second); err != nil {
			t.Fatal(err)
		}
		if got := standing(t, h.engine, pool); !slices.Equal(got, []string{ticket.ID}) {
			t.Fatalf("after %v: %v", spent, got)
		}
		before = ticket.ID
	}
	if err := h.audit(); err != nil {
		t.Error(err)
	}
}

// TestListOutlivesPools: the list of the pools in which people of a band wait lives as long as any
// of them, so that whoever waits in one is found at any time.
func TestListOutlivesPools(t *testing.T) {
	h := newHall(t, embedded(t))
	q, pool, list := h.nodes[0], retention.Pool.Key("en", "music", "1"), retention.Occupied.Key("1")
	watched := want('a', en, music)
	watched.ID, watched.Band, watched.Meets = matcher.NewID(), 1, []int{1}
	for spent := time.Duration(0); spent < retention.LongestWait-3*time.Minute; spent += 2 * time.Minute {
		if _, err := q.Join(t.Context(), watched); err != nil {
			t.Fatal(err)
		}
		of := h.engine.rdb.PTTL(t.Context(), pool).Val()
		if left := h.engine.rdb.PTTL(t.Context(), list).Val(); left < of {
			t.Errorf("after %v the list lives for %v, the pool for %v", spent, left, of)
		}
		if err := h.engine.pass(t.Context(), 2*time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	watched.ID, watched.Meets = matcher.NewID(), []int{1, 0} // of the same device, so they do not meet
	if _, err := q.Join(t.Context(), watched); err != nil {
		t.Fatal(err)
	}
	ordinary := want('b', en, music)
	ordinary.ID, ordinary.Meets = matcher.NewID(), []int{0, 1}
	result, err := q.Join(t.Context(), ordinary)
	if offered, is := result.(matcher.Offered); err != nil || !is || offered.Offer.PeerTicket != watched.ID {
		t.Errorf("%+v %v, want an offer with whoever waits in the other band", result, err)
	}
	if faults := h.audit(); faults != nil {
		t.Error(faults)
	}
}

// TestNodeComesBack is a node that was only slow: its people were dropped and keep their places.
func TestNodeComesBack(t *testing.T) { engines(t, nodeComesBack) }

func nodeComesBack(t *testing.T, e engine) {
	h := newHall(t, e)
	h.join(1, want('a', en, music))
	ticket := h.last["a"]
	ticket.Arrived = h.model.now
	h.nodes[1].silent = true
	h.wait(5 * second)
	h.is(h.join(0, want('c', en, film)), "")
	h.is(h.join(0, want('e', en, music)), "") // drops the dead
	got, err := h.nodes[1].Join(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	offer, met := got.(matcher.Offered)
	if !met || offer.Offer.PeerTicket != h.last["e"].ID || !offer.Offer.First {
		t.Errorf("%+v", got)
	}
}

func TestDeadDoNotBlock(t *testing.T) { engines(t, deadDoNotBlock) }

func deadDoNotBlock(t *testing.T, e engine) {
	h := newHall(t, e)
	for i := range 100 {
		dead := want('a', en, []string{[]string{"music", "film"}[i%2]})
		dead.Avoid = []string{dead.Device}
		h.join(1, dead)
	}
	h.nodes[1].silent = true
	h.wait(4 * second)
	h.is(h.join(0, want('b', en, music)), "")
	h.is(h.join(0, want('d', en, music)), "b")
	if got := standing(t, h.engine, retention.Pool.Key("en", "music", "0")); len(got) != 0 {
		t.Errorf("%d dead left in the pool", len(got))
	}
}

func TestSweep(t *testing.T) { engines(t, sweepsTheDead) }

func sweepsTheDead(t *testing.T, e engine) {
	h := newHall(t, e)
	for range 300 {
		h.join(1, want('a', en, music))
	}
	h.join(0, want('a', en, music))
	h.nodes[1].silent = true
	h.wait(4 * second)
	for range 4 {
		if err := h.nodes[0].Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	left := standing(t, h.engine, retention.Pool.Key("en", "music", "0"))
	if !slices.Equal(left, []string{h.last["a"].ID}) {
		t.Errorf("%d left in the pool", len(left))
	}
}

// TestDeadline: an offer's deadline is by the clock of the node, whatever Redis believes.
func TestDeadline(t *testing.T) { engines(t, deadline) }

func deadline(t *testing.T, e engine) {
	h := newHall(t, e)
	h.join(0, want('a', en, music))
	c := want('c', en, music)
	c.ID = matcher.NewID()
	got, err := h.nodes[0].Join(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	theirs := (<-h.nodes[0].Events()).(matcher.OfferMade) // at once: on the same node
	for _, offer := range []matcher.Offer{got.(matcher.Offered).Offer, theirs.Offer} {
		if left := time.Until(offer.Deadline); left > 4*second || left < second {
			t.Errorf("%v left", left)
		}
	}
}
