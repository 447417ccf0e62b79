package matcher_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/matcher"
	"parley/retention"
)

func TestSmoke(t *testing.T) {
	for name, rdb := range map[string]redis.UniversalClient{"embedded": vtest.NewRedis(t).Client, "redis-server": redis.NewClient(vtest.StartRedis(t))} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			q := matcher.New(rdb, matcher.Config{})
			p := matcher.New(rdb, matcher.Config{})
			done := make(chan error)
			go func() { done <- q.Run(ctx) }()
			go func() { done <- p.Run(ctx) }()
			a := matcher.Ticket{ID: matcher.NewID(), Device: "aaaaaaaaaaaa", Languages: []string{"en"}, Interests: []string{"music"}, Meets: []int{0}}
			b := a
			b.ID, b.Device = matcher.NewID(), "bbbbbbbbbbbb"
			r, err := q.Join(ctx, a)
			t.Logf("%+v %v", r, err)
			r2, err := p.Join(ctx, b)
			t.Logf("%+v %v", r2, err)
			e := <-q.Events()
			t.Logf("%+v", e)
			m := e.(matcher.OfferMade).Offer.Match
			t.Log(q.Confirm(ctx, m, a.ID))
			t.Log(p.Confirm(ctx, m, b.ID))
			t.Logf("%+v", <-q.Events())
			t.Log(p.Abort(ctx, m, b.ID))
			t.Log(p.Leave(ctx, b.ID))
			t.Log(p.Estimate(ctx, b))
			cancel()
			t.Log(<-done, <-done)
			t.Log(retention.Audit(context.Background(), rdb))
		})
	}
}
