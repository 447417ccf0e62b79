package signaling

import (
	"context"
	_ "embed" // the script stands in a file
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

//go:embed lua/claim.lua
var claimLua string

// Redis is how a hub reaches other nodes and what they agree on.
type Redis struct {
	Client redis.UniversalClient
	PubSub redis.UniversalClient // for the subscription to their mail; with Protocol 2
}

// homes finds the node that carries a room after its first one died: whoever asks first carries it,
// and the others learn who that was.
type homes struct {
	rdb    redis.UniversalClient
	script *redis.Script
	node   string
	alive  func(node string) bool
}

func newHomes(rdb redis.UniversalClient, node string, alive func(string) bool) homes {
	return homes{rdb, redis.NewScript(claimLua), node, alive}
}

// look returns the living node that has claimed the room; this one if none has.
func (s homes) look(ctx context.Context, room string) (string, error) {
	home, err := s.rdb.Get(ctx, retention.Home.Key(room)).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("find the node of a room: %w", err)
	}
	if home == "" || !s.alive(home) {
		return s.node, nil
	}
	return home, nil
}

// tries is how many dead nodes in a row may have claimed a room.
const tries = 3

// claim returns the living node that carries the room now; this one if nobody else does. The node of
// lost is known not to, if there is one.
func (s homes) claim(ctx context.Context, lost Address) (string, error) {
	keys := []string{retention.Home.Key(lost.ID)}
	dead := lost.Node
	for range tries {
		home, err := s.script.Run(ctx, s.rdb, keys, s.node, dead, retention.Home.TTL().Milliseconds()).Text()
		switch {
		case err != nil:
			return "", fmt.Errorf("find the node of a room: %w", err)
		case s.alive(home):
			return home, nil
		}
		dead = home
	}
	return s.node, nil
}
