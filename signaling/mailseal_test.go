package signaling_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/retention"
	"parley/signaling"
)

// TestMailIsSealed: what goes over Redis shows nothing of the mail, opens for its receiver only, once,
// and only if it was sealed with the installation's key.
func TestMailIsSealed(t *testing.T) {
	ring := keyring.New()
	ana, bo, cy := signaling.NewSeals(ring, "ana"), signaling.NewSeals(ring, "bo"), signaling.NewSeals(ring, "cy")
	forger := signaling.NewSeals(keyring.New(), "ana")
	mail := []byte("a token and a device that nobody else may read")
	first, second := ana.Close("bo", mail), ana.Close("bo", mail)
	if bytes.Contains(first, mail[:8]) || bytes.Equal(first, second) {
		t.Error("sealed mail shows what it is")
	}
	opens := func(who *signaling.Seals, from string, sealed []byte) bool {
		plain, ok := who.Open(from, sealed)
		return ok && bytes.Equal(plain, mail)
	}
	changed, head := bytes.Clone(first), bytes.Clone(first)
	changed[len(changed)-1] ^= 1
	head[1] ^= 1
	for name, bad := range map[string]bool{
		"by somebody else":            opens(cy, "ana", first),
		"as of somebody else":         opens(bo, "cy", first),
		"when it was changed":         opens(bo, "ana", changed),
		"with another head":           opens(bo, "ana", head),
		"when it is of no parley":     opens(bo, "ana", []byte("x")),
		"without the key of the ring": opens(bo, "ana", forger.Close("bo", mail)),
		"back where it came from":     opens(ana, "bo", first),
	} {
		if bad {
			t.Errorf("mail opens %s", name)
		}
	}
	if !opens(bo, "ana", first) || !opens(bo, "ana", second) {
		t.Error("mail does not open")
	}
	if opens(bo, "ana", first) || opens(bo, "ana", second) {
		t.Error("mail opens twice")
	}
}

// TestForged: who may publish in Redis but has no key stops no mail: not by saying that a node speaks
// another version, not by acknowledging what it does not have, not by beginning a stream anew, and not
// by saying again what was said.
func TestForged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.play("testdata/transcripts/parts/apart.txt")
		one, two := s.node.name, s.more[0].name
		tap := s.redis.Subscribe(t.Context(), retention.Bus.Key(one))
		defer tap.Close()
		if _, err := tap.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
		forge := func(packet string) {
			s.redis.Publish(t.Context(), retention.Bus.Key(one), packet)
			s.redis.Pass(10 * time.Millisecond)
		}
		blank := strings.Repeat("\x00", 8)
		forge("\x09\x01" + two + blank)
		forge("\x02\x03" + two + blank)
		number := strings.Repeat("\x00", 3) + "\x01" + strings.Repeat("\x00", 4) // the first epoch of the first peer
		forge("\x02\x01" + two + blank + "\x02" + strings.Repeat("\x00", 16) + number + blank)
		forge("\x02\x01" + two + blank + "\x01\x7f" + strings.Repeat("\x00", 14) + "\x01" + strings.Repeat("\x00", 16))
		lines := []string{
			`ana > {"t":"relay","c":3,"a":3,"to":"$bo","seq":1,"box":"aGVsbG8"}`,
			`bo < {"t":"relay","n":3,"from":"$ana","seq":1,"...":"*"}`,
			`bo > {"t":"relay","c":3,"a":3,"to":"$ana","seq":1,"box":"d29ybGQ"}`,
			`ana < {"t":"relay","n":4,"from":"$bo","seq":1,"...":"*"}`,
		}
		for _, line := range lines {
			if err := s.line(line); err != nil {
				t.Fatal(line, err)
			}
		}
		replayed := 0
		for {
			m, err := tap.ReceiveTimeout(t.Context(), time.Second)
			if err != nil {
				break
			}
			if said, is := m.(*redis.Message); is {
				forge(said.Payload)
				replayed++
			}
			if replayed > 20 {
				break
			}
		}
		if replayed < 6 {
			t.Error("only", replayed, "said again")
		}
		for _, line := range []string{`bo > {"t":"relay","c":4,"a":3,"to":"$ana","seq":2,"box":"d29ybGQ"}`, `ana < {"t":"relay","n":5,"from":"$bo","seq":2,"...":"*"}`, "ana silent"} {
			if err := s.line(line); err != nil {
				t.Fatal(line, err)
			}
		}
	})
}
