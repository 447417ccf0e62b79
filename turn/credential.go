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
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// CredentialTime is how long a credential can be used to make a relay.
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

// errUser says that a user name is not ours, was changed, or is out of its time.
var errUser = errors.New("user name is not valid now")

// mint makes and reads user names.
type mint struct {
	secret []byte // of the passwords
	marks  []byte // key of the marks of calls
	seal   cipher.AEAD
}

const minSecret = 16

func newMint(secret []byte) (*mint, error) {
	if len(secret) < minSecret {
		return nil, fmt.Errorf("relay: the secret has %d bytes, %d are the least", len(secret), minSecret)
	}
	derive := func(what string) []byte {
		key, err := hkdf.Key(sha256.New, secret, nil, "parley relay "+what, 32)
		if err != nil {
			panic(fmt.Sprintf("turn: %v", err)) // only if 32 bytes were too many for SHA-256
		}
		return key
	}
	block, err := aes.NewCipher(derive("user"))
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &mint{secret: secret, marks: derive("call"), seal: seal}, nil
}

// make returns a user name of kind for call, good until expires.
func (m *mint) make(kind Kind, call string, expires time.Time) string {
	mac := hmac.New(sha256.New, m.marks)
	mac.Write([]byte(call))
	plain := append([]byte{byte(kind)}, mac.Sum(nil)[:len(mark{})]...)
	nonce := make([]byte, m.seal.NonceSize())
	rand.Read(nonce) // never fails (crypto/rand)
	expiry := strconv.FormatInt(expires.Unix(), 10)
	return expiry + ":" + base64.RawURLEncoding.EncodeToString(m.seal.Seal(nonce, nonce, plain, []byte(expiry)))
}

// open reads a user name that is to make a relay at now.
func (m *mint) open(user string, now time.Time) (grant, error) {
	expiry, sealed, _ := strings.Cut(user, ":")
	until, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil || until <= now.Unix() || until > now.Add(CredentialTime+clockSkew).Unix() {
		return grant{}, errUser
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) < m.seal.NonceSize() {
		return grant{}, errUser
	}
	nonce, box := raw[:m.seal.NonceSize()], raw[m.seal.NonceSize():]
	plain, err := m.seal.Open(nil, nonce, box, []byte(expiry))
	if err != nil || len(plain) != 1+len(mark{}) {
		return grant{}, errUser
	}
	return grant{kind: Kind(plain[0]), call: mark(plain[1:])}, nil
}

// password is that of the TURN REST scheme: base64(HMAC-SHA1(secret, user name)).
func (m *mint) password(user string) string {
	mac := hmac.New(sha1.New, m.secret)
	mac.Write([]byte(user))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Credential returns a fresh [Veil] credential for call.
func (s *Server) Credential(call string) Credential { return s.CredentialOf(Veil, call) }

// CredentialOf returns a fresh credential of kind for call. Relays of one call reach each other.
func (s *Server) CredentialOf(kind Kind, call string) Credential {
	user := s.mint.make(kind, call, s.cfg.Now().Add(CredentialTime))
	return Credential{URLs: s.urls(), Username: user, Password: s.mint.password(user), TTL: CredentialTime}
}

// urls are the addresses of the relay, UDP first and TLS last.
func (s *Server) urls() []string {
	host := s.cfg.Host
	if host == "" {
		host = s.cfg.External.String()
	}
	at := net.JoinHostPort(host, strconv.Itoa(int(s.addr.Port())))
	urls := []string{"turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
	if s.cfg.External6.IsValid() { // one more, not two: a browser makes a relay for each
		urls = append(urls, "turn:"+netip.AddrPortFrom(s.cfg.External6, s.addr.Port()).String()+"?transport=udp")
	}
	if s.cfg.Secure != "" {
		urls = append(urls, "turns:"+s.cfg.Secure+"?transport=tcp")
	}
	return urls
}

// unmapped is a with an IPv4 address in its plain form.
func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }
