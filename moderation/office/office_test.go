package office_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/moderation"
	"parley/moderation/office"
	"parley/moderation/score"
	"parley/retention"
)

// world is an office with a desk that judges by its policy, on one Redis.
type world struct {
	*office.Office
	desk  *moderation.Desk
	rdb   redis.UniversalClient
	trail *office.Trail
}

func newWorld(t *testing.T, rdb redis.UniversalClient) world {
	t.Helper()
	return worldAt(t, rdb, filepath.Join(t.TempDir(), "audit.jsonl"), keyring.NewEpochs())
}

func worldAt(t *testing.T, rdb redis.UniversalClient, path string, epochs *keyring.Epochs) world {
	t.Helper()
	return worldWith(rdb, path, epochs)
}

// worldOf is a world whose trail is in a directory.
func worldOf(rdb redis.UniversalClient, dir string) world {
	return worldWith(rdb, filepath.Join(dir, "audit.jsonl"), keyring.NewEpochs())
}

func worldWith(rdb redis.UniversalClient, path string, epochs *keyring.Epochs) world {
	log := slog.New(slog.DiscardHandler)
	w := world{rdb: rdb, trail: office.NewTrail(path)}
	w.desk = moderation.New(moderation.Config{Redis: rdb, Ring: keyring.New(), Epochs: epochs, Log: log})
	w.Office = office.New(office.Config{Redis: rdb, Desk: w.desk, Trail: w.trail, Apply: w.desk.SetPolicy, Log: log})
	return w
}

// another is the same office with nothing read yet, as on another node.
func (w world) another() *office.Office {
	return office.New(office.Config{Redis: w.rdb, Desk: w.desk, Trail: w.trail, Apply: w.desk.SetPolicy, Log: slog.New(slog.DiscardHandler)})
}

// embedded is the Redis inside the process.
func embedded(t *testing.T) redis.UniversalClient {
	t.Helper()
	return vtest.NewRedis(t).Client
}

// audit fails the test if anything in Redis is not as the catalogue says.
func (w world) audit(t *testing.T) {
	t.Helper()
	faults, err := retention.Audit(t.Context(), w.rdb)
	if err != nil || len(faults) > 0 {
		t.Errorf("%v %v", faults, err)
	}
}

// everywhere runs a test on the embedded Redis and on each real one.
func everywhere(t *testing.T, test func(*testing.T, world)) {
	t.Run("embedded", func(t *testing.T) {
		w := newWorld(t, embedded(t))
		test(t, w)
		w.audit(t)
	})
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e.Start(t))
			test(t, w)
			w.audit(t)
		})
	}
}

func by(who, reason string) office.Order {
	return office.Order{Who: who, When: time.Now(), Reason: reason}
}

