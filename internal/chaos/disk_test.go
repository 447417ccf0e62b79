package chaos_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/internal/simulate"
	"parley/internal/vtest"
	"parley/retention"
)

// fsync is what may be missing on the disk when a machine dies: `appendfsync everysec`.
const fsync = time.Second

// restart is one time at which Redis died with its machine, by the clock of the visit: all that it
// had answered between the two is lost.
type restart struct{ kept, died time.Duration }

// TestRestartFromDisk kills Redis four times, and lets it come back with its append-only file as
// it was up to a second before. What it forgets are matches too, of which people were told: nobody
// is in two calls, calls go on, and a report that was stored before that second is there, once.
func TestRestartFromDisk(t *testing.T) {
	length(t)
	t.Parallel()
	h := newHouse(t)
	h.redis = vtest.StartServer(t, "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0")
	h.furnish(t, func(*node) string { return h.redis.URL() })
	h.parts = true // mail waits while Redis is away
	like := restless()
	like.Talk, like.Drop, like.Vanish, like.Ignore, like.Report = 3*time.Second, 0, 0, 0, 0.5
	people := &crowd{cfg: simulate.Config{Rate: 8, People: 60, For: 40 * time.Second, Ramp: time.Second, Behaviour: like}}
	var restarts []restart
	h.visit(t, people, func(context.CancelFunc) {
		began := time.Now()
		for range 4 {
			h.pause(t.Context(), h.between(4*time.Second, 6*time.Second))
			r := restart{kept: time.Since(began)}
			written := h.redis.Written()
			h.pause(t.Context(), h.between(fsync/4, fsync))
			h.redis.Kill()
			r.died = time.Since(began)
			h.redis.Shorten(written)
			h.pause(t.Context(), h.between(0, 2*time.Second))
			h.redis.Again()
			h.counts["redis killed, back from its disk"]++
			restarts = append(restarts, r)
		}
	})
	h.judge(t, people)
	for what, n := range people.result.Counts {
		if what == "ended peer_lost" || what == "calls rejoined" || what == "session forgotten" {
			t.Errorf("%d %s", n, what)
		}
	}
	h.stored(t, people, restarts)
}

// stored fails unless each report that was answered as stored, and not within a second of a death, is
// there, and none twice.
func (h *house) stored(t *testing.T, c *crowd, restarts []restart) {
	t.Helper()
	const late = time.Second // that an answer takes, and that the clocks of visit and history differ by
	const keys = 2           // of a report: it stands under the token and under the digest of the device
	made, answered, excused := 0, 0, 0
	for _, e := range events(t, c.file) {
		switch {
		case e.Did == "report":
			made++
		case e.Got == "reported":
			answered++
			at := time.Duration(e.At) * time.Microsecond
			for _, r := range restarts {
				if at > r.kept-late && at < r.died+late {
					excused++
				}
			}
		}
	}
	pattern := strings.NewReplacer("%s", "*").Replace(retention.Report.Format())
	there := len(h.redis.Client().Keys(t.Context(), pattern).Val())
	t.Logf("%d reports made, %d answered as stored, %d of them around a death of Redis; %d keys", made, answered, excused, there)
	if there < keys*(answered-excused) || there > keys*made {
		t.Errorf("%d reports made, %d answered as stored at a quiet time: %d keys, want %d for each", made, answered-excused, there, keys)
	}
	if answered == excused {
		t.Error("nothing was reported at a quiet time")
	}
}
