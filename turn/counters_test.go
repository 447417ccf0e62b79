package turn_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// TestCountersAreNumbers: nothing that is counted can hold an address, a user or a call.
func TestCountersAreNumbers(t *testing.T) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[turn.Counters]()) {
		if f.Type.Kind() != reflect.Int64 {
			t.Errorf("%s is a %s", f.Name, f.Type)
		}
	}
}

// TestFailuresAreCountedByCause: each way to fail adds one to its own count and to no other.
func TestFailuresAreCountedByCause(t *testing.T) {
	causes := func(c turn.Counters) map[string]int64 {
		all := map[string]int64{}
		v := reflect.ValueOf(c)
		for _, f := range reflect.VisibleFields(v.Type()) {
			if n := v.FieldByIndex(f.Index).Int(); n != 0 && (strings.HasPrefix(f.Name, "Auth") || strings.HasPrefix(f.Name, "Refused")) {
				all[f.Name] = n
			}
		}
		return all
	}
	for cause, fail := range map[string]func(s *turn.Server, r *raw){
		"AuthForged":    func(_ *turn.Server, r *raw) { r.user = "9999999999999999999999:x"; r.allocate() },
		"AuthExpired":   func(_ *turn.Server, r *raw) { r.user = "99:x"; r.allocate() },
		"AuthPremature": func(_ *turn.Server, r *raw) { r.user = "99999999999:x"; r.allocate() },
		"AuthEnded":     func(s *turn.Server, r *raw) { s.End("call"); r.allocate() },
		"AuthPassword":  func(_ *turn.Server, r *raw) { r.pass = "guess"; r.allocate() },
		"AuthNonce":     func(_ *turn.Server, r *raw) { r.nonce = stun.NewNonce("of nobody"); r.allocate() },
		"AuthOwner": func(s *turn.Server, r *raw) {
			r.allocate()
			other := s.Credential("call")
			r.user, r.pass = other.Username, other.Password
			r.ask(stun.MethodRefresh)
		},
		"RefusedPeer": func(_ *turn.Server, r *raw) { r.allocate(); r.ask(stun.MethodCreatePermission, peerAt("8.8.8.8:5000")) },
		"RefusedPerCall": func(s *turn.Server, r *raw) {
			for range 2 {
				speak(r.t, s, s.Credential("call"), overUDP).allocate()
			}
			r.allocate()
		},
		"RefusedPorts": func(s *turn.Server, r *raw) {
			for range 2 {
				speak(r.t, s, s.Credential("another"), overUDP).allocate()
			}
			r.allocate()
		},
	} {
		t.Run(cause, func(t *testing.T) {
			s := start(t, func(c *turn.Config) {
				c.Ports, c.Quotas.PerCall = turn.PortRange{First: 50_000, Last: 50_001}, 2
			})
			fail(s, speak(t, s, s.Credential("call"), overUDP))
			got := causes(s.Counters())
			if cause == "AuthOwner" || cause == "RefusedPeer" { // the answer is a refusal as well
				delete(got, "RefusedRequest")
			}
			if fmt.Sprint(got) != fmt.Sprintf("map[%s:1]", cause) {
				t.Errorf("counted %v", got)
			}
		})
	}
}
