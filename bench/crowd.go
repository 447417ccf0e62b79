package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/matcher"
)

// person returns the ticket of somebody ordinary: one or two languages, three interests, four
// devices to avoid. Half speak English first, so that one language is as busy as in life.
func person(rnd *rand.Rand) matcher.Ticket {
	languages := []string{"en", "es", "pt", "fr", "de", "ru"}
	first := 0
	if rnd.IntN(2) == 0 {
		first = rnd.IntN(len(languages))
	}
	t := matcher.Ticket{
		ID: matcher.NewID(), Device: tag(rnd), Languages: []string{languages[first]},
		Interests: three(rnd, matcher.Interests()), Meets: []int{0},
		Avoid: []string{tag(rnd), tag(rnd), tag(rnd), tag(rnd)},
	}
	if second := rnd.IntN(2 * len(languages)); second < len(languages) && second != first {
		t.Languages = append(t.Languages, languages[second])
	}
	return t
}

// tag returns 12 characters, as the desk makes them from a device.
func tag(rnd *rand.Rand) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var text [12]byte
	bits := rnd.Uint64()
	for i := range text {
		text[i] = alphabet[bits>>(5*i)&63]
	}
	return string(text[:])
}

func three(rnd *rand.Rand, all []string) []string {
	a, b, c := rnd.IntN(len(all)), rnd.IntN(len(all)-1), rnd.IntN(len(all)-2)
	if b >= a {
		b++
	}
	if c >= min(a, b) {
		c++
	}
	if c >= max(a, b) {
		c++
	}
	return []string{all[a], all[b], all[c]}
}

// crowd is a queue that runs, with a client that sends what many goroutines ask in pipelines.
type crowd struct {
	*matcher.Queue
	client *redis.AutoPipeliner
	stop   func() error
}

func startCrowd(ctx context.Context, s *store) (*crowd, error) {
	client, err := s.AutoPipeline()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{Queue: matcher.New(client, matcher.Config{Timeout: 30 * time.Second}), client: client}
	ran := make(chan error, 1)
	listened := make(chan struct{})
	go func() { ran <- c.Run(ctx) }()
	go func() {
		defer close(listened)
		for {
			select {
			case <-c.Events():
			case <-ctx.Done():
				return
			}
		}
	}()
	c.stop = func() error {
		cancel()
		<-listened
		return errors.Join(<-ran, client.Close())
	}
	return c, nil
}
