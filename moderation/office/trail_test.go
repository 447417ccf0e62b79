package office_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/moderation/office"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// written returns a trail of n lines and what the file holds.
func written(t *testing.T, n int) (*office.Trail, []byte, []office.Anchor) {
	t.Helper()
	trail := office.NewTrail(filepath.Join(t.TempDir(), "state", "audit.jsonl"))
	var heads []office.Anchor
	for i := range n {
		heads = append(heads, write(t, trail, fmt.Sprint("reason ", i)))
	}
	text, err := os.ReadFile(trail.Path())
	if err != nil {
		t.Fatal(err)
	}
	return trail, text, heads
}

func write(t *testing.T, trail *office.Trail, reason string) office.Anchor {
	t.Helper()
	head, err := trail.Append(t.Context(), entry(reason))
	if err != nil {
		t.Fatal(err)
	}
	return head
}

func entry(reason string) office.Entry {
	return office.Entry{When: noon, Who: "mira", Act: office.ActPause, New: []byte(`{"paused":true}`), Reason: reason}
}

func TestTrail(t *testing.T) {
	trail, _, heads := written(t, 4)
	if n, err := length(trail.Verify(heads[3])); n != 4 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
	if n, err := length(trail.Verify(heads[1])); n != 4 || err != nil {
		t.Errorf("a trail that is ahead of Redis: %d lines, %v", n, err)
	}
	info, err := os.Stat(trail.Path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	newest, err := trail.Last(2)
	if err != nil || len(newest) != 2 || newest[0].Seq != 4 || newest[1].Reason != "reason 2" || string(newest[0].New) != `{"paused":true}` {
		t.Errorf("%+v, %v", newest, err)
	}
}

// TestTrailTampering: whatever is done to the file is found, and the first line that is wrong is
// named.
func TestTrailTampering(t *testing.T) {
	_, text, heads := written(t, 5)
	lines := bytes.SplitAfter(text, []byte("\n"))[:5]
	join := func(at ...int) []byte {
		var all []byte
		for _, i := range at {
			all = append(all, lines[i]...)
		}
		return all
	}
	replaced := func(old, new string) []byte { return bytes.Replace(text, []byte(old), []byte(new), 1) }
	for _, c := range []struct {
		name string
		text []byte
		line int
		says string
	}{
		{"a word changed", replaced("reason 2", "reason x"), 3, "was changed"},
		{"a number changed", replaced(`"seq":4`, `"seq":9`), 4, "was changed"},
		{"a hash changed", replaced(heads[1].Hash+`"}`, strings.Repeat("0", 64)+`"}`), 2, "was changed"},
		{"a member added", replaced(`,"reason":"reason 1"`, `,"extra":1,"reason":"reason 1"`), 2, "cannot be read"},
		{"text behind the hash", replaced("\"}\n", "\"} \n"), 1, "was changed"},
		{"a line missing", join(0, 1, 3, 4), 3, "lines are missing"},
		{"the first line missing", join(1, 2, 3, 4), 1, "lines are missing"},
		{"lines exchanged", join(0, 2, 1, 3, 4), 2, "another order"},
		{"a line twice", join(0, 1, 1, 2, 3, 4), 3, "another order"},
		{"an empty line", append(join(0), append([]byte("\n"), join(1, 2, 3, 4)...)...), 2, "is not a line"},
		{"the last line missing", join(0, 1, 2, 3), 5, "is missing"},
		{"all missing", nil, 1, "is missing"},
		{"the end of the last line missing", text[:len(text)-9], 5, "is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			if err := os.WriteFile(path, c.text, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := office.NewTrail(path).Verify(heads[4])
			broken, is := errors.AsType[*office.Break](err)
			if !is || broken.Line != c.line || !strings.Contains(broken.Says, c.says) {
				t.Errorf("%v, want line %d that %q", err, c.line, c.says)
			}
		})
	}
}