func preset(t *testing.T, name string) score.Policy {
	t.Helper()
	p, err := score.Preset(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// name is a token or digest, as browsers send it.
func name(kind string, n int) string { return fmt.Sprintf("%s%0*d", kind, 43-len(kind), n) }

func device(n int) moderation.Device {
	return moderation.Device{Token: name("t", n), Net: fmt.Sprintf("net%013d", n)}
}

// reported lets reporter report target for a call of a minute.
func (w world) reported(t *testing.T, call string, reporter, target moderation.Device, reason moderation.Reason) {
	t.Helper()
	if err := w.desk.Begin(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	handle := w.desk.Handle(call, reporter, target, now.Add(-time.Minute))
	if _, err := w.desk.Report(t.Context(), reporter, handle, reason, now); err != nil {
		t.Fatal(err)
	}
}

// TestTwoOperators: of two who saw the same policy one is too late, is told by whom, and changes
// nothing.
func TestTwoOperators(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		if _, err := w.SetPolicy(t.Context(), preset(t, "strict"), 0, by("mira", "a raid")); err != nil {
			t.Fatal(err)
		}
		_, err := w.SetPolicy(t.Context(), preset(t, "gentle"), 0, by("noor", "too strict"))
		conflict, is := errors.AsType[*office.ConflictError](err)
		if !is || conflict.Holding.Who != "mira" || conflict.Holding.Reason != "a raid" || conflict.Holding.Revision != 1 || conflict.Holding.Preset != "strict" {
			t.Fatalf("%v", err)
		}
		if !strings.Contains(err.Error(), "mira") || !strings.Contains(err.Error(), "a raid") {
			t.Errorf("the loser is not told: %v", err)
		}
		if _, err := w.SetPolicy(t.Context(), preset(t, "gentle"), 1, by("noor", "too strict")); err != nil {
			t.Error(err)
		}
		s, err := w.State(t.Context())
		if err != nil || s.Holding.Preset != "gentle" || s.Holding.Revision != 2 || s.Holding.Who != "noor" {
			t.Errorf("%+v, %v", s.Holding, err)
		}
	})
}

// TestManyOperatorsAtOnce: each act has its line, and as many policies were set as say so.
func TestManyOperatorsAtOnce(t *testing.T) {
	w := newWorld(t, embedded(t))
	var all sync.WaitGroup
	var mu sync.Mutex
	set := 0
	for i := range 6 {
		all.Go(func() {
			other := worldAt(t, w.rdb, w.trail.Path(), keyring.NewEpochs())
			_, err := other.SetPolicy(t.Context(), preset(t, []string{"gentle", "strict"}[i%2]), 0, by(fmt.Sprint("o", i), "at once"))
			if _, conflict := errors.AsType[*office.ConflictError](err); err != nil && !conflict {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				set++
			}
		})
	}
	all.Wait()
	if set != 1 {
		t.Errorf("%d of 6 who saw revision 0 set a policy", set)
	}
	if _, err := w.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	lines, err := w.History(t.Context(), 100)
	if err != nil || len(lines) != 1 {
		t.Errorf("%d lines, %v", len(lines), err)
	}
}

// TestEveryActHasItsLine: what is done stands in the trail with name, reason, old, new and preview,
// and names no device.
func TestEveryActHasItsLine(t *testing.T) {
	w := newWorld(t, embedded(t))
	devices := w.crowd(t, 6, rand.New(rand.NewPCG(1, 1)))
	networks, err := w.Networks(t.Context(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), time.Now())
	if err != nil || len(networks) == 0 {
		t.Fatal(networks, err)
	}
	span := office.Span{Network: networks[0].Name, From: time.Now().Add(-time.Hour), To: time.Now().Add(time.Hour)}
	for _, act := range []func() error{
		func() error {
			_, err := w.SetPolicy(t.Context(), preset(t, "strict"), 0, by("mira", "one"))
			return err
		},
		func() error { return w.SetPause(t.Context(), true, by("mira", "two")) },
		func() error { _, err := w.Void(t.Context(), span, by("mira", "three")); return err },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := w.History(t.Context(), 10)
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, want := range []struct {
		act    office.Act
		reason string
		holds  []string
	}{
		{office.ActVoid, "three", []string{span.Network, `"reports":`}},
		{office.ActPause, "two", []string{`"paused":true`, `"paused":false`}},
		{office.ActPolicy, "one", []string{`"revision":1`, `"revision":0`, `"thresholds":[0.06`, `"bands":`}},
	} {
		l := lines[i]
		all := string(l.Old) + string(l.New) + string(l.Preview)
		if l.Act != want.act || l.Reason != want.reason || l.Who != "mira" {
			t.Errorf("line %d is %+v", l.Seq, l)
		}
		for _, part := range want.holds {
			if !strings.Contains(all, part) {
				t.Errorf("line %d lacks %s: %s", l.Seq, part, all)
			}
		}
		for _, dev := range devices {
			if strings.Contains(all, dev.Token) {
				t.Errorf("line %d names a device", l.Seq)
			}
		}
	}
}

// TestNoActWithoutItsLine: where the trail cannot be written nothing takes effect.
func TestNoActWithoutItsLine(t *testing.T) {
	w := newWorld(t, embedded(t))
	if err := w.SetPause(t.Context(), true, by("mira", "raid")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		other  world
		reason string
		want   error
	}{
		{"no reason", w, " ", office.ErrReason},
		{"a long reason", w, strings.Repeat("x", 1001), office.ErrReason},
		{"another machine's trail", newWorld(t, w.rdb), "elsewhere", office.ErrTrail},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.other.SetPause(t.Context(), false, by("noor", c.reason)); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if s, err := w.State(t.Context()); err != nil || !s.Pause.Paused || s.Pause.Who != "mira" {
				t.Errorf("it took effect: %+v, %v", s.Pause, err)
			}
		})
	}
	other := newWorld(t, w.rdb)
	aside, err := other.Begin(t.Context(), by("noor", "the old disk is lost"))
	if err != nil || aside != "" {
		t.Fatal(aside, err)
	}
	if err := other.SetPause(t.Context(), false, by("noor", "all is well")); err != nil {
		t.Error(err)
	}
	if err := w.SetPause(t.Context(), true, by("mira", "not here any more")); !errors.Is(err, office.ErrTrail) {
		t.Errorf("two trails go on: %v", err)
	}
	if w.Paused() != true || other.Paused() != false {
		t.Errorf("paused: %v, %v", w.Paused(), other.Paused())
	}
}

