package link

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

// Pauses between attempts, for publishing and for subscribing.
const (
	leastPause = 50 * time.Millisecond
	mostPause  = 2 * time.Second

	// gathers is how long what comes right after a PUBLISH waits for company: a message alone costs
	// Redis and both nodes several times as much as one of many. After a quiet moment nothing waits.
	gathers = 2 * time.Millisecond
)

// backoff is a pause that doubles.
type backoff time.Duration

// next returns the next pause, between half and all of a step that doubles.
func (b *backoff) next() time.Duration {
	d := min(max(time.Duration(*b), leastPause), mostPause)
	*b = backoff(2 * d)
	return d/2 + rand.N(d/2) //nolint:gosec // spreads attempts; nothing secret
}

func (b *backoff) reset() { *b = 0 }

// letter is one PUBLISH.
type letter struct {
	to   *peer // nil for ourselves
	kind kind
	mail mail
}

// publish publishes what there is until ctx ends, and then once more.
func (l *Link) publish(ctx context.Context) {
	var pause backoff
	var buffer []byte
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		letters, next := l.collect(time.Now())
		if len(letters) == 0 {
			await(ctx, timer, next, l.wake)
			continue
		}
		var failed []letter
		if failed, buffer = l.put(ctx, letters, buffer); len(failed) == 0 {
			pause.reset()
			await(ctx, timer, time.Now().Add(gathers), nil)
			continue
		}
		l.retry(failed)
		await(ctx, timer, time.Now().Add(pause.next()), nil)
	}
	if letters, _ := l.collect(time.Now()); len(letters) > 0 {
		l.put(context.WithoutCancel(ctx), letters, buffer)
	}
}

// await waits for the time (zero: for ever), for a wake, or for the end.
func await(ctx context.Context, timer *time.Timer, until time.Time, wake <-chan struct{}) {
	var due <-chan time.Time
	if !until.IsZero() {
		timer.Reset(time.Until(until))
		due = timer.C
	}
	select {
	case <-due:
	case <-wake:
	case <-ctx.Done():
	}
}

// collect steps those peers whose time has come and takes what there is to publish. Without any it
// also returns until when to sleep; zero for ever.
func (l *Link) collect(now time.Time) (letters []letter, next time.Time) {
	if l.pulse.probe.Swap(false) {
		letters = append(letters, letter{kind: kindProbe})
	}
	suspicion := false
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	for p := range l.lanes.busy {
		if at := p.Deadline(); !at.IsZero() && !now.Before(at) {
			l.settle(now, p, p.Step(now, tick{}))
		}
		for _, e := range p.Step(now, pull{}) {
			switch e := e.(type) {
			case publish:
				l.lanes.counts.Resends += int64(e.again)
				letters = append(letters, letter{to: p, kind: kindMail, mail: e.mail})
			case answer:
				letters = append(letters, letter{to: p, kind: kindAlien})
			case refused, deliver, lost, gap:
			}
		}
		suspicion = suspicion || p.out.tries > 0
		at := p.Deadline()
		if at.IsZero() && !p.Ready(now) {
			delete(l.lanes.busy, p)
			continue
		}
		next = earlier(next, at)
	}
	l.lanes.sleeps = next
	l.pulse.suspicion.Store(suspicion)
	return letters, next
}

// put publishes letters in one pipeline and returns those that may not have been published.
func (l *Link) put(ctx context.Context, letters []letter, buffer []byte) (failed []letter, scratch []byte) {
	began := l.pulse.now()
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	buffer, ends := l.pack(letters, buffer[:0])
	cmds := make([]*redis.IntCmd, len(letters))
	_, err := l.cfg.Client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		start := 0
		for i, m := range letters {
			channel := l.channel
			if m.to != nil {
				channel = m.to.channel
			}
			cmds[i] = redis.NewIntCmd(ctx, "publish", channel, buffer[start:ends[i]])
			cmds[i].SetFirstKeyPos(1) // in a Cluster all for one channel take one way, and stay in order
			start = ends[i]
			_ = pipe.Process(ctx, cmds[i]) // queues only
		}
		return nil
	})
	for i, cmd := range cmds {
		if cmd.Err() != nil {
			failed = append(failed, letters[i])
		} else if letters[i].kind == kindProbe {
			l.pulse.probed.Store(began) // it may be back already
		}
	}
	l.spoke(ctx, time.Duration(l.pulse.now()-began), err)
	if cap(buffer) > 2*pullBytes {
		buffer = nil // it was an exceptional moment
	}
	return failed, buffer
}

// pack appends the packets of letters, sealed, and returns where each ends.
func (l *Link) pack(letters []letter, buffer []byte) (packets []byte, ends []int) {
	ends = make([]int, len(letters))
	for i, m := range letters {
		at, to := len(buffer), l.cfg.Node
		if m.to != nil {
			to = m.to.name
		}
		if m.kind == kindMail {
			buffer = appendMail(buffer, l.cfg.Node, m.mail)
		} else {
			buffer = appendHead(buffer, m.kind, l.cfg.Node)
		}
		if l.cfg.Seal != nil {
			buffer = l.cfg.Seal(to, buffer, at)
		}
		ends[i] = len(buffer)
	}
	return buffer, ends
}

// retry gives letters that may not have been published back to where they came from. A probe goes
// with the next attempt: when all have been acknowledged meanwhile, nothing else would show that
// publishing works again.
func (l *Link) retry(letters []letter) {
	l.pulse.probe.Store(true)
	now := time.Now()
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	l.lanes.counts.Failures++
	var last *peer
	for _, m := range letters {
		if m.to != nil && m.to != last {
			last = m.to
			l.settle(now, m.to, m.to.Step(now, failed{}))
		}
	}
}
