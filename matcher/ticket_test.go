package matcher_test

import (
	_ "embed" // the interests stand in a file
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"pgregory.net/rapid"

	"parley/matcher"
)

func TestCatalogue(t *testing.T) {
	var tags []string
	for _, l := range matcher.Languages() {
		tags = append(tags, l.Tag)
		tag, err := language.Parse(l.Tag)
		base, _ := tag.Base()
		if err != nil || tag.String() != l.Tag || base.String() != l.Tag {
			t.Errorf("%q is not a canonical primary tag: %v", l.Tag, err)
		}
		if own := display.Self.Name(tag); !strings.HasSuffix(l.Name, own) {
			t.Errorf("%s calls itself %q, not %q", l.Tag, own, l.Name)
		}
	}
	if !slices.IsSorted(tags) || len(slices.Compact(tags)) != len(matcher.Languages()) {
		t.Error("the languages are not sorted, or one is there twice")
	}
	interests := matcher.Interests()
	if n := len(interests); n != 24 || slices.Contains(interests, "any") {
		t.Errorf("%d interests: %v", n, interests)
	}
	interests[0] = "changed by a caller"
	if slices.Contains(matcher.Interests(), interests[0]) {
		t.Error("a caller can change the catalogue")
	}
}

// interestsOnce are the interests in the order in which they came into the catalogue.
//
//go:embed testdata/interests.txt
var interestsOnce string

// TestInterestsAreOnlyAppended: tickets and matches hold an interest as a letter, by its place in the
// catalogue. Were one moved or removed, a node of the new version would read another one than a node
// of the old version wrote.
func TestInterestsAreOnlyAppended(t *testing.T) {
	once, now := strings.Fields(interestsOnce), matcher.Interests()
	if len(now) < len(once) || !slices.Equal(now[:len(once)], once) {
		t.Errorf("an interest was moved or removed: %v, before %v", now, once)
	} else if len(now) > len(once) {
		t.Errorf("new, so add to the end of testdata/interests.txt, where nothing is ever changed: %v", now[len(once):])
	}
	if len(now) > 64 {
		t.Errorf("%d interests, and 64 letters", len(now))
	}
}

func TestValidate(t *testing.T) {
	many := func(n int, s string) []string { return slices.Repeat([]string{s}, n) }
	for _, c := range []struct {
		field  string
		change func(*matcher.Ticket)
	}{
		{"", func(*matcher.Ticket) {}},
		{"", func(t *matcher.Ticket) { t.Interests, t.Avoid = nil, many(matcher.MaxAvoid, device(1)) }},
		{"", func(t *matcher.Ticket) { t.Languages = []string{"en", "de", "fr", "es", "it"} }},
		{"id", func(t *matcher.Ticket) { t.ID = "" }},
		{"id", func(t *matcher.Ticket) { t.ID = strings.Repeat(";", 22) }},
		{"id", func(t *matcher.Ticket) { t.ID = "A" + strings.Repeat(":", 20) + "A" }},
		{"device", func(t *matcher.Ticket) { t.Device = "short" }},
		{"languages", func(t *matcher.Ticket) { t.Languages = nil }},
		{"languages", func(t *matcher.Ticket) { t.Languages = []string{"xx"} }},
		{"languages", func(t *matcher.Ticket) { t.Languages = []string{"en", "de", "en"} }},
		{"languages", func(t *matcher.Ticket) { t.Languages = []string{"en", "de", "fr", "es", "it", "pt"} }},
		{"interests", func(t *matcher.Ticket) { t.Interests = []string{"any"} }},
		{"interests", func(t *matcher.Ticket) { t.Interests = []string{"music", "film", "books", "games", "sport", "food"} }},
		{"interests", func(t *matcher.Ticket) { t.Interests = []string{"music", "music"} }},
		{"band", func(t *matcher.Ticket) { t.Band = -1 }},
		{"band", func(t *matcher.Ticket) { t.Band = 10 }},
		{"meets", func(t *matcher.Ticket) { t.Meets = nil }},
		{"meets", func(t *matcher.Ticket) { t.Meets = []int{0, 0} }},
		{"avoid", func(t *matcher.Ticket) { t.Avoid = []string{"a,b"} }},
		{"avoid", func(t *matcher.Ticket) { t.Avoid = many(matcher.MaxAvoid+1, device(1)) }},
	} {
		ticket := fresh('a')
		c.change(&ticket)
		field := ""
		if fault, ok := errors.AsType[*matcher.FieldError](ticket.Validate()); ok {
			field = fault.Field
		}
		if field != c.field {
			t.Errorf("%+v: fault in %q, want %q", ticket, field, c.field)
		}
	}
	q := newHall(t, embedded(t)).nodes[0]
	if _, err := q.Join(t.Context(), matcher.Ticket{}); !errors.As(err, new(*matcher.FieldError)) {
		t.Errorf("%v", err)
	}
}

func TestSteps(t *testing.T) {
	const w = 6 * time.Second
	for _, c := range []struct {
		ticket matcher.Ticket
		want   []matcher.Step
	}{
		{matcher.Ticket{Languages: enDe, Interests: music}, []matcher.Step{{0, "interests"}, {w, "anything"}, {2 * w, "languages"}}},
		{matcher.Ticket{Languages: en, Interests: music}, []matcher.Step{{0, "interests"}, {w, "anything"}}},
		{matcher.Ticket{Languages: enDe}, []matcher.Step{{0, "anything"}, {2 * w, "languages"}}},
		{matcher.Ticket{Languages: enDe, Interests: music, Strict: true}, []matcher.Step{{0, "interests"}}},
		{matcher.Ticket{Languages: enDe, Strict: true}, []matcher.Step{{0, "anything"}}},
	} {
		if got := matcher.Steps(c.ticket, w); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.ticket, got, c.want)
		}
	}
}

func TestWidening(t *testing.T) {
	for expected, want := range map[float64]time.Duration{0: 2 * second, 0.49: 2 * second, 0.5: 6 * second, 4: 6 * second, 4.01: 12 * second} {
		if got := matcher.Widening(expected); got != want {
			t.Errorf("%v expected: %v, want %v", expected, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) { // more people never make the wait for a common interest shorter
		a, b := rapid.Float64Range(0, 10).Draw(t, "a"), rapid.Float64Range(0, 10).Draw(t, "b")
		if matcher.Widening(min(a, b)) > matcher.Widening(max(a, b)) {
			t.Fatal("not monotonic")
		}
	})
}

// TestPace: the delay follows the searches that began on this node.
func TestPace(t *testing.T) {
	p := matcher.NewPace()
	now := time.Now()
	expected := func(interest string) float64 { return p.Expected(now, want('a', en, []string{interest})) }
	for range 600 { // ten minutes with one search a second
		now = now.Add(second)
		p.Arrived(now, want('a', en, music))
	}
	if got := expected("music"); got < 5.5 || got > 6.5 {
		t.Errorf("%.2f expected in 6 s, want about 6", got)
	}
	if got := expected("film"); got != 0 {
		t.Errorf("%.2f expected where nobody comes", got)
	}
	now = now.Add(5 * time.Minute)
	if got := expected("music"); got > 0.01 {
		t.Errorf("%.2f expected long after the last", got)
	}
}
