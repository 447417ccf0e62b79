package matcher_test

import (
	"regexp"
	"strconv"
	"testing"

	"parley/matcher"
)

// in returns a ticket of a band that may meet others.
func in(band int, t matcher.Ticket, meets ...int) matcher.Ticket {
	t.ID, t.Band, t.Meets = matcher.NewID(), band, meets
	return t
}

// TestBandsBesideTheCrowd: people of two bands meet of which neither is that of nearly everybody.
func TestBandsBesideTheCrowd(t *testing.T) { engines(t, bandsBesideTheCrowd) }

func bandsBesideTheCrowd(t *testing.T, e engine) {
	h := newHall(t, e)
	h.is(h.join(0, in(2, want('a', en, music), 2, 1)), "")
	h.is(h.join(0, in(0, want('b', en, music), 0, 1)), "")
	h.is(h.join(0, in(1, want('c', en, film), 1, 2)), "")
	h.is(h.join(0, in(1, want('d', en, music), 1, 2)), "a")
}

// TestLongList: who looks into a band whose list of pools is longer than what is asked for finds
// whoever stands there, alone and together with others.
func TestLongList(t *testing.T) { engines(t, longList) }

func longList(t *testing.T, e engine) {
	h := newHall(t, e)
	h.manyWatched()
	h.is(h.join(0, in(0, want('h', en, both), 0, 1)), "")
	h.is(h.join(0, in(0, want('i', []string{"nl"}, film), 0, 1)), "e")
	if err := h.joinTogether(h.nodes[0], []matcher.Ticket{
		in(0, want('j', []string{"it"}, both), 0, 1),
		in(0, want('k', []string{"ru"}, both), 0, 1),
	}); err != nil {
		t.Fatal(err)
	}
	h.is(h.repeat(0, "h"), "")
	if n := len(h.pairs); n != 3 {
		t.Errorf("%d pairs, want 3", n)
	}
}

// manyWatched lets 7 people wait in 21 pools of band 1.
func (h *hall) manyWatched() {
	for i, language := range []string{"de", "es", "fr", "it", "nl", "pt", "ru"} {
		h.is(h.join(0, in(1, want(byte('a'+i), []string{language}, both), 1, 0)), "")
	}
}

// TestListIsReadOnce: those who join in one call share one reading of the list of another band, and
// what they change of it they know.
func TestListIsReadOnce(t *testing.T) {
	h := newHall(t, realServer(t))
	h.is(h.join(0, in(1, want('a', de, film), 1, 0)), "")
	h.calls(map[string]int{"scard": 1, "smembers": 1, "smismember": 0, "sadd": 1, "srem": 2}, func() error {
		return h.joinTogether(h.nodes[0], []matcher.Ticket{
			in(0, want('b', en, film), 0, 1), // reads it
			in(1, want('c', en, music), 1, 0),
			in(0, want('d', en, music), 0, 1), // finds c
			in(0, want('e', en, music), 0, 1), // finds nobody in either pool of c, and takes them off
			in(0, want('e', en, music), 0, 1), // need not look there
		})
	})
	if n := len(h.pairs); n != 1 {
		t.Errorf("%d pairs, want 1", n)
	}
}

// TestLongListIsNotRead: a list that is longer than what is asked for is not read, but asked.
func TestLongListIsNotRead(t *testing.T) {
	h := newHall(t, realServer(t))
	h.manyWatched()
	h.calls(map[string]int{"scard": 1, "smembers": 0, "smismember": 1}, func() error {
		return h.world.join(h.nodes[0], in(0, want('h', en, both), 0, 1))
	})
	h.calls(map[string]int{"scard": 1, "smembers": 0, "smismember": 2}, func() error {
		return h.joinTogether(h.nodes[0], []matcher.Ticket{
			in(0, want('h', en, both), 0, 1), in(0, want('h', en, both), 0, 1),
		})
	})
}

// calls wants that so many of some commands are called by what is done.
func (h *hall) calls(want map[string]int, do func() error) {
	h.Helper()
	before := h.called()
	if err := do(); err != nil {
		h.Fatal(err)
	}
	after := h.called()
	for command, n := range want {
		if got := after[command] - before[command]; got != n {
			h.Errorf("%s was called %d times, want %d", command, got, n)
		}
	}
}

// called returns how often each command was called.
func (h *hall) called() map[string]int {
	h.Helper()
	stats, err := h.engine.rdb.Info(h.ctx, "commandstats").Result()
	if err != nil {
		h.Fatal(err)
	}
	all := map[string]int{}
	for _, one := range regexp.MustCompile(`cmdstat_(\w+):calls=(\d+)`).FindAllStringSubmatch(stats, -1) {
		if all[one[1]], err = strconv.Atoi(one[2]); err != nil {
			h.Fatal(err)
		}
	}
	return all
}
