package matcher_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/matcher"
	"parley/retention"
)

// engine is a Redis whose clock a test sets.
type engine struct {
	name  string
	rdb   redis.UniversalClient
	edit  func(string) string // what scripts need to see that clock
	reset func(context.Context) error
	pass  func(context.Context, time.Duration) error
}

// dawn is when each history begins.
var dawn = time.Date(2030, 1, 2, 3, 4, 5, 678_901_000, time.UTC)

// engines runs a test on the embedded server and on redis-server.
func engines(t *testing.T, test func(*testing.T, engine)) {
	t.Run("embedded", func(t *testing.T) { test(t, embedded(t)) })
	t.Run("redis-server", func(t *testing.T) { test(t, realServer(t)) })
}

// slow is how long a command may take here: these tests look at what is decided, on whatever machine.
const slow = time.Minute

func embedded(t *testing.T) engine {
	rdb := vtest.NewRedis(t)
	return engine{
		name: "embedded", rdb: rdb.WithTimeout(slow),
		edit: func(source string) string { return source },
		reset: func(ctx context.Context) error {
			now := rdb.Time(ctx).Val()
			rdb.Advance(dawn.Sub(now)) //nolint:contextcheck // it only moves a clock
			return rdb.FlushAll(ctx).Err()
		},
		pass: func(_ context.Context, d time.Duration) error {
			rdb.Advance(d) //nolint:contextcheck // it only moves a clock
			return nil
		},
	}
}

func realServer(t *testing.T) engine {
	opts := vtest.StartRedis(t)
	opts.ReadTimeout = slow
	rdb := redis.NewClient(opts)
	t.Cleanup(func() { rdb.Close() })
	return setClock("redis-server", rdb)
}

// world runs one history on an engine and on the model, and compares each answer.
type world struct {
	ctx     context.Context //nolint:containedctx // a history lives in one test
	engine  engine
	broken  mutant
	model   *model
	nodes   []*node
	tickets []string
	pairs   []*pairing
	spent   time.Duration
}

type node struct {
	*matcher.Queue
	silent bool
	expect []string // events that must come
}

const longestHistory = retention.Tombstone - 5*time.Second

func newWorld(ctx context.Context, e engine, nodes int, broken mutant) (*world, error) {
	w := &world{ctx: ctx, engine: e, broken: broken, model: &model{
		now: dawn, offer: 4 * second, leases: map[string]time.Time{}, tickets: map[string]*search{},
	}}
	if err := e.reset(ctx); err != nil {
		return nil, err
	}
	for i := range nodes {
		q := matcher.Edited(e.rdb, matcher.Config{Node: named(fmt.Sprint("node-", i)), Timeout: slow},
			func(source string) string { return e.edit(broken.edit(source)) }, widens)
		w.nodes = append(w.nodes, &node{Queue: q})
	}
	return w, w.beat()
}

// named returns a name of the length that names of nodes have.
func named(short string) string { return (short + strings.Repeat("-", 22))[:22] }

// widens is the delay of a ticket in these tests: it differs from device to device.
func widens(t matcher.Ticket) time.Duration {
	return []time.Duration{2 * second, 6 * second}[t.Device[0]%2]
}

func (w *world) beat() error {
	for _, n := range w.nodes {
		if n.silent {
			continue
		}
		if err := n.Beat(w.ctx); err != nil {
			return err
		}
		w.model.leases[n.Node()] = w.model.now.Add(lease)
	}
	return nil
}

// pass lets time go by; living nodes beat at its end.
func (w *world) pass(d time.Duration) error {
	if w.spent+d > longestHistory {
		return nil
	}
	w.spent += d
	w.model.now = w.model.now.Add(d)
	if err := w.engine.pass(w.ctx, d); err != nil {
		return err
	}
	return w.beat()
}

func (w *world) node(name string) *node {
	return w.nodes[slices.IndexFunc(w.nodes, func(n *node) bool { return n.Node() == name })]
}

// differ returns an error that shows what was got and what the model says.
func differ(what string, got, want any) error {
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%s (-model +answer):\n%s", what, diff)
	}
	return nil
}

// join joins on both sides and compares. New tickets are remembered.
func (w *world) join(n *node, t matcher.Ticket) error {
	got, err := n.Join(w.ctx, w.asked(t))
	if err != nil {
		return err
	}
	return w.joined(n, t, got)
}

