package signaling

import (
	"hash/maphash"
	"sync"
)

const shardCount = 64

// shards is a map by name that many goroutines use at once.
type shards[V any] struct {
	seed maphash.Seed
	all  [shardCount]shard[V]
}

type shard[V any] struct {
	mu sync.RWMutex // guards m
	m  map[string]V
}

func newShards[V any]() *shards[V] {
	s := &shards[V]{seed: maphash.MakeSeed()}
	for i := range s.all {
		s.all[i].m = map[string]V{}
	}
	return s
}

func (s *shards[V]) of(key string) *shard[V] {
	return &s.all[maphash.String(s.seed, key)%shardCount]
}

func (s *shards[V]) get(key string) (V, bool) {
	sh := s.of(key)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	v, ok := sh.m[key]
	return v, ok
}

func (s *shards[V]) put(key string, v V) {
	sh := s.of(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.m[key] = v
}

// getOrPut returns what stands under key, or puts the result of make there.
func (s *shards[V]) getOrPut(key string, make func() V) V {
	sh := s.of(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	v, ok := sh.m[key]
	if !ok {
		v = make()
		sh.m[key] = v
	}
	return v
}

func (s *shards[V]) remove(key string) {
	sh := s.of(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	delete(sh.m, key)
}

// part returns the values of one shard.
func (s *shards[V]) part(i int) []V {
	sh := &s.all[i]
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	vs := make([]V, 0, len(sh.m))
	for _, v := range sh.m {
		vs = append(vs, v)
	}
	return vs
}

func (s *shards[V]) count() (n int) {
	for i := range s.all {
		sh := &s.all[i]
		sh.mu.RLock()
		n += len(sh.m)
		sh.mu.RUnlock()
	}
	return n
}
