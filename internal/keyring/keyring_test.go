package keyring_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/internal/keyring"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func TestSealOpen(t *testing.T) {
	ring, other := keyring.New(), keyring.New()
	token := ring.Seal("handle", "ana", noon.Add(time.Minute), []byte("body"))
	for _, c := range []struct {
		name           string
		ring           *keyring.Ring
		purpose, owner string
		now            time.Time
		want           error
	}{
		{"right", ring, "handle", "ana", noon, nil},
		{"last moment", ring, "handle", "ana", noon.Add(time.Minute - time.Nanosecond), nil},
		{"expired", ring, "handle", "ana", noon.Add(time.Minute), keyring.ErrExpired},
		{"other purpose", ring, "pass", "ana", noon, keyring.ErrToken},
		{"other owner", ring, "handle", "bo", noon, keyring.ErrToken},
		{"other ring", other, "handle", "ana", noon, keyring.ErrToken},
	} {
		body, err := c.ring.Open(c.purpose, c.owner, c.now, token)
		if !errors.Is(err, c.want) || (err == nil) != bytes.Equal(body, []byte("body")) {
			t.Errorf("%s: %q %v, want %v", c.name, body, err, c.want)
		}
	}
}

// TestMalleability: no other token opens.
func TestMalleability(t *testing.T) {
	ring := keyring.New()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		token := ring.Seal("p", "o", noon.Add(time.Hour), body)
		if got, err := ring.Open("p", "o", noon, token); err != nil || !bytes.Equal(got, body) {
			t.Fatal(got, err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		raw[rapid.IntRange(0, len(raw)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := ring.Open("p", "o", noon, base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, keyring.ErrToken) {
			t.Fatal(err)
		}
		if _, err := ring.Open("p", "o", noon, token[:rapid.IntRange(0, len(token)-1).Draw(t, "cut")]); !errors.Is(err, keyring.ErrToken) {
			t.Fatal(err)
		}
	})
}

func TestMark(t *testing.T) {
	ring := keyring.New()
	all := map[string]string{
		"ab c": string(ring.Mark("p", "ab", "c")), "a bc": string(ring.Mark("p", "a", "bc")),
		"abc": string(ring.Mark("p", "abc")), "other purpose": string(ring.Mark("q", "abc")),
		"other ring": string(keyring.New().Mark("p", "abc")),
	}
	seen := map[string]string{}
	for name, mark := range all {
		if twin, is := seen[mark]; is {
			t.Errorf("%s and %s have the same mark", name, twin)
		}
		seen[mark] = name
	}
	if tag := ring.Tag("p", "abc"); len(tag) != 12 || tag != ring.Tag("p", "abc") {
		t.Errorf("tag %q", tag)
	}
}

func TestLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state", "keys")
	var made [8]*keyring.Ring // at once: all get the same
	var all sync.WaitGroup
	for i := range made {
		all.Go(func() {
			var err error
			if made[i], err = keyring.Load(file); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for _, ring := range made {
		if ring.Tag("p", "x") != made[0].Tag("p", "x") {
			t.Error("two processes that start at once have different keys")
		}
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v %v", left, err)
	}
	for _, bad := range []struct {
		name, content string
		mode          os.FileMode
		says          string
	}{
		{"open to others", strings.Repeat("0", 64), 0o640, "chmod 600"},
		{"too short", "00", 0o600, "64 hexadecimal digits"},
		{"not hexadecimal", strings.Repeat("x", 64), 0o600, "64 hexadecimal digits"},
	} {
		bent := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(bent, []byte(bad.content), bad.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(bent, bad.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Load(bent); err == nil || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: %v, want %q", bad.name, err, bad.says)
		}
	}
}
