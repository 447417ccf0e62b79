package turn

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the TURN REST scheme that browsers speak knows no other hash
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// CredentialTime is how long a credential can be used to make a relay, at the longest.
const CredentialTime = 10 * time.Minute

// clockSkew is how far apart the clocks of two nodes with one secret may be.
const clockSkew = time.Minute

// Kind is what a credential's relay may reach.
type Kind byte

// The kinds.
const (
	Veil Kind = 'v' // only the relays of the same call
	Open Kind = 'o' // these, and every address that the deny list leaves
)

// Credential is what a browser needs to use the relay. URLs, Username and Password are the fields
// of an RTCIceServer.
type Credential struct {
	URLs     []string
	Username string
	Password string
	TTL      time.Duration
}

// mark names a call without telling which.
type mark [16]byte

// grant is what a user name says.
type grant struct {
	kind Kind
	call mark
}

// refusal says why a user name cannot make a relay.
type refusal int

const (
	granted   refusal = iota
	forged            // not ours, changed, or for another relay
	expired           // its time is over
	premature         // further ahead than we ever issue
	over              // its call has ended
)

// keyTime is how long one secret serves. Which it is follows from the expiry of the user name, so
// that around a change two are live, and no node needs to tell another of it.
const keyTime = 24 * time.Hour

// keys are what one period's user names are made and read with.
type keys struct {
	period    int64
	passwords []byte
	seal      cipher.AEAD
}

// mint makes and reads user names.
type mint struct {
	secret []byte
	marks  []byte // key of the marks of calls, the same for ever: a call may last from one period to the next

	mu   sync.Mutex // guards the following
	live [2]*keys   // by period modulo two
}

const minSecret = 16

func newMint(secret []byte) (*mint, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("relay: the secret has %d bytes, %d are the least", len(secret), minSecret)
	}
	return &mint{secret: secret, marks: derive(secret, "call")}, nil
}

// derive makes a key of 32 bytes for one purpose (RFC 5869).
func derive(secret []byte, what string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, "parley relay "+what, 32)
	if err != nil {
		panic(fmt.Sprintf("turn: %v", err)) // only if 32 bytes were too many for SHA-256
	}
	return key
}

// sealer is AES-256-GCM under a key of 32 bytes.
func sealer(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(fmt.Sprintf("turn: %v", err)) // only if the key were not 32 bytes
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("turn: %v", err)) // only if AES had another block size
	}
	return seal
}

// of returns the keys for user names that expire at a time.
func (m *mint) of(expires int64) *keys {
	period := expires / int64(keyTime/time.Second)
	m.mu.Lock()
	defer m.mu.Unlock()
	slot := &m.live[period&1]
	if *slot == nil || (*slot).period != period {
		own := derive(m.secret, "period "+strconv.FormatInt(period, 10))
		*slot = &keys{period: period, passwords: derive(own, "password"), seal: sealer(derive(own, "user"))}
	}
	return *slot
}

// markOf is the mark of a call.
func (m *mint) markOf(call string) mark {
	mac := hmac.New(sha256.New, m.marks)
	mac.Write([]byte(call))
	return mark(mac.Sum(nil)[:len(mark{})])
}

// make returns a user name of kind for call at one relay, good until expires.
func (m *mint) make(kind Kind, call, relay string, expires time.Time) string {
	of := m.markOf(call)
	plain := append([]byte{byte(kind)}, of[:]...)
	k := m.of(expires.Unix())
	nonce := make([]byte, k.seal.NonceSize())
	rand.Read(nonce) // never fails (crypto/rand)
	expiry := strconv.FormatInt(expires.Unix(), 10)
	return expiry + ":" + base64.RawURLEncoding.EncodeToString(k.seal.Seal(nonce, nonce, plain, []byte(expiry+" "+relay)))
}

// open reads a user name that is to make a relay at now.
func (m *mint) open(user, relay string, now time.Time) (grant, refusal) {
	expiry, sealed, _ := strings.Cut(user, ":")
	until, err := strconv.ParseInt(expiry, 10, 64)
	switch {
	case err != nil:
		return grant{}, forged
	case until <= now.Unix():
		return grant{}, expired
	case until > now.Add(CredentialTime+clockSkew).Unix():
		return grant{}, premature
	}
	k := m.of(until)
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < k.seal.NonceSize() || base64.RawURLEncoding.EncodeToString(raw) != sealed {
		return grant{}, forged // also the same seal in other letters
	}
	nonce, box := raw[:k.seal.NonceSize()], raw[k.seal.NonceSize():]
	plain, err := k.seal.Open(nil, nonce, box, []byte(expiry+" "+relay))
	if err != nil || len(plain) != 1+len(mark{}) {
		return grant{}, forged
	}
	return grant{kind: Kind(plain[0]), call: mark(plain[1:])}, granted
}

// password is that of the TURN REST scheme, base64(HMAC-SHA1(secret, user name)), under the secret
// of the user name's period.
func (m *mint) password(user string) string {
	expiry, _, _ := strings.Cut(user, ":")
	until, _ := strconv.ParseInt(expiry, 10, 64) // of a user name that was made or opened
	mac := hmac.New(sha1.New, m.of(until).passwords)
	mac.Write([]byte(user))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Credential returns a fresh [Veil] credential for call.
func (s *Server) Credential(call string) Credential { return s.CredentialOf(Veil, call) }

// CredentialOf returns a fresh credential of kind for call. Relays of one call reach each other.
// It is good at this relay only, and says that the call goes on if it had been told to have ended.
func (s *Server) CredentialOf(kind Kind, call string) Credential {
	s.ended.forget(s.mint.markOf(call))
	return s.credentialAt(kind, call, s.name(), s.urls())
}

// credentialAt returns a credential for a relay with our secret.
func (s *Server) credentialAt(kind Kind, call, relay string, urls []string) Credential {
	life := s.cfg.CredentialTime
	user := s.mint.make(kind, call, relay, s.cfg.Now().Add(life))
	return Credential{URLs: urls, Username: user, Password: s.mint.password(user), TTL: life}
}

// name is what tells this relay from others of the installation, also after a restart.
func (s *Server) name() string { return s.sites[0].name() }

// urls are the addresses of the relay, UDP first and TLS last. A browser makes a relay for each, so
// there is one more for each address beside the first, not two.
func (s *Server) urls() []string {
	first := s.sites[0]
	host := s.cfg.Host
	if host == "" {
		host = first.external.String()
	}
	at := net.JoinHostPort(host, strconv.Itoa(int(first.addr.Port())))
	urls := []string{"turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
	if s.cfg.External6.IsValid() {
		urls = append(urls, "turn:"+netip.AddrPortFrom(s.cfg.External6, first.addr.Port()).String()+"?transport=udp")
	}
	for _, x := range s.sites[1:] {
		urls = append(urls, "turn:"+x.name()+"?transport=udp")
	}
	if s.cfg.Secure != "" {
		urls = append(urls, "turns:"+s.cfg.Secure+"?transport=tcp")
	}
	return urls
}

// unmapped is a with an IPv4 address in its plain form.
func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