// joinTogether joins several in one call: the same as one after the other.
func (w *world) joinTogether(n *node, tickets []matcher.Ticket) error {
	asked := make([]matcher.Ticket, len(tickets))
	for i, t := range tickets {
		asked[i] = w.asked(t)
	}
	got, err := n.JoinTogether(w.ctx, asked)
	if err != nil {
		return err
	}
	for i, t := range tickets {
		if err := w.joined(n, t, got[i]); err != nil {
			return err
		}
	}
	return nil
}

// asked is what a broken world asks of the scripts.
func (w *world) asked(t matcher.Ticket) matcher.Ticket {
	if w.broken.twist != nil {
		w.broken.twist(&t)
	}
	return t
}

// joined lets the model join, and compares.
func (w *world) joined(n *node, t matcher.Ticket, got matcher.Result) error {
	if _, again := w.model.tickets[t.ID]; !again {
		w.tickets = append(w.tickets, t.ID)
	}
	s := w.model.join(t, n.Node(), widens(t))
	offer, is := got.(matcher.Offered)
	switch {
	case !is || s.match == nil:
	case s.match.id == "":
		s.match.id = offer.Offer.Match
		w.pairs = append(w.pairs, s.match)
		other := s.match.other(s)
		w.expect(other, "offer", "")
		if err := errors.Join(w.stands(s), w.stands(other)); err != nil {
			return err
		}
	default:
		w.remind(s, "offer", "")
	}
	return w.compare(s, got)
}

// remind expects what the other side is told again, if it is of the same node: the answer that told
// it may have been lost.
func (w *world) remind(s *search, kind string, why matcher.Why) {
	if other := s.match.other(s); other.node == s.node {
		w.expect(other, kind, why)
	}
}

func (w *world) expect(s *search, kind string, why matcher.Why) {
	n := w.node(s.node)
	n.expect = append(n.expect, fmt.Sprint(kind, " ", s.match.id, " ", s.ID, " ", why))
}

func (p *pairing) other(s *search) *search {
	if p.sides[0] == s {
		return p.sides[1]
	}
	return p.sides[0]
}

// compare checks an answer of Join.
func (w *world) compare(s *search, got matcher.Result) error {
	switch got := got.(type) {
	case matcher.Waiting:
		if s.state != waits {
			return fmt.Errorf("ticket %s waits, the model says %v", s.ID, s.state)
		}
		return differ("waiting", got, matcher.Waiting{
			Arrived: s.arrived.Local(), Waited: w.model.now.Sub(s.arrived), Widens: s.widens, Steps: matcher.Steps(s.Ticket, s.widens),
		})
	case matcher.Offered:
		if s.state != offered {
			return fmt.Errorf("ticket %s is offered %v, the model says %v", s.ID, got.Offer.PeerTicket, s.state)
		}
		got.Offer.Deadline = time.Time{} // by the node's clock; compared in TestDeadline
		return errors.Join(differ("offer", got.Offer, s.offer()), w.safe(s, got.Offer))
	case matcher.Closed:
		if s.state != closed {
			return fmt.Errorf("ticket %s is closed, the model says %v", s.ID, s.state)
		}
	}
	return nil
}

// offer is what the model offers to a search.
func (s *search) offer() matcher.Offer {
	p, peer := s.match, s.match.other(s)
	return matcher.Offer{
		Match: p.id, Ticket: s.ID, PeerTicket: peer.ID, PeerNode: peer.node,
		Language: p.language, Shared: p.shared, First: p.sides[0] == s,
	}
}

// safe checks the invariants on an offer without trusting the model's choice.
func (w *world) safe(s *search, o matcher.Offer) error {
	peer := w.model.tickets[o.PeerTicket]
	switch {
	case peer == nil || peer == s || peer.Device == s.Device:
		return errors.New("somebody met themself")
	case slices.Contains(s.Avoid, peer.Device) || slices.Contains(peer.Avoid, s.Device):
		return errors.New("somebody met whom they avoid")
	case !slices.Contains(s.Meets, peer.Band) || !slices.Contains(peer.Meets, s.Band):
		return errors.New("two met whose bands may not")
	case !slices.Contains(s.Languages, o.Language) || !slices.Contains(peer.Languages, o.Language):
		return errors.New("two met in a language that one did not choose")
	}
	for _, p := range w.pairs {
		if p.id != o.Match && (slices.Contains(p.sides[:], s) || slices.Contains(p.sides[:], peer)) {
			return errors.New("somebody is in two matches")
		}
	}
	return nil
}

