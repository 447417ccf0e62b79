package office

import (
	"context"
	"sync"
	"time"

	"parley/moderation/score"
)

// fresh is how long records that were read serve further previews, so that one can be dragged. What is
// put into force is always computed from records read then.
const fresh = 5 * time.Second

// people is every record, and how many calls there were in the last day.
type people struct {
	cases []Case
	calls int
}

// population keeps what was read last for a short time.
type population struct {
	reading sync.Mutex // held while one reads for all who ask

	mu   sync.Mutex // guards the following fields
	read time.Time
	last people
}

func (p *population) get(now time.Time) (people, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last, !p.read.IsZero() && now.Sub(p.read) < fresh
}

func (p *population) set(now time.Time, all people) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read, p.last = now, all
}

// forget lets go of what is too old to be used.
func (p *population) forget(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.read) >= fresh {
		p.read, p.last = time.Time{}, people{}
	}
}

// drop lets go of everything, because it was changed.
func (p *population) drop() { p.set(time.Time{}, people{}) }

// Preview says what p would change if it held now. The records may be some seconds old.
func (o *Office) Preview(ctx context.Context, p score.Policy, now time.Time) (Preview, Holding, error) {
	if err := checkPolicy(p); err != nil {
		return Preview{}, Holding{}, err
	}
	s, err := o.Current(ctx)
	if err != nil {
		return Preview{}, Holding{}, err
	}
	all, err := o.recent(ctx, now)
	if err != nil {
		return Preview{}, Holding{}, err
	}
	preview := Compare(now.Unix(), s.Holding.Policy, p, all.cases)
	preview.Calls = all.calls
	return preview, s.Holding, nil
}

// previewNow is a preview over records that are read for it.
func (o *Office) previewNow(ctx context.Context, before, after score.Policy, now time.Time) (Preview, error) {
	all, err := o.readAll(ctx, now)
	if err != nil {
		return Preview{}, err
	}
	preview := Compare(now.Unix(), before, after, all.cases)
	preview.Calls = all.calls
	return preview, nil
}

// recent returns what was read less than [fresh] ago, or reads.
func (o *Office) recent(ctx context.Context, now time.Time) (people, error) {
	if all, ok := o.people.get(now); ok {
		return all, nil
	}
	o.people.reading.Lock() // it guards no data: the second waits for what the first reads
	defer o.people.reading.Unlock()
	if all, ok := o.people.get(now); ok {
		return all, nil
	}
	all, err := o.readAll(ctx, now)
	if err == nil {
		o.people.set(now, all)
	}
	return all, err
}

// readAll reads every record, and how many calls there were in the last day.
func (o *Office) readAll(ctx context.Context, now time.Time) (people, error) {
	var all people
	var err error
	if all.cases, err = o.records(ctx); err != nil {
		return all, err
	}
	hours, err := o.Hours(ctx, now, 24)
	for _, h := range hours {
		all.calls += h.total()
	}
	return all, err
}
