package simulate

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/history"
)

// Times of a run.
const (
	tellEvery = 5 * time.Second
	windUp    = 20 * time.Second // for the last people to go
)

// crowd is everybody.
type crowd struct {
	cfg    Config
	run    string
	door   *door
	began  time.Time
	shards []*shard
	record *history.Recorder // nil: none is kept
	rnd    *rand.Rand        // of the arrivals
	studio *studio           // nil when no call has sound
	bench  chan struct{}     // has room for who works for a search at the same time

	present, calls, looks atomic.Int64
	most, arrived, putOff int64      // of the loop of arrivals, as is the next
	devices               []int      // of everybody who came
	mu                    sync.Mutex // guards the following field
	complaint             error      // the first frame that was not understood
}

// now is the time since the run began, never 0.
func (c *crowd) now() time.Duration { return time.Since(c.began) + 1 }

func (c *crowd) note(e history.Event) {
	if c.record != nil {
		c.record.Write(e)
	}
}

func (c *crowd) complain(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.complaint == nil {
		c.complaint = err
	}
}

func status(code int) string { return strconv.Itoa(code) }

// source makes a generator from the seed of the run and a number.
func source(seed uint64, n int) *rand.Rand {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(n)) //nolint:gosec // not negative
	return rand.New(rand.NewChaCha8(key))             //nolint:gosec // simulated people have no secrets
}

// people lets people arrive until the time is over or ctx ends: an open loop, whose intended times
// do not depend on how fast the server answers.
func (c *crowd) people(ctx context.Context, progress io.Writer) {
	tell := time.NewTicker(tellEvery)
	defer tell.Stop()
	end := time.NewTimer(c.cfg.For)
	defer end.Stop()
	next := func(at time.Duration) time.Duration { return NextArrival(c.rnd, at, c.cfg.Rate, c.cfg.Ramp) }
	at := next(0)
	arrival := time.NewTimer(at)
	defer arrival.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-tell.C:
			fmt.Fprintln(progress, c.line())
		case <-arrival.C:
			for now := c.now(); at <= now; at = next(at) {
				c.admit(at)
			}
			arrival.Reset(at - c.now())
		}
	}
}

// NextArrival is when the one after at arrives: a Poisson process of so many a second, slower while
// the ramp lasts.
func NextArrival(rnd *rand.Rand, at time.Duration, rate float64, ramp time.Duration) time.Duration {
	if at < ramp {
		rate *= max(0.05, float64(at)/float64(ramp))
	}
	return at + max(1, time.Duration(rnd.ExpFloat64()/rate*float64(time.Second)))
}

// admit lets somebody in who was to arrive at, or nobody when the house is full.
func (c *crowd) admit(at time.Duration) {
	if c.present.Load() >= int64(c.cfg.People) {
		c.putOff++
		return
	}
	c.most = max(c.most, c.present.Add(1))
	n := int(c.arrived)
	c.arrived++
	device := n
	if n > 0 && chance(c.rnd, c.cfg.Twins) {
		device = c.devices[c.rnd.IntN(n)]
	}
	c.devices = append(c.devices, device)
	p := NewPerson(c.run, "d"+strconv.Itoa(device), &c.cfg.Behaviour, source(c.cfg.Seed, n+1))
	c.tell("device", p.link.device.token)
	c.tell("digest", p.link.device.digest)
	c.tell("address", c.door.address(n))
	c.tell("browser", c.door.agent(n))
	w := &walker{Person: p, name: "p" + strconv.Itoa(n), number: n, index: -1}
	c.shards[n%len(c.shards)].post(letter{to: w, at: max(at, 1), what: Arrive{}})
}

// tell passes on what nobody must find.
func (c *crowd) tell(kind, text string) {
	if c.cfg.Secret != nil && text != "" {
		c.cfg.Secret(kind, text)
	}
}

// tellFrame passes on what a server told somebody in confidence.
func (c *crowd) tellFrame(f frame) {
	var relays ice
	switch f := f.(type) {
	case welcome:
		c.tell("session", f.Token)
		c.tell("age ticket", f.Age)
	case queued:
		c.tell("place", f.Place)
	case connected:
		c.tell("handle", f.Handle)
		c.tell("avoid token", f.Avoid)
		c.tell("pass", f.Pass)
		relays = f.Ice
	case avoided:
		c.tell("avoid token", f.Avoid)
	}
	for _, s := range relays.Servers {
		c.tell("relay user", s.Username)
		c.tell("relay credential", s.Credential)
	}
}

// windUp lets everybody leave and waits for it.
func (c *crowd) windUp(ctx context.Context) {
	for _, s := range c.shards {
		s.post(letter{what: Stop{}})
	}
	end := time.NewTimer(windUp)
	defer end.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for c.present.Load() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-look.C:
		}
	}
}

// sum adds up what was measured so far.
func (c *crowd) sum() *tally {
	sum := newTally()
	for _, s := range c.shards {
		s.tally.addTo(sum)
	}
	return sum
}

// line says how the run goes.
func (c *crowd) line() string {
	t := c.sum()
	return fmt.Sprintf("%4.0fs  %d people (%d talk, %d search), %d arrived  calls %d  envelopes %d, p99 %s  wait p50 %s p99 %s  errors %d  lost %d",
		c.now().Seconds(), c.present.Load(), c.calls.Load(), c.looks.Load(), c.arrived, t.counts["calls"]/2,
		t.counts["envelopes received"], t.at(Envelope, 99), t.at(Match, 50), t.at(Match, 99), t.errors(), t.lost())
}
