package vtest

import (
	"context"
	"net"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Commands counts what a client sends, by the name of the command. A client of a Cluster sends more
// than is counted here: what it says to one node only.
type Commands struct {
	mu   sync.Mutex // guards sent
	sent map[string]int
}

// Watch counts from now on.
func Watch(rdb redis.UniversalClient) *Commands {
	c := &Commands{sent: map[string]int{}}
	rdb.AddHook(c)
	return c
}

// Of is how often a command was sent.
func (c *Commands) Of(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent[name]
}

// All is how many commands were sent.
func (c *Commands) All() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.sent {
		n += k
	}
	return n
}

func (c *Commands) add(some ...redis.Cmder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cmd := range some {
		c.sent[cmd.Name()]++
	}
}

// DialHook changes nothing.
func (c *Commands) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook counts one command.
func (c *Commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.add(cmd)
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook counts those of a pipeline.
func (c *Commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.add(cmds...)
		return next(ctx, cmds)
	}
}
