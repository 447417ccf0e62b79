package turn_test

import (
	"testing"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// TestNonceIsForOneAddress: who has a nonce from an address of their own makes no relay in the
// name of another; the answer there brings one that is good there.
func TestNonceIsForOneAddress(t *testing.T) {
	s := start(t, nil)
	cred := s.Credential("call")
	here := speak(t, s, cred, overUDP)
	for name, elsewhere := range map[string]*raw{
		"another port": {t: t, conn: knock(t, s, overUDP)},
		"TCP":          {t: t, conn: knock(t, s, overTCP)},
	} {
		elsewhere.user, elsewhere.pass, elsewhere.nonce = cred.Username, cred.Password, here.nonce
		elsewhere.send(elsewhere.build(stun.MethodAllocate, transport(17)))
		m := elsewhere.answer()
		if m == nil || code(m) != stun.CodeStaleNonce {
			t.Fatalf("%s: %v, want 438", name, m)
		}
		if err := elsewhere.nonce.GetFrom(m); err != nil {
			t.Fatal(err)
		}
		if got := elsewhere.allocate(); got != 0 {
			t.Errorf("%s, with its own: %d", name, got)
		}
	}
	for name, nonce := range map[string]string{
		"without its tag":  string(here.nonce[:len(here.nonce)-16]),
		"tag alone":        string(here.nonce[len(here.nonce)-16:]),
		"changed":          "f" + string(here.nonce[1:]),
		"another tag":      string(here.nonce[:len(here.nonce)-16]) + "0123456789abcdef",
		"none to speak of": "x",
	} {
		forged := *here
		forged.nonce = stun.NewNonce(nonce)
		if got := forged.allocate(); got != stun.CodeStaleNonce {
			t.Errorf("%s: %d, want 438", name, got)
		}
	}
	if n := s.Counters().Made; n != 2 {
		t.Errorf("%d relays were made, want 2", n)
	}
	// Used again by whoever it is for, it is good.
	for i := range 3 {
		if got := here.allocate(); (got == 0) != (i == 0) || i > 0 && got != stun.CodeAllocMismatch {
			t.Errorf("use %d: %d", i+1, got)
		}
		if got := here.ask(stun.MethodRefresh); got != 0 {
			t.Errorf("refresh %d: %d", i+1, got)
		}
	}
}

// TestRequestsOfEachShape: whatever else a signed request carries, it means to pion what its
// sender meant.
func TestRequestsOfEachShape(t *testing.T) {
	s := start(t, nil)
	r := speak(t, s, s.CredentialOf(turn.Open, "call"), overUDP)
	wrongRealm := func() []byte {
		return stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), transport(17),
			stun.NewUsername(r.user), stun.NewRealm("elsewhere"), r.nonce, stun.NewLongTermIntegrity(r.user, "elsewhere", r.pass)).Raw
	}
	r.send(wrongRealm())
	if m := r.answer(); m == nil || code(m) != stun.CodeBadRequest {
		t.Errorf("another realm: %v, want 400", m)
	}
	signed := func(parts ...stun.Setter) []byte {
		all := append([]stun.Setter{stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)}, parts...)
		return stun.MustBuild(append(all, stun.NewLongTermIntegrity(r.user, "parley", r.pass), stun.Fingerprint)...).Raw
	}
	user, name := stun.NewUsername(r.user), stun.NewRealm("parley")
	for what, b := range map[string][]byte{
		"no nonce": signed(transport(17), user, name),
		"no user":  signed(transport(17), r.nonce, name),
		"no realm": signed(transport(17), r.nonce, user),
	} {
		r.send(b)
		if m := r.answer(); m == nil || code(m) != stun.CodeBadRequest {
			t.Errorf("%s: %v, want 400", what, m)
		}
	}
	r.send(signed(stun.NewSoftware("a browser of one"), r.nonce, name, attribute{0xFE57, []byte("odd")}, transport(17), user))
	if m := r.answer(); m == nil || code(m) != 0 {
		t.Errorf("in another order, with software and fingerprint: %v", m)
	}
	if got := r.ask(stun.MethodCreatePermission, peerAt("1.1.1.1:5000"), peerAt("1.0.0.1:5000")); got != 0 {
		t.Errorf("two peers: %d", got)
	}
	forged := r.build(stun.MethodRefresh, lifetime(0))
	forged[len(forged)-1] ^= 1
	r.send(forged)
	if m := r.answer(); m == nil || code(m) != stun.CodeBadRequest || s.Counters().Relays != 1 {
		t.Errorf("a forged end: %v, %d relays", m, s.Counters().Relays)
	}
}
