package link_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/vtest"
)

// TestLinkThousandCuts: three links on a real server under traffic, and a thousand injuries at
// random moments. Every sequence is complete, or there is a reset where something is missing, and
// its sender was told too. PARLEY_SEED replays the injuries, PARLEY_CUTS sets their number.
func TestLinkThousandCuts(t *testing.T) {
	seed, cuts := number(t, "PARLEY_SEED", time.Now().UnixNano()), number(t, "PARLEY_CUTS", 1000)
	t.Logf("PARLEY_SEED=%d", seed)
	s := newStorm(t, rand.New(rand.NewPCG(uint64(seed), 1)))
	defer s.end()
	s.await("all links are up", func(i, _ int) bool { return s.nodes[i].Up() })

	start := time.Now()
	for range cuts {
		s.injure()
		<-time.After(time.Duration(s.random.IntN(24_000)) * time.Microsecond)
	}
	s.heal()
	took := time.Since(start)
	s.await("a message goes from each to each", func(i, k int) bool { return i == k || s.send(i, k) })
	s.quiet.Store(true)
	s.await("the last message of each arrives", func(i, k int) bool { return i == k || s.arrived(i, k) })

	var all, lost, resets, gaps, rebuilds, failures, resends int64
	for i := range s.nodes {
		for k := range s.nodes {
			if i != k {
				n, missing := s.judge(i, k)
				all, lost = all+n, lost+missing
			}
		}
		c := s.nodes[i].Counts()
		resets, gaps, rebuilds, failures, resends = resets+c.Resets, gaps+c.Gaps, rebuilds+c.Rebuilds, failures+c.Failures, resends+c.Resends
	}
	t.Logf("%d injuries %v in %v: %d messages, %d lost and told of, %d resets; %d gaps, %d resends, %d subscriptions made anew, %d failed calls",
		cuts, s.kinds, took.Round(time.Millisecond), all, lost, resets, gaps, resends, rebuilds, failures)
	if cuts >= 500 && (all < 1000 || rebuilds < 50 || failures < 50 || resends < 50) {
		t.Error("the storm was too weak to prove anything")
	}
}

// number reads a number from the environment.
func number(t *testing.T, variable string, otherwise int64) int64 {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(variable, err)
	}
	return n
}

// storm is three links that all send to each other.
type storm struct {
	t      *testing.T
	random *rand.Rand // of the injuries
	kinds  map[string]int
	nodes  [3]*node
	lines  [3]lines
	stops  []func()
	quiet  atomic.Bool
	done   chan struct{}
	talk   sync.WaitGroup

	mu   sync.Mutex
	sent [3][3][]int // for each message: how many resets its sender knew of before it
}

func newStorm(t *testing.T, random *rand.Rand) *storm {
	s := &storm{t: t, random: random, kinds: map[string]int{}, done: make(chan struct{})}
	server := vtest.StartRedis(t)
	for i := range s.nodes {
		s.lines[i] = newLines(t, server)
		var stop func()
		s.nodes[i], stop = s.lines[i].start(t, name(byte('a'+i)), func(string) *node { return s.nodes[0] })
		s.stops = append(s.stops, stop)
	}
	for i := range s.nodes {
		s.talk.Go(func() { s.chatter(i) })
	}
	return s
}

func (s *storm) end() {
	close(s.done)
	s.talk.Wait()
	for _, stop := range s.stops {
		stop()
	}
}

// chatter sends a few messages every millisecond.
func (s *storm) chatter(i int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-s.done:
			return
		}
		for k := range s.nodes {
			for range n % 3 {
				if k != i && !s.quiet.Load() {
					s.send(i, k)
				}
			}
		}
	}
}

// send sends the next message from i to k.
func (s *storm) send(i, k int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	told := s.told(i, k)
	next := len(s.sent[i][k]) + 1
	body := append(numbered(uint64(next)), make([]byte, next%900)...)
	if !s.nodes[i].Send(s.nodes[k].name, "", body) {
		return false
	}
	s.sent[i][k] = append(s.sent[i][k], told)
	return true
}

