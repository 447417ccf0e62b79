package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// format is the number of the way in which files are written. A change that an older parley could not
// read makes it one more.
const format = 1

// Head is the first line of a file.
type Head struct {
	Parley string    `json:"parley"` // "backup"
	Format int       `json:"format"`
	Shape  int       `json:"shape"` // of the data, as migrations count it
	Mark   string    `json:"mark"`  // of the key file
	Made   time.Time `json:"made"`
}

// record is one key.
type record struct {
	Key     string            `json:"key"`
	Expires int64             `json:"expires,omitzero"` // Unix ms, 0 never
	Text    []byte            `json:"text,omitempty"`   // of a string
	Fields  map[string][]byte `json:"fields,omitempty"` // of a hash
}

// foot is the last line.
type foot struct {
	Records int    `json:"records"`
	SHA256  string `json:"sha256"`
}

// Fields of the record of the data's shape.
const (
	fieldShape = "version"
	fieldMark  = "key"
)

// atOnce is how many records are asked for together.
const atOnce = 256

// ErrEmpty says that there is nothing to save.
var ErrEmpty = errors.New("this database was never used by parley: there is nothing to save")

// Write writes all that is carried in rdb, and returns how many records that are. It asks for as many
// a second as [retention.CountPace] says, first for the keys, then for what they hold. Parley may run
// meanwhile; what changes in that moment is in the file as it was before or after.
func Write(ctx context.Context, to io.Writer, rdb redis.UniversalClient, now time.Time) (int, error) {
	head, err := headOf(ctx, rdb, now)
	if err != nil {
		return 0, err
	}
	keys, err := retention.CarriedKeys(ctx, rdb, retention.CountPace)
	if err != nil {
		return 0, err
	}
	w := &summed{to: bufio.NewWriter(to), sum: sha256.New()}
	if err := w.line(head); err != nil {
		return 0, err
	}
	n, asked, began := 0, 0, time.Now()
	for batch := range slices.Chunk(keys, atOnce) {
		records, err := fetch(ctx, rdb, batch)
		if err != nil {
			return 0, err
		}
		for _, r := range records {
			if err := w.line(r); err != nil {
				return 0, err
			}
		}
		n += len(records)
		asked += len(batch)
		if err := retention.Rest(ctx, began, asked, retention.CountPace); err != nil {
			return 0, err
		}
	}
	if err := w.line(foot{n, hex.EncodeToString(w.sum.Sum(nil))}); err != nil {
		return 0, err
	}
	return n, w.to.Flush()
}

// headOf reads what the data says of itself.
func headOf(ctx context.Context, rdb redis.UniversalClient, now time.Time) (Head, error) {
	fields, err := rdb.HGetAll(ctx, retention.Schema.Key()).Result()
	if err != nil {
		return Head{}, fmt.Errorf("read the shape of the data: %w", err)
	}
	if len(fields) == 0 {
		return Head{}, ErrEmpty
	}
	shape, err := strconv.Atoi(fields[fieldShape])
	if err != nil {
		return Head{}, fmt.Errorf("the shape of the data is %q, not a number: this database is not parley's", fields[fieldShape])
	}
	return Head{Parley: "backup", Format: format, Shape: shape, Mark: fields[fieldMark], Made: now.UTC().Truncate(time.Second)}, nil
}

// summed writes lines and adds them up.
type summed struct {
	to  *bufio.Writer
	sum hash.Hash
}

func (w *summed) line(v any) error {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return err
	}
	text = append(text, '\n')
	w.sum.Write(text) // never fails
	_, err = w.to.Write(text)
	return err
}

// fetch reads some records. Those that have expired meanwhile are left out.
func fetch(ctx context.Context, rdb redis.UniversalClient, keys []string) ([]record, error) {
	pipe := rdb.Pipeline()
	ends := make([]*redis.DurationCmd, len(keys))
	texts, hashes := map[int]*redis.StringCmd{}, map[int]*redis.MapStringStringCmd{}
	for i, key := range keys {
		ends[i] = pipe.PExpireTime(ctx, key)
		if it, _ := retention.Lookup(key); it.Kind == "string" {
			texts[i] = pipe.Get(ctx, key)
		} else {
			hashes[i] = pipe.HGetAll(ctx, key)
		}
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	var all []record
	for i, key := range keys {
		end, err := ends[i].Result()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", className(key), err)
		}
		r := record{Key: key}
		const gone, stays = -2, -1
		if end == gone {
			continue
		} else if end != stays {
			r.Expires = end.Milliseconds()
		}
		there, err := r.fill(texts[i], hashes[i])
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", className(key), err)
		}
		if there {
			all = append(all, r)
		}
	}
	return all, nil
}

// fill takes the value in.
func (r *record) fill(text *redis.StringCmd, fields *redis.MapStringStringCmd) (there bool, err error) {
	if text != nil {
		r.Text, err = text.Bytes()
		if errors.Is(err, redis.Nil) {
			return false, nil
		}
		return err == nil, err
	}
	all, err := fields.Result()
	if err != nil || len(all) == 0 {
		return false, err
	}
	r.Fields = map[string][]byte{}
	for name, value := range all {
		r.Fields[name] = []byte(value)
	}
	return true, nil
}

// className is the name of a key's class, for errors.
func className(key string) string {
	it, _ := retention.Lookup(key)
	return "a record of the class " + it.Name
}
