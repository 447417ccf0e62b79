package day

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// Scene is what a thief, an operator or a visitor can read.
type Scene struct {
	Redis redis.UniversalClient // nil: nothing of it is looked at
	Files []string              // files and folders: those of Redis, logs
	Pages map[string][]byte     // answers, by what was asked
}

// Report is what was found in a scene.
type Report struct {
	Keys   map[string]int // by class; "" for those of none
	Bytes  int64          // searched
	Files  int
	Pages  int
	Faults []string // one sentence each
}

// Counts writes counts in a line, by name.
func Counts(all map[string]int) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		words = append(words, fmt.Sprintf("%s %d", name, all[name]))
	}
	return strings.Join(words, ", ")
}

// Inspect searches a scene for canaries, and Redis for keys that are not as the catalogue says.
func Inspect(ctx context.Context, s Scene, n *Net) (Report, error) {
	r := Report{Keys: map[string]int{}, Pages: len(s.Pages)}
	if s.Redis != nil {
		if err := r.redis(ctx, s.Redis, n); err != nil {
			return r, err
		}
	}
	for _, root := range s.Files {
		if err := r.files(root, n); err != nil {
			return r, err
		}
	}
	for _, asked := range slices.Sorted(maps.Keys(s.Pages)) {
		r.search("the answer to "+asked, s.Pages[asked], n)
	}
	return r, nil
}

// search looks into one text.
func (r *Report) search(where string, text []byte, n *Net) {
	r.Bytes += int64(len(text))
	for _, found := range n.Search(text) {
		r.Faults = append(r.Faults, where+" holds a canary: "+found)
	}
}

// redis looks into every key and value, and audits them.
func (r *Report) redis(ctx context.Context, rdb redis.UniversalClient, n *Net) error {
	faults, err := retention.Audit(ctx, rdb)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	for _, f := range faults {
		r.Faults = append(r.Faults, fmt.Sprintf("the key %q %s", f.Key, f.Says))
	}
	return EachKey(ctx, rdb, func(key, value string) error {
		class := ""
		if c, known := retention.ClassOf(key); known {
			class = c.String()
		}
		r.Keys[class]++
		r.search(fmt.Sprintf("the key %q", key), []byte(key+"\n"+value), n)
		return nil
	})
}

// EachKey visits every key once, with all that it holds, a part to a line. The masters of a Cluster
// are walked one after the other.
func EachKey(ctx context.Context, rdb redis.UniversalClient, visit func(key, value string) error) error {
	seen := map[string]bool{}
	walk := func(node redis.Cmdable) error {
		keys := node.Scan(ctx, 0, "*", 1000).Iterator()
		for keys.Next(ctx) {
			key := keys.Val()
			if seen[key] {
				continue
			}
			seen[key] = true
			value, err := valueOf(ctx, rdb, key)
			if err != nil {
				return fmt.Errorf("read %q: %w", key, err)
			}
			if err := visit(key, value); err != nil {
				return err
			}
		}
		return keys.Err()
	}
	servers, err := holders(ctx, rdb)
	if err != nil {
		return err
	}
	for _, s := range servers {
		if err := walk(s); err != nil {
			return err
		}
	}
	return nil
}

// holders are the servers that hold keys: the masters of a Cluster.
func holders(ctx context.Context, rdb redis.UniversalClient) ([]redis.Cmdable, error) {
	cluster, is := rdb.(*redis.ClusterClient)
	if !is {
		return []redis.Cmdable{rdb}, nil
	}
	var mu sync.Mutex // guards all: the client goes to every master at the same time
	var all []redis.Cmdable
	err := cluster.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, node)
		return nil
	})
	return all, err
}

// valueOf returns all that a key holds; nothing when it has expired meanwhile.
func valueOf(ctx context.Context, rdb redis.UniversalClient, key string) (string, error) {
	kind, err := rdb.Type(ctx, key).Result()
	if err != nil {
		return "", err
	}
	var parts []string
	switch kind {
	case "string":
		var text string
		if text, err = rdb.Get(ctx, key).Result(); errors.Is(err, redis.Nil) {
			err = nil
		}
		parts = []string{text}
	case "hash":
		var fields map[string]string
		fields, err = rdb.HGetAll(ctx, key).Result()
		for k, v := range fields {
			parts = append(parts, k, v)
		}
	case "zset":
		parts, err = rdb.ZRange(ctx, key, 0, -1).Result()
	case "set":
		parts, err = rdb.SMembers(ctx, key).Result()
	case "list":
		parts, err = rdb.LRange(ctx, key, 0, -1).Result()
	case "stream":
		var all []redis.XMessage
		all, err = rdb.XRange(ctx, key, "-", "+").Result()
		for _, m := range all {
			parts = append(parts, fmt.Sprint(m.Values))
		}
	case "none":
	default:
		err = fmt.Errorf("it is a %s, which nothing of parley is", kind)
	}
	return strings.Join(parts, "\n"), err
}

// files looks into a file, or into all of a folder. One that goes away meanwhile is no error.
func (r *Report) files(root string, n *Net) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != root:
			return nil
		case err != nil:
			return fmt.Errorf("search files: %w", err)
		case d.IsDir() || !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path) //nolint:gosec // whoever asks names the folder
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("search files: %w", err)
		}
		r.Files++
		r.search("the file "+path, text, n)
		return nil
	})
}