// TestRefusedPolicies: a policy that would be unfair is refused in a sentence, and nothing is changed.
func TestRefusedPolicies(t *testing.T) {
	w := newWorld(t, embedded(t))
	p := preset(t, "balanced")
	p.Thresholds[0] = 0.5
	_, err := w.SetPolicy(t.Context(), p, 0, by("mira", "upside down"))
	if !errors.Is(err, office.ErrPolicy) || !strings.Contains(err.Error(), "watch may not be above restricted") {
		t.Error(err)
	}
	if s, err := w.State(t.Context()); err != nil || s.Holding.Revision != 0 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestNodesFollow: another node takes up policy and pause by itself.
func TestNodesFollow(t *testing.T) {
	w := newWorld(t, embedded(t))
	applied := make(chan int64, 10)
	node := office.New(office.Config{
		Redis: w.rdb, Desk: w.desk, Trail: w.trail, Log: slog.New(slog.DiscardHandler),
		Apply: func(_ score.Policy, revision int64) { applied <- revision },
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- node.Run(ctx) }()
	if n := <-applied; n != 0 {
		t.Errorf("revision %d at first", n)
	}
	if _, err := w.SetPolicy(t.Context(), preset(t, "strict"), 0, by("mira", "a raid")); err != nil {
		t.Fatal(err)
	}
	if err := w.SetPause(t.Context(), true, by("mira", "a raid")); err != nil {
		t.Fatal(err)
	}
	select {
	case n := <-applied:
		if n != 1 {
			t.Errorf("revision %d", n)
		}
	case <-time.After(20 * time.Second):
		t.Error("the node does not follow")
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestUnreadablePolicy: a policy of another version leaves the one before in force, and can be
// replaced.
func TestUnreadablePolicy(t *testing.T) {
	w := newWorld(t, embedded(t))
	if err := w.rdb.HSet(t.Context(), retention.Policy.Key(), "policy", `{"telepathy":1}`, "revision", 7).Err(); err != nil {
		t.Fatal(err)
	}
	s, err := w.State(t.Context())
	if err == nil || !strings.Contains(err.Error(), "telepathy") || s.Holding.Revision != 7 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, h, err := w.Preview(t.Context(), preset(t, "gentle"), time.Now()); err != nil || h.Revision != 7 {
		t.Errorf("it cannot be looked at: %+v, %v", h, err)
	}
	if _, err := w.SetPolicy(t.Context(), preset(t, "gentle"), 7, by("mira", "mend it")); err != nil {
		t.Error(err)
	}
	if s, err := w.State(t.Context()); err != nil || s.Holding.Preset != "gentle" || s.Holding.Revision != 8 {
		t.Errorf("%+v, %v", s, err)
	}
}

// overtaking lets another machine act whenever a script is about to run.
type overtaking struct{ other redis.UniversalClient }

func (overtaking) DialHook(next redis.DialHook) redis.DialHook { return next }

func (overtaking) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (o overtaking) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if strings.HasPrefix(cmd.Name(), "eval") {
			o.other.HSet(ctx, retention.Policy.Key(), "trail_seq", 9, "trail_hash", "of another")
		}
		return next(ctx, cmd)
	}
}

// TestBeginOvertaken: a trail that was begun while another was written to is none, and that is told.
func TestBeginOvertaken(t *testing.T) {
	store := vtest.NewRedis(t)
	slow := redis.NewClient(store.Options())
	t.Cleanup(func() { _ = slow.Close() })
	slow.AddHook(overtaking{store.Client})
	if _, err := newWorld(t, slow).Begin(t.Context(), by("noor", "the old disk is lost")); !errors.Is(err, office.ErrTrail) {
		t.Errorf("%v, want ErrTrail", err)
	}
}
