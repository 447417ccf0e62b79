package turn_test

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"pgregory.net/rapid"

	"parley/turn"
)

// TestSecretsRotate: around the change of the secret user names of both are good; later none of
// the old one is, and who has stolen one secret makes nothing with it.
func TestSecretsRotate(t *testing.T) {
	var c clock
	s := start(t, func(cfg *turn.Config) { cfg.Now = c.now })
	change := c.now().Truncate(turn.KeyTime).Add(2 * turn.KeyTime)
	c.forward(change.Add(-3 * time.Minute).Sub(c.now()))
	steal := s.LeakedKeys(c.now())
	early, late := s.LeakedKeys(c.now())("call", c.now().Add(time.Minute)), s.Credential("call") // that one expires after the change
	if got := speak(t, s, early, overUDP).allocate(); got != 0 {
		t.Errorf("of the old secret, before the change: %d", got)
	}
	if got := speak(t, s, late, overUDP).allocate(); got != 0 {
		t.Errorf("of the new secret, before the change: %d", got)
	}
	c.forward(5 * time.Minute)
	if got := speak(t, s, late, overUDP).allocate(); got != 0 {
		t.Errorf("made before the change, used after it: %d", got)
	}
	if got := speak(t, s, steal("call", c.now().Add(5*time.Minute)), overUDP).allocate(); got != stun.CodeBadRequest {
		t.Errorf("made with a secret whose time is over: %d, want to be refused", got)
	}
	if n := s.Counters().AuthForged; n != 1 {
		t.Errorf("%d forged names counted, want 1", n)
	}
}

// TestEndedCall: a credential makes no relay once its call has ended, and relays that are alive go
// on. Handing out another says that the call goes on after all.
func TestEndedCall(t *testing.T) {
	var c clock
	s := start(t, func(cfg *turn.Config) { cfg.Now = c.now })
	stolen := s.Credential("call")
	ana, bo := call(t, s, stolen, overUDP), call(t, s, s.Credential("call"), overTCP)
	thief, other := speak(t, s, stolen, overUDP), speak(t, s, s.Credential("another"), overUDP)
	s.End("call")
	if got := thief.allocate(); got != stun.CodeBadRequest {
		t.Errorf("after the end: %d, want to be refused", got)
	}
	c.forward(turn.CredentialTime - time.Minute)
	for i := range 3 {
		s.End(fmt.Sprint("call ", i)) // that it is forgotten too early
	}
	if got := thief.allocate(); got != stun.CodeBadRequest {
		t.Errorf("nine minutes after the end: %d, want to be refused", got)
	}
	if got := other.allocate(); got != 0 {
		t.Errorf("for another call: %d", got)
	}
	if !hears(t, ana, bo, "still here") {
		t.Error("sound was cut")
	}
	if n := s.Counters().AuthEnded; n != 2 {
		t.Errorf("%d refusals counted, want 2", n)
	}
	if got := speak(t, s, s.Credential("call"), overUDP).allocate(); got != 0 {
		t.Errorf("of a call that went on: %d", got)
	}
}

// TestEndedCallsAreBounded: however many end, the last ones are known.
func TestEndedCallsAreBounded(t *testing.T) {
	s := start(t, nil)
	first, last := s.Credential("first"), s.Credential("last")
	s.End("first")
	s.EndOthers()
	s.End("last")
	if got := speak(t, s, last, overUDP).allocate(); got != stun.CodeBadRequest {
		t.Errorf("of the last call: %d, want to be refused", got)
	}
	if got := speak(t, s, first, overUDP).allocate(); got != 0 {
		t.Errorf("of the first call: %d: it was to be forgotten", got)
	}
}

// TestCredentialIsForOneRelay: what one relay of an installation is told when a call ends the
// others need not hear, because its credentials are no good there.
func TestCredentialIsForOneRelay(t *testing.T) {
	one, two := start(t, nil), start(t, nil) // with one secret
	if got := speak(t, two, one.Credential("call"), overUDP).allocate(); got != stun.CodeBadRequest {
		t.Errorf("at the other relay: %d, want to be refused", got)
	}
}

