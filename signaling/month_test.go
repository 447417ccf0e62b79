package signaling_test

import (
	"bufio"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/day"
	"parley/retention"
)

// month is as long as nothing of a day may last, but for what is named as lasting.
const month = 31 * 24 * time.Hour

// lasting are the classes of which something of a day may be left after a month: the counts of its
// hours, and what is about the installation and about nobody.
func lasting() []retention.Class {
	return []retention.Class{retention.Hour, retention.Schema, retention.Policy}
}

// shared are the classes whose keys name no person, device, call or node, so that they are there
// again when others come.
func shared() []retention.Class {
	return append(lasting(), retention.Pool, retention.Occupied, retention.Waits, retention.Lease)
}

// memory is all that was in the store at some moment of a day.
type memory struct {
	keys  map[string]retention.Class
	atoms map[string]string // by what stands in keys or values, where it stood
}

func newMemory() *memory { return &memory{map[string]retention.Class{}, map[string]string{}} }

const atomSize = 8

// atoms are the pieces of a text that nothing but chance or a secret made: those of eight bytes, at
// least seven of them different, that are neither letters of one size alone nor digits alone. None
// goes over the end of a line.
func atoms(text string, visit func(string)) {
	for i := 0; i+atomSize <= len(text); i++ {
		if atom := text[i : i+atomSize]; telling(atom) {
			visit(atom)
		}
	}
}

func telling(atom string) bool {
	var seen [256]bool
	different, small, digits := 0, 0, 0
	for _, b := range []byte(atom) {
		if !seen[b] {
			seen[b] = true
			different++
		}
		switch {
		case b == '\n':
			return false
		case b >= 'a' && b <= 'z' || strings.IndexByte(":{}_", b) >= 0:
			small++
		case b >= '0' && b <= '9':
			digits++
		}
	}
	return different >= atomSize-1 && small < atomSize && digits < atomSize
}

// parts puts each part of a key on a line of its own: what they are called is the same for all, and
// must not make one with the first letter of a name.
func parts(key string) string {
	return strings.NewReplacer(":", "\n", "{", "\n", "}", "\n").Replace(key)
}

// remember adds what is in the store now.
func (m *memory) remember(s *stage) {
	s.t.Helper()
	err := day.EachKey(s.t.Context(), s.redis.Client, func(key, value string) error {
		class, known := retention.ClassOf(key)
		if !known {
			s.t.Errorf("%s is not in the catalogue", key)
		}
		if m.keys[key] = class; slices.Contains(lasting(), class) {
			return nil
		}
		name := key
		if slices.Contains(shared(), class) {
			name = ""
		}
		atoms(parts(name)+"\n"+ofSomebody(class, value), func(atom string) { m.atoms[atom] = key })
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// ofSomebody leaves out what is the same for all: a sum names the numbers by which it was made.
func ofSomebody(class retention.Class, value string) string {
	if class == retention.Sum && len(value) > 24 {
		return value[:8] + "\n" + value[24:]
	}
	return value
}

// gone fails when something of the day is in the store still.
func (m *memory) gone(s *stage) {
	s.t.Helper()
	err := day.EachKey(s.t.Context(), s.redis.Client, func(key, value string) error {
		class, _ := retention.ClassOf(key)
		if _, was := m.keys[key]; was && !slices.Contains(shared(), class) {
			s.t.Errorf("%s of the first day is there after a month", key)
		}
		if slices.Contains(lasting(), class) {
			return nil
		}
		said := ""
		atoms(parts(key)+"\n"+ofSomebody(class, value), func(atom string) {
			if from, was := m.atoms[atom]; was && said == "" {
				said = from
				s.t.Errorf("%s holds %q after a month, which %s held on the first day", key, atom, from)
			}
		})
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// lines plays a transcript and looks into the store after every line.
func (m *memory) lines(s *stage, file string) {
	s.t.Helper()
	text, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer text.Close()
	for sc := bufio.NewScanner(text); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.line(line); err != nil {
			s.t.Fatalf("%s: %v", file, err)
		}
		if s.redis.Ping(s.t.Context()).Err() == nil { // it may be away just now
			m.remember(s)
		}
	}
}

// TestMonth plays every transcript, ends its nodes, and lets 31 days pass: of all that was in the
// store at any moment only the counts of hours are left. Together they have written every class.
func TestMonth(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	var mu sync.Mutex // guards seen
	seen := make(map[retention.Class]bool)
	t.Run("all", func(t *testing.T) {
		for _, file := range files {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s, m := newStage(t), newMemory()
					m.lines(s, file)
					s.redis.Back() // a transcript may end while it is away
					s.close()
					m.remember(s)
					time.Sleep(month)
					s.redis.Advance(month)
					m.gone(s)
					for _, key := range s.redis.Keys() {
						if class, _ := retention.ClassOf(key); !slices.Contains(lasting(), class) {
							t.Errorf("%s is left after a month in which nobody came", key)
						}
					}
					mu.Lock()
					defer mu.Unlock()
					for class := range maps.Values(m.keys) {
						seen[class] = true
					}
				})
			})
		}
	})
	elsewhere := []retention.Class{retention.Schema, retention.SchemaLock, retention.Policy, retention.Bus, retention.Rewrite, retention.Counts, retention.Counting} // of no visitor
	for _, it := range retention.Catalogue() {
		if !seen[it.Class] && !slices.Contains(elsewhere, it.Class) {
			t.Errorf("no transcript writes a %s: whether it goes is not shown", it.Name)
		}
	}
}

// TestMonthOfUse: others come every ten days, search for the same, talk, and report one another.
// Nothing of the first day is carried along by what they write.
func TestMonthOfUse(t *testing.T) {
	for _, name := range []string{"report", "restricted", "link"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, m := newStage(t), newMemory()
				m.lines(s, "testdata/transcripts/"+name+".txt")
				s.kill()
				const step = 10 * 24 * time.Hour
				for range 3 {
					time.Sleep(step)
					s.redis.Advance(step)
					s.others()
				}
				time.Sleep(month - 3*step)
				s.redis.Advance(month - 3*step)
				m.gone(s)
			})
		})
	}
}

// others are two people who come on a day of their own: they talk, one reports the other, and their
// call is counted.
func (s *stage) others() {
	s.t.Helper()
	s.start()
	maps.DeleteFunc(s.cast, func(_ string, b *browser) bool {
		b.reading.Wait()
		return true
	})
	maps.DeleteFunc(s.vars, func(name string, _ any) bool { return !strings.HasPrefix(name, "$tag.") })
	pair, err := os.ReadFile("testdata/transcripts/parts/pair.txt")
	if err != nil {
		s.t.Fatal(err)
	}
	text := strings.NewReplacer("ana", "dora", "bo ", "emil ", "$bo", "$emil").Replace(string(pair)) + `
		emil > {"t":"report","c":3,"a":2,"handle":"$emil.handle","reason":"spam"}
		emil < {"t":"reported","...":"*"}
		wait 1m
		emil > {"t":"leave","c":4,"a":3}
		wait 11m`
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.line(line); err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
	}
	s.kill()
}