// told is how often node i was told of a loss between it and k.
func (s *storm) told(i, k int) int {
	n := s.nodes[i]
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.resets[s.nodes[k].name]
}

// injure does one thing to one line.
func (s *storm) injure() {
	i := s.random.IntN(len(s.nodes))
	f, commands := s.lines[i].sub, []string{"push"}
	if s.random.IntN(2) == 0 {
		f, commands = s.lines[i].pub, []string{"publish"}
	}
	var kind string
	switch n := s.random.IntN(100); {
	case n < 70:
		kind = "cut"
		f.Cut()
	case n < 80:
		kind = "reply dropped"
		f.DropReplies(1, vtest.CloseAfter, commands...)
	case n < 88:
		kind = "reply torn"
		f.DropReplies(1, vtest.TearAfter, commands...)
	case n < 93:
		kind = "hole"
		f.Hole(vtest.Way(1 + s.random.IntN(3)))
		<-time.After(time.Duration(s.random.IntN(50)) * time.Millisecond)
		f.Heal()
	case n < 99:
		kind = "delay"
		f.Delay(time.Duration(s.random.IntN(5_000)) * time.Microsecond)
	default:
		kind = "forgotten"
		k := (i + 1 + s.random.IntN(2)) % 3
		s.forget(i, k)
	}
	s.kinds[kind]++
}

// forget makes i forget k, which counts as being told.
func (s *storm) forget(i, k int) {
	s.mu.Lock() // no send of i in between
	defer s.mu.Unlock()
	n, other := s.nodes[i], s.nodes[k].name
	n.mu.Lock()
	n.resets[other]++
	n.heard[other] = append(n.heard[other], 0)
	n.mu.Unlock()
	n.Forget(other)
}

func (s *storm) heal() {
	for _, l := range s.lines {
		l.both((*vtest.Fault).Heal)
	}
}

// await waits until something holds for each pair.
func (s *storm) await(what string, holds func(i, k int) bool) {
	s.t.Helper()
	late := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for i := range s.nodes {
		for k := range s.nodes {
			for !holds(i, k) {
				select {
				case <-tick.C:
				case <-late:
					s.t.Fatalf("not within 20 s: %s, from %d to %d; %+v", what, i, k, s.nodes[i].Counts())
				}
			}
		}
	}
}

// arrived tells whether the last message from i to k is there. If it was given up, another is sent.
func (s *storm) arrived(i, k int) bool {
	s.mu.Lock()
	last := len(s.sent[i][k])
	lost := s.sent[i][k][last-1] != s.told(i, k)
	s.mu.Unlock()
	n := s.nodes[k]
	n.mu.Lock()
	got := n.heard[s.nodes[i].name]
	there := len(got) > 0 && got[len(got)-1] == uint64(last)
	n.mu.Unlock()
	if !there && lost {
		s.send(i, k)
	}
	return there
}

// judge holds the messages from i to k to the promise.
func (s *storm) judge(i, k int) (all, lost int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent, told := s.sent[i][k], s.told(i, k)
	n := s.nodes[k]
	n.mu.Lock()
	defer n.mu.Unlock()
	last, reset := uint64(0), false
	for _, m := range n.heard[s.nodes[i].name] {
		switch {
		case m == 0:
			reset = true
			continue
		case m <= last:
			s.t.Errorf("%d to %d: message %d after %d", i, k, m, last)
		case m > last+1 && !reset:
			s.t.Errorf("%d to %d: message %d after %d without a reset", i, k, m, last)
		}
		for missing := last + 1; missing < m; missing++ {
			lost++
			if sent[missing-1] == told {
				s.t.Errorf("%d to %d: message %d is lost and the sender was not told", i, k, missing)
			}
		}
		last, reset = m, false
	}
	if last != uint64(len(sent)) {
		s.t.Errorf("%d to %d: %d sent, the last that arrived is %d", i, k, len(sent), last)
	}
	return int64(len(sent)), lost
}
