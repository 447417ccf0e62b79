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

// crowd makes reports on n devices, as many as chance wants, and returns the devices.
func (w world) crowd(t *testing.T, n int, random *rand.Rand) []moderation.Device {
	t.Helper()
	all := make([]moderation.Device, n)
	for i := range all {
		all[i] = device(i)
		if i%3 == 0 {
			all[i].Digest = name("d", i/9)
		}
		for j := range 1 + random.IntN(9) {
			reason := moderation.Reasons()[random.IntN(len(moderation.Reasons()))]
			w.reported(t, fmt.Sprintf("call-%d-%d", i, j), device(1000+random.IntN(40)), all[i], reason)
		}
	}
	return all
}

// TestPreviewEqualsResult: what the preview says is what every device meets when it searches after the
// policy was applied.
func TestPreviewEqualsResult(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		devices := w.crowd(t, 30, random)
		revision := int64(0)
		for _, name := range []string{"strict", "gentle", "balanced"} {
			before := w.bands(t, devices)
			after := preset(t, name)
			promised, holding, err := w.another().Preview(t.Context(), after, time.Now())
			if err != nil || holding.Revision != revision {
				t.Fatalf("%v, revision %d", err, holding.Revision)
			}
			done, err := w.SetPolicy(t.Context(), after, revision, by("mira", "try "+name))
			if err != nil {
				t.Fatal(err)
			}
			if done.Bands != promised.Bands {
				t.Errorf("%s: promised %v, applied %v", name, promised.Bands, done.Bands)
			}
			met := w.bands(t, devices)
			w.compare(t, promised, before, met)
			revision++
		}
	})
}

// bands returns in which band each device finds itself when it searches, by the name of its record.
func (w world) bands(t *testing.T, devices []moderation.Device) map[int]score.Band {
	t.Helper()
	all := map[int]score.Band{}
	for i, dev := range devices {
		v, err := w.desk.Admit(t.Context(), dev, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		all[i] = v.Band
	}
	return all
}

// compare holds a preview against what devices met. The records of digests do not speak for devices
// that are not fresh; what the preview says of them is taken from the records as they are now.
func (w world) compare(t *testing.T, promised office.Preview, before, met map[int]score.Band) {
	t.Helper()
	s, err := w.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var want office.Matrix
	for i := range before {
		want[before[i]][met[i]]++
	}
	records, err := w.desk.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var digests []office.Case
	for _, r := range records {
		if r.Digest {
			digests = append(digests, r)
		}
	}
	now := office.Compare(time.Now().Unix(), s.Holding.Policy, s.Holding.Policy, digests)
	var ofDigests, ofAll [4]int
	for from, row := range promised.Bands {
		for to, n := range row {
			ofDigests[to] += n - want[from][to]
			ofAll[to] += n
			if n < want[from][to] {
				t.Errorf("%d devices went from %d to %d, promised %d", want[from][to], from, to, n)
			}
		}
	}
	for band, n := range ofDigests {
		if n != now.Bands[band][band] {
			t.Errorf("band %d: %d records promised beside those of tokens, %d found", band, n, now.Bands[band][band])
		}
	}
	if ofAll[1]+ofAll[2]+ofAll[3] == 0 {
		t.Error("everybody is clear: nothing was tested")
	}
}

// TestTwoOperators: of two who saw the same policy one is too late, is told by whom, and changes nothing.
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

// TestEveryActHasItsLine: what is done stands in the trail with name, reason, old, new and preview, and
// names no device.
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

// TestVoid: the reports of one network within the time go, and no others; the preview says so before,
// and what was judged by them is judged anew.
func TestVoid(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		target := device(1)
		for i := range 5 { // five installs on one network, and one elsewhere
			reporter := device(100 + i)
			reporter.Net = "brigade000000000"
			w.reported(t, fmt.Sprint("call", i), reporter, target, moderation.Sexual)
			w.reported(t, fmt.Sprint("other", i), reporter, device(2+i), moderation.Hate)
		}
		w.reported(t, "honest", device(200), target, moderation.Spam)
		was := w.standing(t, target)
		now := time.Now()
		networks, err := w.Networks(t.Context(), now.Add(-2*time.Hour), now.Add(time.Hour), now)
		if err != nil || len(networks) != 2 || networks[0].Reports != 10 || networks[0].Targets != 6 {
			t.Fatalf("%+v, %v", networks, err)
		}
		span := office.Span{Network: networks[0].Name, From: now.Add(-2 * time.Hour), To: now.Add(time.Hour)}
		before := span
		before.From, before.To = now.Add(-4*time.Hour), now.Add(-2*time.Hour)
		if p, err := w.PreviewVoid(t.Context(), before, now); err != nil || p.Reports != 0 {
			t.Errorf("of the hours before: %+v, %v", p, err)
		}
		p, err := w.PreviewVoid(t.Context(), span, now)
		if err != nil || p.Reports != 10 || p.Targets != 6 {
			t.Fatalf("%+v, %v", p, err)
		}
		if again := w.standing(t, target); len(again.Reasons) != len(was.Reasons) {
			t.Error("the preview changed something")
		}
		n, err := w.Void(t.Context(), span, by("mira", "a brigade"))
		if err != nil || n != 10 {
			t.Fatalf("%d voided, %v", n, err)
		}
		if s := w.standing(t, target); len(s.Reasons) != 1 || s.Reasons[0].Reason != moderation.Spam {
			t.Errorf("%+v", s)
		}
		if s := w.standing(t, device(3)); s.Records {
			t.Errorf("a record without reports is left: %+v", s)
		}
		if p, err := w.PreviewVoid(t.Context(), span, now); err != nil || p.Reports != 0 {
			t.Errorf("afterwards: %+v, %v", p, err)
		}
	})
}

