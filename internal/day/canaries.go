package day

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"strings"
	"sync"
)

// Canaries are texts that must be found nowhere. Safe for concurrent use.
type Canaries struct {
	mu   sync.Mutex // guards all
	all  map[string]map[string]bool
	left int // how many were not planted, because there were enough of their kind
}

const (
	// mostOfAKind is how many canaries of one kind are looked for; there are very many envelopes.
	mostOfAKind = 20_000
	// longest is how much of a long text is looked for: its beginning. It is a multiple of three, so that
	// the base64 of it begins that of the whole.
	longest = 63
	// shortest is what can be told from chance. A shorter form is left out: the bytes of an IPv4
	// address, the digits of a channel. Their hashes are long enough.
	shortest = 8
)

// Plant adds a text of a kind. Of an address its network is planted too.
func (c *Canaries) Plant(kind, text string) {
	if text == "" {
		return
	}
	if ip, err := netip.ParseAddr(text); err == nil && ip.Is4() {
		c.add("network", netip.PrefixFrom(ip, 24).Masked().String())
	}
	c.add(kind, text)
}

func (c *Canaries) add(kind, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]map[string]bool{}
	}
	if c.all[kind] == nil {
		c.all[kind] = map[string]bool{}
	}
	if len(c.all[kind]) >= mostOfAKind {
		c.left++
		return
	}
	c.all[kind][text] = true
}

// Counts says how many of each kind are planted.
func (c *Canaries) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := map[string]int{}
	for kind, texts := range c.all {
		n[kind] = len(texts)
	}
	return n
}

// form is one way to write a canary.
type form struct{ name, text string }

// forms are the ways in which a text is looked for.
func forms(text string) []form {
	sum := sha256.Sum256([]byte(text))
	all := []form{
		{"sha256", string(sum[:])},
		{"sha256 in hex", hex.EncodeToString(sum[:])},
		{"sha256 in HEX", strings.ToUpper(hex.EncodeToString(sum[:]))},
		{"sha256 in base64", base64.RawStdEncoding.EncodeToString(sum[:])},
		{"sha256 in base64url", base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	if bytes, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(bytes) >= 2*shortest {
		decoded := string(bytes[:min(len(bytes), longest)])
		all = append(all, form{"decoded", decoded}, form{"decoded, in hex", hex.EncodeToString([]byte(decoded))})
	}
	text = text[:min(len(text), longest)]
	return append(all,
		form{"as it is", text},
		form{"escaped", url.QueryEscape(text)},
		form{"in hex", hex.EncodeToString([]byte(text))},
		form{"in HEX", strings.ToUpper(hex.EncodeToString([]byte(text)))},
		form{"in base64", base64.RawStdEncoding.EncodeToString([]byte(text))},
		form{"in base64url", base64.RawURLEncoding.EncodeToString([]byte(text))},
	)
}

// Net finds canaries in texts.
type Net struct {
	from map[uint64][]needle // by the first bytes
	may  []uint64            // one bit for each of some hashes of these
}

type needle struct {
	rest, kind, form string // rest is what follows the first bytes
}

// netBits is how many bits of a hash Net.may knows.
const netBits = 22

// Net returns what finds all that is planted so far.
func (c *Canaries) Net() *Net {
	c.mu.Lock()
	all := map[string][]string{}
	for kind, texts := range c.all {
		for text := range maps.Keys(texts) {
			all[kind] = append(all[kind], text)
		}
	}
	c.mu.Unlock()
	n := &Net{from: map[uint64][]needle{}, may: make([]uint64, 1<<netBits/64)}
	for kind, texts := range all {
		for _, text := range texts {
			for _, f := range forms(text) {
				n.add(kind, f)
			}
		}
	}
	return n
}

func (n *Net) add(kind string, f form) {
	if len(f.text) < shortest {
		return
	}
	first := binary.LittleEndian.Uint64([]byte(f.text))
	for _, other := range n.from[first] {
		if other.rest == f.text[shortest:] {
			return
		}
	}
	n.from[first] = append(n.from[first], needle{f.text[shortest:], kind, f.name})
	h := hashed(first)
	n.may[h/64] |= 1 << (h % 64)
}

func hashed(first uint64) uint64 { return first * 0x9E3779B97F4A7C15 >> (64 - netBits) }

// Search returns one sentence for each kind and form of a canary that stands in text.
func (n *Net) Search(text []byte) []string {
	var found []string
	seen := map[needle]bool{}
	for i := 0; i+shortest <= len(text); i++ {
		first := binary.LittleEndian.Uint64(text[i:])
		if h := hashed(first); n.may[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		for _, needle := range n.from[first] {
			if !bytes.HasPrefix(text[i+shortest:], []byte(needle.rest)) {
				continue
			}
			rest := needle.rest
			if needle.rest = ""; !seen[needle] {
				seen[needle] = true
				found = append(found, fmt.Sprintf("%s, %s, at byte %d (%d bytes)", needle.kind, needle.form, i, shortest+len(rest)))
			}
		}
	}
	return found
}
