package office

import (
	"context"
	"time"
)

// Append writes one line as an act would, without asking Redis.
func (t *Trail) Append(ctx context.Context, e Entry) (Anchor, error) {
	l, err := t.lock(ctx)
	if err != nil {
		return Anchor{}, err
	}
	defer l.close()
	return l.append(e)
}

// Hold takes the lock until release.
func (t *Trail) Hold(ctx context.Context) (release func(), err error) {
	l, err := t.lock(ctx)
	if err != nil {
		return nil, err
	}
	return l.close, nil
}

// Effect lets a pause take effect as an act would that was written down before, without its file.
func (o *Office) Effect(ctx context.Context, before, head Anchor, saw string) (string, error) {
	return o.effect(ctx, before, head, deed{saw: saw, fields: []any{fieldPaused, "1"}})
}

// SetAside renames the trail, as [Office.Begin] does.
func (t *Trail) SetAside(now time.Time) (string, error) { return t.setAside(now) }
