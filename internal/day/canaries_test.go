package day_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"parley/internal/day"
)

// TestForms: a canary is found in every form in which such a thing hides, wherever it stands; and
// nothing else is taken for one.
func TestForms(t *testing.T) {
	var c day.Canaries
	raw := []byte("\x00\x01\x02 thirty-two bytes of a token\xff")
	token, text := base64.RawURLEncoding.EncodeToString(raw), "It is me, Ana Kovač & nobody else?"
	c.Plant("address", "10.157.64.1")
	c.Plant("device", token)
	c.Plant("text", text)
	c.Plant("channel", "417")
	c.Plant("letter", strings.Repeat("a long letter, ", 100))
	net := c.Net()
	sum := func(text string) []byte { s := sha256.Sum256([]byte(text)); return s[:] }
	for hidden, want := range map[string]string{
		text: "text, as it is", url.QueryEscape(text): "text, escaped", hex.EncodeToString([]byte(text)): "text, in hex",
		strings.ToUpper(hex.EncodeToString([]byte(text))): "text, in HEX", base64.StdEncoding.EncodeToString([]byte(text)): "text, in base64",
		base64.URLEncoding.EncodeToString([]byte(text)): "text, in base64", string(sum(text)): "text, sha256",
		hex.EncodeToString(sum(text)): "text, sha256 in hex", base64.RawURLEncoding.EncodeToString(sum(text)): "text, sha256 in base64",
		"from=10.157.64.1:4711": "address, as it is", hex.EncodeToString(sum("10.157.64.0/24")): "network, sha256 in hex",
		hex.EncodeToString(raw): "device, decoded, in hex", string(raw): "device, decoded", token: "device, as it is",
		base64.StdEncoding.EncodeToString(sum("417")):                                        "channel, sha256 in base64",
		strings.Repeat("a long letter, ", 5):                                                 "letter, as it is",
		base64.StdEncoding.EncodeToString([]byte(strings.Repeat("a long letter, ", 100))):    "letter, in base64",
		base64.StdEncoding.EncodeToString([]byte("a long letter, a long letter, and so on")): "",
		"channel 417": "", "10.157.64.200": "", "": "", "Ana": "",
	} {
		for _, before := range []string{"", "x", strings.Repeat("y", 1000)} {
			found := strings.Join(net.Search([]byte(before+hidden+" z")), "; ")
			if want == "" && found != "" || !strings.HasPrefix(found, want) {
				t.Errorf("in %q: %q, want %q", before+hidden, found, want)
			}
		}
	}
	if n := c.Counts(); n["network"] != 1 || n["address"] != 1 || n["channel"] != 1 {
		t.Errorf("planted: %v", n)
	}
}
