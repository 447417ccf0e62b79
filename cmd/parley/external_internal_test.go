package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a name server on loopback, asked by Go's own resolver.
func names(t *testing.T, records map[string][]string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:n]) == nil {
				_, _ = conn.WriteTo(answerName(t, m, records), from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
}

func answerName(t *testing.T, m dnsmessage.Message, records map[string][]string) []byte {
	q := m.Questions[0]
	m.Response, m.Additionals = true, nil
	all, there := records[strings.TrimSuffix(q.Name.String(), ".")]
	if !there {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, one := range all {
		a := netip.MustParseAddr(one)
		head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
		switch {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	b, err := m.Pack()
	if err != nil {
		t.Error(err)
	}
	return b
}

// TestExternalByName: the addresses of a name, IPv6 only where the relay listens for it; and what is
// wrong with a name is said.
func TestExternalByName(t *testing.T) {
	asked := names(t, map[string][]string{
		"both.example.org": {"203.0.113.5", "2001:db8::5"}, "six.example.org": {"2001:db8::5"},
	})
	v4, v6, none := netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("2001:db8::5"), netip.Addr{}
	for _, test := range []struct {
		name, listen string
		want         external
		fault        string
	}{
		{"both.example.org", "[::]:1", external{v4: v4, v6: v6}, ""},
		{"both.example.org", "0.0.0.0:1", external{v4: v4, v6: none}, ""},
		{"six.example.org", "[::]:1", external{}, "the name six.example.org has no IPv4 address: make a record of kind A"},
		{"away.example.org", "[::]:1", external{}, "there is no address under the name away.example.org"},
	} {
		e, err := externalOf("dns:" + test.name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.settle(t.Context(), asked, netip.MustParseAddrPort(test.listen).Addr())
		if got != test.want || (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) {
			t.Errorf("%s at %s: %+v, %v", test.name, test.listen, got, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (external{name: "both.example.org"}).settle(gone, asked, netip.IPv4Unspecified()); err == nil || !strings.Contains(err.Error(), "cannot be looked up") {
		t.Errorf("without a name server: %v", err)
	}
}

// TestExternalAuto: public addresses of this machine, and honest words when there is none.
func TestExternalAuto(t *testing.T) {
	for _, test := range []struct{ has, want, fault string }{
		{"127.0.0.1 192.168.1.5 198.20.7.5 2a00:1450::5", "198.20.7.5 2a00:1450::5", ""},
		{"127.0.0.1 ::1 192.168.1.5 100.64.0.9 fe80::1 2a00:1450::5", "", "only 192.168.1.5 (private), 100.64.0.9 (private): it is probably behind NAT"},
		{"127.0.0.1 ::1", "", "only that of loopback"},
	} {
		var all []netip.Addr
		for one := range strings.FieldsSeq(test.has) {
			all = append(all, netip.MustParseAddr(one))
		}
		found, err := publicOf(all)
		var got []string
		for _, a := range found {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != test.want || (err == nil) != (test.fault == "") || err != nil && !strings.Contains(err.Error(), test.fault) {
			t.Errorf("%s: %s, %v", test.has, got, err)
		}
	}
	if _, err := interfaceAddresses(); err != nil {
		t.Error(err)
	}
}