// TestLongCall: a call of 15 virtual minutes outlives its credential by far: relays are refreshed,
// permissions renewed, and both hear each other all the time.
func TestLongCall(t *testing.T) {
	var c clock
	s := start(t, func(cfg *turn.Config) { cfg.Now, cfg.CredentialTime = c.now, 2*time.Minute })
	cred := s.Credential("call")
	ana, bo := speak(t, s, cred, overUDP), speak(t, s, s.Credential("call"), overTCP)
	late := speak(t, s, cred, overUDP)
	at := map[*raw]string{}
	for _, r := range []*raw{ana, bo} {
		r.send(r.build(stun.MethodAllocate, transport(17)))
		var relayed stun.XORMappedAddress
		if err := relayed.GetFromAs(r.answer(), stun.AttrXORRelayedAddress); err != nil {
			t.Fatal(err)
		}
		at[r] = relayed.String()
	}
	pairs := [][2]*raw{{ana, bo}, {bo, ana}}
	for minute := range 15 {
		for _, p := range pairs {
			if got := p[0].ask(stun.MethodCreatePermission, peerAt(at[p[1]])); got != 0 {
				t.Fatalf("minute %d: permission: %d", minute, got)
			}
			if got := p[0].ask(stun.MethodChannelBind, channel(0x4000), peerAt(at[p[1]])); got != 0 {
				t.Fatalf("minute %d: channel: %d", minute, got)
			}
			if got := p[0].ask(stun.MethodRefresh); got != 0 {
				t.Fatalf("minute %d: refresh: %d", minute, got)
			}
		}
		for _, p := range pairs {
			p[0].send([]byte{0x40, 0, 0, 4, 'm', 'i', 'n', byte(minute)})
			if got := p[1].packet(5 * time.Second); string(got) != string([]byte{0x40, 0, 0, 4, 'm', 'i', 'n', byte(minute)}) {
				t.Fatalf("minute %d: heard %x", minute, got)
			}
		}
		c.forward(time.Minute)
		s.Age(time.Minute)
	}
	if got := late.allocate(); got != stun.CodeBadRequest {
		t.Errorf("a new relay with the old credential: %d, want to be refused", got)
	}
	if n := s.Counters().AuthExpired; n != 1 {
		t.Errorf("%d expired names counted, want 1", n)
	}
}

// TestAnswersToStrangersAreBounded: whatever is wrong with a request, signed or not, who has no
// relay gets only so many answers, of all kinds together.
func TestAnswersToStrangersAreBounded(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Quotas.Challenges = 5 })
	good := s.Credential("call")
	r := speak(t, s, good, overUDP)
	wrongNonce, wrongUser, wrongPassword := *r, *r, *r
	wrongNonce.nonce = stun.NewNonce("of another relay")
	wrongUser.user = "99:nobody"
	wrongPassword.pass = "guess"
	requests := [][]byte{
		stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)).Raw,
		wrongNonce.build(stun.MethodAllocate, transport(17)),
		wrongUser.build(stun.MethodAllocate, transport(17)),
		wrongPassword.build(stun.MethodAllocate, transport(17)),
		r.build(stun.MethodRefresh),
		r.build(stun.MethodAllocate, transport(6)),
	}
	sent, answers := 0, 0
	for i := range 300 {
		r.send(requests[i%len(requests)])
		sent++
	}
	await(t, func() bool {
		c := s.Counters()
		return c.Suppressed > 0 && c.Suppressed+c.Challenges+c.AuthNonce+c.AuthExpired+c.AuthForged+c.AuthPassword+c.RefusedRequest >= int64(sent)
	})
	for r.packet(50*time.Millisecond) != nil {
		answers++
	}
	if answers < 5 || answers > 60 {
		t.Errorf("%d answers to %d requests of strangers, want about 10 and five more a second", answers, sent)
	}
}

