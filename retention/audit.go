package retention

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// Fault is one key that breaks the catalogue's promise.
type Fault struct {
	Key  string
	Says string // what is wrong, in words
}

// Audit walks every key of rdb and returns those that are not in the catalogue, have another type
// than declared, lack an expiry, would live longer than declared, or are larger. It reads only, as
// fast as Redis answers; [Count] is for a Redis that has other work.
func Audit(ctx context.Context, rdb redis.UniversalClient) ([]Fault, error) {
	var faults []Fault
	err := walk(ctx, rdb, 0, func(s sight) {
		if says := s.fault(); says != "" {
			faults = append(faults, Fault{s.key, says})
		}
	})
	return faults, err
}

// fault says what is wrong with a key, "" for nothing.
func (s sight) fault() string {
	switch {
	case s.item == nil:
		return "is not in the catalogue"
	case s.kind != s.item.Kind:
		return fmt.Sprintf("is a %s, declared as %s", s.kind, s.item.Kind)
	case s.item.TTL > 0 && s.left < 0:
		return "never expires"
	case s.item.TTL > 0 && s.left > s.item.TTL:
		return fmt.Sprintf("lives for %v, declared at most %v", s.left.Round(time.Millisecond), s.item.TTL)
	case s.size > s.item.Size:
		return fmt.Sprintf("has %d bytes, declared at most %d", s.size, s.item.Size)
	}
	return ""
}