func (w *world) leave(id string) error {
	left, err := w.nodes[0].Leave(w.ctx, id)
	if err != nil {
		return err
	}
	want := matcher.Left{State: matcher.Unknown}
	if was, known := w.model.leave(id); known {
		want.State = matcher.LeftQueue
		if was == offered {
			want = matcher.Left{State: matcher.Claimed, Match: w.model.tickets[id].match.id}
		}
	}
	return differ("leave", left, want)
}

func (w *world) confirm(p *pairing, s *search) error {
	got, err := w.node(s.node).Confirm(w.ctx, p.id, s.ID)
	if err != nil {
		return err
	}
	wasLive := p.live
	want, orphaned := w.model.confirm(p, s)
	if orphaned {
		w.expect(p.other(s), "abort", matcher.WhyPeer)
	}
	switch {
	case !p.live || !slices.Contains(p.sides[:], s):
	case wasLive:
		w.remind(s, "live", "")
	default:
		w.expect(p.other(s), "live", "")
	}
	return differ("confirm", got, want)
}

func (w *world) abort(p *pairing, s *search) error {
	got, err := w.node(s.node).Abort(w.ctx, p.id, s.ID)
	if err != nil {
		return err
	}
	wasOff := p.off
	want, why := w.model.abort(p, s)
	switch {
	case want != matcher.Aborted:
	case wasOff:
		w.remind(s, "abort", why)
	default:
		w.expect(p.other(s), "abort", why)
	}
	return differ("abort", got, want)
}

// heard checks that each node was told what it must be told, and nothing else.
func (w *world) heard() error {
	for _, n := range w.nodes {
		if err := n.Collect(w.ctx); err != nil {
			return err
		}
		var got []string
		for len(n.Events()) > 0 {
			switch e := (<-n.Events()).(type) {
			case matcher.OfferMade:
				s := w.model.tickets[e.Offer.Ticket]
				e.Offer.Deadline = time.Time{}
				if err := differ("offer made", e.Offer, s.offer()); err != nil {
					return err
				}
				got = append(got, fmt.Sprint("offer ", e.Offer.Match, " ", e.Offer.Ticket, " "))
			case matcher.WentLive:
				got = append(got, fmt.Sprint("live ", e.Match, " ", e.Ticket, " "))
			case matcher.WasAborted:
				got = append(got, fmt.Sprint("abort ", e.Match, " ", e.Ticket, " ", e.Why))
			}
		}
		if err := differ("events of "+n.Node(), got, n.expect); err != nil {
			return err
		}
		n.expect = nil
	}
	return nil
}

// pools checks where everybody stands.
func (w *world) pools() error {
	for _, s := range w.model.tickets {
		if err := w.stands(s); err != nil {
			return err
		}
	}
	return nil
}

// stands checks that who waits on a living node stands in each of their pools at the right place,
// and that who does not wait stands nowhere.
func (w *world) stands(s *search) error {
	for _, p := range s.places() {
		key := retention.Pool.Key(p.language, p.interest, strconv.Itoa(s.Band))
		entries, err := w.engine.rdb.ZRange(w.ctx, key, 0, -1).Result()
		if err != nil {
			return err
		}
		entries = slices.DeleteFunc(entries, func(e string) bool { return !strings.HasSuffix(e, s.ID) })
		want := ""
		if s.state == waits && (s.wide || !p.other) {
			want = strconv.FormatInt(p.since.UnixMicro(), 10) + s.ID
		}
		if len(entries) == 0 && w.model.over(s) {
			continue // it was dropped when met
		}
		if err := differ("entries of "+s.ID+" in "+key, strings.Join(entries, " "), want); err != nil {
			return err
		}
	}
	return nil
}

// audit checks all keys against the catalogue, at the end of a history.
func (w *world) audit() error {
	if err := w.engine.rdb.Del(w.ctx, "parley:{m}:clock").Err(); err != nil {
		return err
	}
	faults, err := retention.Audit(w.ctx, w.engine.rdb)
	if err != nil {
		return err
	}
	return differ("faults", faults, []retention.Fault(nil))
}
