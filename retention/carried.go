package retention

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Lookup returns what the catalogue says of a key, and false for a key that it does not know.
func Lookup(key string) (Item, bool) {
	if it := classify(key); it != nil {
		return *it, true
	}
	return Item{}, false
}

// CarriedKeys returns every key of a class that is carried, as a backup wants them. It looks at
// most at pace keys a second of each server, [CountPace] for example.
func CarriedKeys(ctx context.Context, rdb redis.UniversalClient, pace int) ([]string, error) {
	var keys []string
	seen := map[string]struct{}{} // a walk may see one twice
	err := walk(ctx, rdb, pace, func(s sight) {
		if _, twice := seen[s.key]; s.item == nil || !s.item.Carried || twice {
			return
		}
		seen[s.key] = struct{}{}
		keys = append(keys, s.key)
	})
	return keys, err
}
