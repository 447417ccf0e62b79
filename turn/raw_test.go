package turn_test

import (
	"crypto/tls"
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// raw speaks STUN by hand, so that it can say what no client would.
type raw struct {
	t          testing.TB
	conn       net.Conn
	user, pass string
	nonce      stun.Nonce
}

// knock opens a socket to the relay and lets it end with the test.
func knock(t testing.TB, s *turn.Server, over wire) net.Conn {
	t.Helper()
	network := map[wire]string{overUDP: "udp4", overTCP: "tcp4", overTLS: "tcp4"}[over]
	conn, err := net.Dial(network, at(s, over))
	if err != nil {
		t.Fatal(err)
	}
	if over == overTLS { // who shows what certificate is not what these tests are about
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// at is where s takes what comes over a wire.
func at(s *turn.Server, over wire) string {
	if over == overTLS {
		return s.SecureAddr()
	}
	return s.Addr().String()
}

// speak prepares a client and fetches a nonce.
func speak(t testing.TB, s *turn.Server, c turn.Credential, over wire) *raw {
	t.Helper()
	return speakOn(t, knock(t, s, over), c)
}

// speakOn is speak on a connection that is there already.
func speakOn(t testing.TB, conn net.Conn, c turn.Credential) *raw {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	r := &raw{t: t, conn: conn, user: c.Username, pass: c.Password}
	r.send(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), transport(17)).Raw)
	challenge := r.answer()
	if challenge == nil || code(challenge) != stun.CodeUnauthorized {
		t.Fatalf("no challenge: %v", challenge)
	}
	if err := r.nonce.GetFrom(challenge); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *raw) send(b []byte) {
	r.t.Helper()
	if _, err := r.conn.Write(b); err != nil {
		r.t.Fatal(err)
	}
}

// answer reads one STUN message, nil when none comes.
func (r *raw) answer() *stun.Message {
	b := r.packet(time.Second)
	if b == nil {
		return nil
	}
	m := &stun.Message{Raw: b}
	if err := m.Decode(); err != nil {
		r.t.Fatalf("answer is no STUN message: %v", err)
	}
	return m
}

func (r *raw) packet(patience time.Duration) []byte {
	_ = r.conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 2000)
	n, err := r.conn.Read(b)
	if err != nil {
		return nil
	}
	return b[:n]
}

// build makes a signed request.
func (r *raw) build(method stun.Method, attributes ...stun.Setter) []byte {
	parts := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attributes...)
	parts = append(parts, stun.NewUsername(r.user), stun.NewRealm("parley"), r.nonce,
		stun.NewLongTermIntegrity(r.user, "parley", r.pass))
	return stun.MustBuild(parts...).Raw
}

// ask sends a signed request and returns the code of the answer: 0 for success, -1 for silence.
func (r *raw) ask(method stun.Method, attributes ...stun.Setter) stun.ErrorCode {
	r.t.Helper()
	r.send(r.build(method, attributes...))
	m := r.answer()
	if m == nil {
		return -1
	}
	return code(m)
}

func (r *raw) allocate() stun.ErrorCode {
	r.t.Helper()
	return r.ask(stun.MethodAllocate, transport(17))
}

func code(m *stun.Message) stun.ErrorCode {
	if m.Type.Class == stun.ClassSuccessResponse {
		return 0
	}
	var c stun.ErrorCodeAttribute
	if c.GetFrom(m) != nil {
		return 1 // an error without a code
	}
	return c.Code
}

// attribute is any attribute.
type attribute struct {
	kind  stun.AttrType
	value []byte
}

func (a attribute) AddTo(m *stun.Message) error {
	m.Add(a.kind, a.value)
	return nil
}

func transport(p byte) attribute { return attribute{stun.AttrRequestedTransport, []byte{p, 0, 0, 0}} }

func lifetime(seconds uint32) attribute {
	return attribute{stun.AttrLifetime, binary.BigEndian.AppendUint32(nil, seconds)}
}

func channel(n uint16) attribute {
	return attribute{stun.AttrChannelNumber, []byte{byte(n >> 8), byte(n), 0, 0}}
}

// peerAt is an XOR-PEER-ADDRESS.
type peerAt string

func (p peerAt) AddTo(m *stun.Message) error {
	host, port, err := net.SplitHostPort(string(p))
	if err != nil {
		return err
	}
	n, err := net.LookupPort("udp", port)
	if err != nil {
		return err
	}
	return stun.XORMappedAddress{IP: net.ParseIP(host), Port: n}.AddToAs(m, stun.AttrXORPeerAddress)
}

// peerAt6 is an XOR-PEER-ADDRESS of 16 bytes, also for what could be written in four.
type peerAt6 string

func (p peerAt6) AddTo(m *stun.Message) error {
	ip := netip.MustParseAddr(string(p)).As16()
	v := []byte{0, 2, 0x20 ^ 0x21, 0x00 ^ 0x12}
	v = append(v, ip[:]...)
	for i := range 16 {
		v[4+i] ^= m.Raw[4+i] // cookie and transaction id
	}
	m.Add(stun.AttrXORPeerAddress, v)
	return nil
}
