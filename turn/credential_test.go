package turn_test

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// clock is a time that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

func TestExpiryIsForMakingRelaysOnly(t *testing.T) {
	var c clock
	s := start(t, func(cfg *turn.Config) { cfg.Now = c.now })
	cred := s.Credential("call")
	running, fresh := speak(t, s, cred, overUDP), speak(t, s, cred, overUDP)
	if got := running.allocate(); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	c.forward(turn.CredentialTime + time.Second)
	if got := fresh.allocate(); got != stun.CodeBadRequest {
		t.Errorf("allocate after the expiry: %d, want to be refused", got)
	}
	self := peerAt("127.0.0.1:50000")
	if !s.Authenticates(cred.Username, running.conn.LocalAddr()) {
		t.Error("the hook refuses a running relay")
	}
	for name, got := range map[string]stun.ErrorCode{
		"refresh":    running.ask(stun.MethodRefresh),
		"permission": running.ask(stun.MethodCreatePermission, self),
		"channel":    running.ask(stun.MethodChannelBind, channel(0x4000), self),
	} {
		if got != 0 {
			t.Errorf("%s after the expiry: %d, want to go on", name, got)
		}
	}
	c.forward(4 * time.Hour)
	if s.Authenticates(cred.Username, running.conn.LocalAddr()) {
		t.Error("the hook takes requests after four hours")
	}
	for name, got := range map[string]stun.ErrorCode{
		"refresh":    running.ask(stun.MethodRefresh),
		"permission": running.ask(stun.MethodCreatePermission, self),
	} {
		if got != stun.CodeAllocMismatch {
			t.Errorf("%s after four hours: %d, want to be refused", name, got)
		}
	}
}

func TestRelayObeysItsOwnUserOnly(t *testing.T) {
	s := start(t, nil)
	r := speak(t, s, s.Credential("call"), overUDP)
	if got := r.allocate(); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	owner := *r
	other := s.Credential("call")
	r.user, r.pass = other.Username, other.Password
	self := peerAt("127.0.0.1:50000")
	for name, got := range map[string]stun.ErrorCode{
		"refresh":    r.ask(stun.MethodRefresh),
		"end":        r.ask(stun.MethodRefresh, lifetime(0)),
		"permission": r.ask(stun.MethodCreatePermission, self),
		"channel":    r.ask(stun.MethodChannelBind, channel(0x4000), self),
		"allocate":   r.allocate(),
	} {
		if got != stun.CodeWrongCredentials {
			t.Errorf("%s by another user: %d, want 441", name, got)
		}
	}
	if got := owner.ask(stun.MethodRefresh); got != 0 {
		t.Errorf("refresh by the owner: %d", got)
	}
	// Behind the gate pion's own hook refuses, too.
	if at := owner.conn.LocalAddr(); s.Authenticates(other.Username, at) || !s.Authenticates(owner.user, at) {
		t.Error("the hook does not tell the owner from another user")
	}
	// The owner's name with another key does not get past pion, and gets no signed answer.
	owner.pass = other.Password
	if got := owner.ask(stun.MethodCreatePermission, peerAt("8.8.8.8:5000")); got != stun.CodeBadRequest {
		t.Errorf("permission with a wrong password: %d", got)
	}
	if got := owner.ask(stun.MethodRefresh, lifetime(0)); got != stun.CodeBadRequest {
		t.Errorf("refresh with a wrong password: %d", got)
	}
	if s.Counters().Relays != 1 {
		t.Error("the relay is gone")
	}
}

func TestUserNamesThatAreRefused(t *testing.T) {
	s := start(t, nil)
	good := s.Credential("call")
	expiry, sealed, _ := strings.Cut(good.Username, ":")
	later, _ := strconv.ParseInt(expiry, 10, 64)
	foreign := start(t, func(c *turn.Config) { c.Secret = []byte("another secret of sixteen bytes") }).Credential("call")
	for name, user := range map[string]string{
		"empty":          "",
		"no seal":        expiry,
		"prolonged":      strconv.FormatInt(later+30, 10) + ":" + sealed,
		"far future":     "99999999999:" + sealed,
		"negative":       "-1:" + sealed,
		"overflow":       "99999999999999999999999:" + sealed,
		"not a number":   "soon:" + sealed,
		"leading plus":   "+" + good.Username,
		"cut":            good.Username[:len(good.Username)-2],
		"long":           good.Username + strings.Repeat("x", 400),
		"not UTF-8":      expiry + ":\xff\xfe",
		"another secret": foreign.Username,
	} {
		r := speak(t, s, good, overUDP)
		r.user = user
		if got := r.allocate(); got == 0 {
			t.Errorf("%s: accepted", name)
		}
	}
	wrong := speak(t, s, good, overUDP)
	wrong.pass = "guess"
	if got := wrong.allocate(); got != stun.CodeBadRequest {
		t.Errorf("wrong password: %d", got)
	}
	if c := s.Counters(); c.Made != 0 {
		t.Errorf("%d relays were made", c.Made)
	}
}

func TestUserNamesDoNotShowWhatBelongsTogether(t *testing.T) {
	s := start(t, nil)
	one, two := s.Credential("call-id"), s.Credential("call-id")
	_, a, _ := strings.Cut(one.Username, ":")
	_, b, _ := strings.Cut(two.Username, ":")
	if a == b || a[:12] == b[:12] || strings.Contains(a, "call-id") || one.Password == two.Password {
		t.Errorf("%q and %q", one.Username, two.Username)
	}
	if one.TTL != turn.CredentialTime || len(one.URLs) != 2 ||
		!strings.HasSuffix(one.URLs[0], "?transport=udp") || !strings.HasSuffix(one.URLs[1], "?transport=tcp") {
		t.Errorf("credential: %+v", one)
	}
}

func TestCredentialOfTheFutureIsRefused(t *testing.T) {
	var c clock
	s := start(t, func(cfg *turn.Config) { cfg.Now = c.now })
	cred := s.Credential("call")
	c.forward(-30 * time.Second) // another node's clock may be that far ahead
	if got := speak(t, s, cred, overUDP).allocate(); got != 0 {
		t.Errorf("half a minute ahead: %d", got)
	}
	c.forward(-5 * time.Minute)
	if got := speak(t, s, cred, overUDP).allocate(); got != stun.CodeBadRequest {
		t.Errorf("five minutes ahead: %d, want to be refused", got)
	}
}