// TestTrailRewritten: a chain that was made anew is whole in itself; the anchor gives it away.
func TestTrailRewritten(t *testing.T) {
	_, _, heads := written(t, 3)
	other := office.NewTrail(filepath.Join(t.TempDir(), "audit.jsonl"))
	for range 4 {
		write(t, other, "another reason")
	}
	_, err := other.Verify(heads[2])
	if broken, is := errors.AsType[*office.Break](err); !is || broken.Line != 3 {
		t.Errorf("%v, want a break at line 3", err)
	}
}

// TestTrailTornLine: the machine stopped in the middle of a line. That is told, and the next act makes
// room for itself and says so.
func TestTrailTornLine(t *testing.T) {
	trail, text, heads := written(t, 2)
	if err := os.WriteFile(trail.Path(), text[:len(text)-9], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := trail.Verify(heads[0])
	if broken, is := errors.AsType[*office.Break](err); !is || broken.Line != 2 || !strings.Contains(broken.Says, "unfinished") {
		t.Errorf("%v, want an unfinished line 2", err)
	}
	head := write(t, trail, "go on")
	if n, err := length(trail.Verify(head)); n != 2 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
	if last, _ := trail.Last(1); last[0].Cut == 0 {
		t.Errorf("the line does not tell what it removed: %+v", last[0])
	}
}

// TestTrailBrokenTakesNoMore: nothing is written behind a line that was changed.
func TestTrailBrokenTakesNoMore(t *testing.T) {
	trail, text, _ := written(t, 2)
	if err := os.WriteFile(trail.Path(), bytes.Replace(text, []byte("mira"), []byte("anna"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := trail.Append(t.Context(), entry("go on")); !errors.Is(err, office.ErrTrail) {
		t.Errorf("%v, want ErrTrail", err)
	}
}

func TestTrailOpenToOthers(t *testing.T) {
	trail, _, _ := written(t, 1)
	if err := os.Chmod(trail.Path(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := trail.Append(t.Context(), entry("go on")); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("%v, want advice", err)
	}
}

// TestTrailManyWriters: those who write at once get lines of their own, in a whole chain. Each opens
// the file for itself, as another process would, and the lock is the system's.
func TestTrailManyWriters(t *testing.T) {
	trail, _, _ := written(t, 1)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 5 {
				if _, err := office.NewTrail(trail.Path()).Append(t.Context(), entry(fmt.Sprint(i, " and ", j))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n, err := length(trail.Verify(office.Anchor{})); n != 41 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
}

// TestTrailHeld: whoever waits for a lock gives up with their context.
func TestTrailHeld(t *testing.T) {
	trail, _, _ := written(t, 1)
	release, err := trail.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if _, err := trail.Append(ctx, entry("go on")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the end of the context", err)
	}
}

// length is how long a verified trail is.
func length(head office.Anchor, err error) (int64, error) { return head.Seq, err }

// told is a context that tells when somebody waits for its end.
type told struct {
	context.Context //nolint:containedctx // it is one

	once  *sync.Once
	waits chan struct{}
}

func (c told) Done() <-chan struct{} {
	c.once.Do(func() { close(c.waits) })
	return c.Context.Done()
}

// TestTrailSetAside: who waits for a trail that is put aside writes into the one that takes its place.
func TestTrailSetAside(t *testing.T) {
	trail, _, _ := written(t, 2)
	release, err := trail.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx := told{t.Context(), new(sync.Once), make(chan struct{})}
	var writer sync.WaitGroup
	writer.Go(func() {
		if _, err := trail.Append(ctx, entry("late")); err != nil {
			t.Error(err)
		}
	})
	<-ctx.waits
	aside, err := trail.SetAside(time.Now())
	release()
	writer.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := length(trail.Verify(office.Anchor{})); n != 1 || err != nil {
		t.Errorf("the new trail has %d lines, %v", n, err)
	}
	if n, err := length(office.NewTrail(aside).Verify(office.Anchor{})); n != 2 || err != nil {
		t.Errorf("the old trail has %d lines, %v", n, err)
	}
}