// TestQuotaNeverLeaks plays requests that succeed, are repeated, forged, over the quota or out of
// ports, and every way to end, in any order: the places that are taken are always those of the
// relays alive.
func TestQuotaNeverLeaks(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, err := turn.Start(relayWith(func(c *turn.Config) {
			c.Ports = turn.PortRange{First: 50_000, Last: uint16(50_000 + rapid.IntRange(1, 9).Draw(rt, "ports"))}
			c.Quotas = turn.Quotas{PerCredential: 3, PerCall: 5, PerNetwork: 7, Relays: 6, Challenges: 1_000_000}
		}))
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		creds := []turn.Credential{s.Credential("one"), s.Credential("one"), s.Credential("two")}
		type held struct {
			*raw
			last []byte
		}
		var clients []held
		defer func() {
			for _, c := range clients {
				c.conn.Close()
			}
		}()
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			what := rapid.SampledFrom([]string{"new", "new", "new", "forged", "repeat", "refresh", "end", "hang up"}).Draw(rt, "what")
			if len(clients) == 0 {
				what = "new"
			}
			switch what {
			case "new", "forged":
				conn, err := net.Dial(rapid.SampledFrom([]string{"udp4", "tcp4"}).Draw(rt, "network"), s.Addr().String())
				if err != nil {
					rt.Fatal(err)
				}
				cred := creds[rapid.IntRange(0, 2).Draw(rt, "credential")]
				r := &raw{t: t, conn: conn, user: cred.Username, pass: cred.Password}
				r.send(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), transport(17)).Raw)
				if err := r.nonce.GetFrom(r.answer()); err != nil {
					rt.Fatal(err)
				}
				if what == "forged" {
					r.pass = "guess"
				}
				b := r.build(stun.MethodAllocate, transport(17))
				clients = append(clients, held{r, b})
				r.send(b)
				r.answer()
			default:
				c := clients[rapid.IntRange(0, len(clients)-1).Draw(rt, "client")]
				switch what {
				case "repeat":
					c.send(c.last)
					c.packet(20 * time.Millisecond) // an ended relay's client gets no answer
				case "refresh":
					c.send(c.build(stun.MethodRefresh))
					c.packet(20 * time.Millisecond)
				case "end":
					c.send(c.build(stun.MethodRefresh, lifetime(0)))
					c.packet(20 * time.Millisecond)
				case "hang up":
					c.conn.Close()
					clients = slices.DeleteFunc(clients, func(o held) bool { return o.raw == c.raw })
				}
			}
			await(t, func() bool { return s.Places() == int(s.Counters().Relays) })
		}
		s.Close()
		if s.Places() != 0 || s.Counters().Relays != 0 {
			rt.Fatalf("%d places are taken by %d relays when all is over", s.Places(), s.Counters().Relays)
		}
	})
}

// TestAddressThatChanges: a browser that comes from another port, as when it changes networks, has no
// relay there and makes another with its credential; the one before goes on, and ends by itself.
func TestAddressThatChanges(t *testing.T) {
	s := start(t, nil)
	cred := s.Credential("call")
	before, bo := sitDown(t, speak(t, s, cred, overUDP)), sit(t, s, turn.Veil, "call")
	moved := speak(t, s, cred, overUDP)
	if c := moved.ask(stun.MethodRefresh); c != stun.CodeAllocMismatch {
		t.Errorf("the old relay from a new address: %d, want 437", c)
	}
	moved.send(sendTo(bo.relayed, "from nobody"))
	await(t, func() bool { return s.Counters().DroppedStranger == 1 })
	after := sitDown(t, moved)
	for _, ana := range []seat{after, before} {
		ana.permit(bo.relayed)
		bo.permit(ana.relayed)
		ana.send(sendTo(bo.relayed, "here"))
		if words, _ := data(t, bo.packet(5*time.Second)); words != "here" {
			t.Errorf("heard %q", words)
		}
	}
	if n := s.Counters().Relays; n != 3 {
		t.Errorf("%d relays, want 3", n)
	}
}
