package signaling_test

import (
	"bytes"
	"testing"

	"parley/internal/keyring"
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
		plain, err := who.Open(from, sealed)
		return err == nil && bytes.Equal(plain, mail)
	}
	changed := bytes.Clone(first)
	changed[len(changed)-1] ^= 1
	for name, bad := range map[string]bool{
		"by somebody else":            opens(cy, "ana", first),
		"as of somebody else":         opens(bo, "cy", first),
		"when it was changed":         opens(bo, "ana", changed),
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