func (w world) standing(t *testing.T, dev moderation.Device) moderation.Standing {
	t.Helper()
	s, err := w.desk.Standing(t.Context(), dev, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVoidRefuses(t *testing.T) {
	w := newWorld(t, embedded(t))
	now := time.Now()
	for _, c := range []struct {
		span office.Span
		want error
	}{
		{office.Span{Network: "x", From: now.Add(-time.Hour), To: now}, office.ErrNetwork},
		{office.Span{Network: "AAAAAAAAAAA", From: now, To: now.Add(-time.Hour)}, office.ErrWindow},
		{office.Span{Network: "AAAAAAAAAAA", From: now.Add(-40 * 24 * time.Hour), To: now}, office.ErrWindow},
		{office.Span{Network: "AAAAAAAAAAA"}, office.ErrWindow},
	} {
		if _, err := w.Void(t.Context(), c.span, by("mira", "a brigade")); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.span, err, c.want)
		}
	}
	if lines, _ := w.History(t.Context(), 9); len(lines) != 0 {
		t.Errorf("%d lines of what was refused", len(lines))
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

// TestUnreadablePolicy: a policy of another version leaves the one before in force, and can be replaced.
func TestUnreadablePolicy(t *testing.T) {
	w := newWorld(t, embedded(t))
	if err := w.rdb.HSet(t.Context(), retention.Policy.Key(), "policy", `{"telepathy":1}`, "revision", 7).Err(); err != nil {
		t.Fatal(err)
	}
	s, err := w.State(t.Context())
	if err == nil || !strings.Contains(err.Error(), "telepathy") || s.Holding.Revision != 7 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := w.SetPolicy(t.Context(), preset(t, "gentle"), 7, by("mira", "mend it")); err != nil {
		t.Error(err)
	}
	if s, err := w.State(t.Context()); err != nil || s.Holding.Preset != "gentle" || s.Holding.Revision != 8 {
		t.Errorf("%+v, %v", s, err)
	}
}
