package matcher

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

const (
	// patience is how long one read of the inbox waits for an event.
	patience = time.Second
	batch    = 256

	backoffLeast = 50 * time.Millisecond
	backoffMost  = time.Second
)

// listen hands out what comes to this node's inbox, until ctx ends, and removes it there. It keeps
// no place in the stream, so none can be wrong after Redis lost its data or its clock was set back.
func (q *Queue) listen(ctx context.Context) {
	pause := backoffLeast
	for ctx.Err() == nil {
		entries, err := q.fetch(ctx)
		for _, entry := range entries {
			q.take(entry.Values)
		}
		if err == nil {
			pause = backoffLeast
			continue
		}
		wait(ctx, pause)
		pause = min(2*pause, backoffMost)
	}
}

// fetch waits for entries and takes them out of the inbox; there are none when nothing came. With an
// error it may return entries that come again.
func (q *Queue) fetch(ctx context.Context) ([]redis.XMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, patience+q.cfg.Timeout)
	defer cancel()
	inbox := retention.Inbox.Key(q.cfg.Node)
	streams, err := q.rdb.XRead(ctx, &redis.XReadArgs{Streams: []string{inbox, "0"}, Count: batch, Block: patience}).Result()
	if errors.Is(err, redis.Nil) || err == nil && len(streams) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	entries := streams[0].Messages
	ids := make([]string, len(entries))
	for i, entry := range entries {
		ids[i] = entry.ID
	}
	return entries, q.rdb.XDel(ctx, inbox, ids...).Err()
}

// take hands out one entry as tell of common.lua wrote it.
func (q *Queue) take(entry map[string]any) {
	text, _ := entry["event"].(string)
	fields := strings.SplitN(text, ";", 4)
	if len(fields) < 4 {
		return // of a newer or older parley
	}
	kind, match, ticket, detail := fields[0], fields[1], fields[2], fields[3]
	switch kind {
	case "offer":
		if offer, ok := readOffer(match, ticket, detail, q.local); ok {
			q.living.met(offer.PeerNode)
			q.hand(OfferMade{offer})
		}
	case "live":
		q.hand(WentLive{match, ticket})
	case "abort":
		q.hand(WasAborted{match, ticket, Why(detail)})
	case "stop": // from resign: only to wake us
	}
}

// hand gives an event to the owner; it never waits.
func (q *Queue) hand(e Event) {
	select {
	case q.events <- e:
	default:
		q.dropped.Add(1)
	}
}

// readOffer reads a record of a match, as match.lua describes it, from the view of one
// of its tickets.
func readOffer(match, ticket, record string, local func(int64) time.Time) (Offer, bool) {
	f := strings.Split(record, ";")
	if len(f) < 13 {
		return Offer{}, false
	}
	language, shared, deadline := f[1], f[2], f[4]
	a, b := f[5:9], f[9:13] // ticket, node, ...
	o := Offer{
		Match: match, Ticket: ticket, Language: language, Shared: known().named(shared), Deadline: local(micros(deadline)),
	}
	peer := b
	switch ticket {
	case a[0]:
		o.First = true
	case b[0]:
		peer = a
	default:
		return Offer{}, false
	}
	o.PeerTicket, o.PeerNode = peer[0], peer[1]
	return o, true
}

// wait returns after d or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
