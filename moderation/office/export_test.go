package office

import "context"

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
