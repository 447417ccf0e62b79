package office

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"parley/moderation/score"
	"parley/retention"
)

// Span is the reports of one network within a time. Times of reports are whole hours: one counts if
// its hour begins within the span.
type Span struct {
	Network  string // as [Network.Name] gives it
	From, To time.Time
}

func (s Span) check(now time.Time) error {
	if !s.From.Before(s.To) || s.From.Before(now.Add(-retention.ReportTime-24*time.Hour)) || s.From.After(now) {
		return ErrWindow
	}
	return nil
}

// match returns what tells the span's reports from others.
func (s Span) match() (func(score.Event) bool, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s.Network)
	var net score.ID
	if err != nil || len(raw) != len(net) {
		return nil, fmt.Errorf("%w: %q", ErrNetwork, s.Network)
	}
	copy(net[:], raw)
	from, to := s.From.Unix(), s.To.Unix()
	return func(e score.Event) bool { return e.Net == net && e.At >= from-from%3600 && e.At < to }, nil
}

// Network is what one network reported within a span.
type Network struct {
	Name        string // its pseudonym, which changes with the key of each week
	Reports     int
	Targets     int // records that they are on
	First, Last time.Time
}

// Networks returns the networks that made reports in a time, those with the most reports first, at
// most 100. Reports whose network is unknown are one of them.
func (o *Office) Networks(ctx context.Context, from, to, now time.Time) ([]Network, error) {
	if err := (Span{From: from, To: to}).check(now); err != nil {
		return nil, err
	}
	all, err := o.records(ctx)
	if err != nil {
		return nil, err
	}
	found := networks(all, from.Unix(), to.Unix())
	return found[:min(len(found), 100)], nil
}

func networks(all []Case, from, to int64) []Network {
	byName := map[score.ID]*Network{}
	from -= from % 3600
	for i := range all {
		seen := map[score.ID]bool{}
		for _, e := range all[i].Events {
			if e.At < from || e.At >= to {
				continue
			}
			n := byName[e.Net]
			at := time.Unix(e.At, 0).UTC()
			if n == nil {
				n = &Network{Name: base64.RawURLEncoding.EncodeToString(e.Net[:]), First: at, Last: at}
				byName[e.Net] = n
			}
			n.Reports++
			if !seen[e.Net] {
				n.Targets++
			}
			seen[e.Net] = true
			n.First, n.Last = earlier(n.First, at), later(n.Last, at)
		}
	}
	found := make([]Network, 0, len(byName))
	for _, n := range byName {
		found = append(found, *n)
	}
	slices.SortFunc(found, func(a, b Network) int {
		return cmp.Or(cmp.Compare(b.Reports, a.Reports), cmp.Compare(a.Name, b.Name))
	})
	return found
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// VoidPreview is what taking back the reports of a span would change.
type VoidPreview struct {
	Reports int
	Targets int
	Bands   Matrix
}

// PublicVoid is the same as told to people.
type PublicVoid struct {
	Reports Count        `json:"reports"`
	Targets Count        `json:"targets"`
	Bands   PublicMatrix `json:"bands"`
}

// Public returns the preview as told to people.
func (p VoidPreview) Public() PublicVoid {
	return PublicVoid{Few(p.Reports), Few(p.Targets), p.Bands.Public()}
}

// PreviewVoid says what [Office.Void] would do.
func (o *Office) PreviewVoid(ctx context.Context, s Span, now time.Time) (VoidPreview, error) {
	p, _, err := o.lookVoid(ctx, s, now)
	return p, err
}

// lookVoid returns the preview, and the names of the records that have reports of the span.
func (o *Office) lookVoid(ctx context.Context, s Span, now time.Time) (VoidPreview, []string, error) {
	if err := s.check(now); err != nil {
		return VoidPreview{}, nil, err
	}
	match, err := s.match()
	if err != nil {
		return VoidPreview{}, nil, err
	}
	state, err := o.Current(ctx)
	if err != nil {
		return VoidPreview{}, nil, err
	}
	all, err := o.records(ctx)
	if err != nil {
		return VoidPreview{}, nil, err
	}
	preview, names := compareVoid(state.Holding.Policy, score.Hour(now.Unix()), all, match)
	return preview, names, nil
}

func compareVoid(p score.Policy, now int64, all []Case, match func(score.Event) bool) (VoidPreview, []string) {
	var preview VoidPreview
	var names []string
	for i := range all {
		was, _ := bandOf(p, now, &all[i])
		without := all[i]
		without.Events = slices.Clone(without.Events)
		n := without.Void(p, now, match)
		will, _ := bandOf(p, now, &without)
		preview.Bands[was][will]++
		if n > 0 {
			preview.Reports += n
			preview.Targets++
			names = append(names, all[i].Name)
		}
	}
	return preview, names
}

// spanLine is a span as the trail tells it.
type spanLine struct {
	Network string    `json:"network"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
}

// Void takes back the reports of a span, and returns how many they were. Reports that come in while it
// works are taken back too, if they are of the span and on a record that has others of it.
func (o *Office) Void(ctx context.Context, s Span, by Order) (int, error) {
	preview, names, err := o.lookVoid(ctx, s, by.When)
	if err != nil {
		return 0, err
	}
	match, err := s.match()
	if err != nil {
		return 0, err
	}
	state, err := o.Current(ctx)
	if err != nil {
		return 0, err
	}
	now, voided := score.Hour(by.When.Unix()), 0
	e := by.entry(ActVoid)
	e.New = told(spanLine{s.Network, s.From.UTC(), s.To.UTC()})
	e.Preview = told(preview.Public())
	err = o.do(ctx, deed{Entry: e, then: func(ctx context.Context) error {
		for _, name := range names {
			gone := 0
			err := o.change(ctx, name, func(r *score.Record) bool {
				gone = r.Void(state.Holding.Policy, now, match)
				return gone > 0
			})
			if err != nil {
				return fmt.Errorf("after %d of %d reports: %w", voided, preview.Reports, err)
			}
			voided += gone
		}
		return nil
	}})
	o.people.drop()
	return voided, err
}
