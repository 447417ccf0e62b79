package turn_test

import (
	"net/netip"
	"testing"

	"parley/turn"
)

func TestForbiddenPeers(t *testing.T) {
	for want, addresses := range map[string][]string{
		"loopback": {
			"127.0.0.1", "127.0.0.2", "127.255.255.255", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1",
			"64:ff9b::7f00:1", "2002:7f00:1::", "2002:7f00:1:1::9", "2001:0:7f00:1::", "2001:0:808:808::80ff:fffe",
			"2606::5efe:127.0.0.1", "2606::200:5efe:7f00:1",
		},
		"unspecified": {"0.0.0.0", "0.0.0.1", "0.255.255.255", "::", "::ffff:0.0.0.0", "64:ff9b::", "::2", "2002::"},
		"private": {
			"10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255",
			"::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2002:c0a8:101::", "2001:0:a00:1::",
			"fc00::1", "fdff:ffff::1",
		},
		"link-local": {"169.254.0.1", "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "fe80::1", "febf::1"},
		"reserved": {
			"192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
			"240.0.0.1", "255.255.255.255", "::ffff:255.255.255.255", "64:ff9b::ffff:ffff", "2002:f000:1::",
			"100::1", "100:0:0:1::1", "2001:db8::1", "3fff::1", "3fff:fff::1", "2001:2::1", "2001:10::1", "2001:20::1", "fec0::1",
			"5f00::1", "64:ff9b:1::808:808", "64:ff9b::1:0:0:1", "4000::1", "::8.8.8.8", "::ffff:0:8.8.8.8",
		},
		"multicast":  {"224.0.0.1", "239.255.255.255", "::ffff:224.0.0.1", "64:ff9b::e000:1", "ff02::1", "ff0e::1"},
		"own":        {"8.8.4.4", "::ffff:8.8.4.4", "64:ff9b::808:404", "2002:808:404::"},
		"configured": {"9.9.9.9", "::ffff:9.9.9.9", "64:ff9b::909:909", "2002:909:909::1", "2620:fe::fe"},
		"invalid":    {"2606:4700::1%eth0"},
		"":           {"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.0.1.1", "223.255.255.255", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7", "2001:200::1"},
	} {
		for _, a := range addresses {
			to := netip.AddrPortFrom(netip.MustParseAddr(a), 5000)
			if got := turn.Forbids(to, false, netip.MustParsePrefix("9.9.9.0/24"), netip.MustParsePrefix("2620:fe::/48")); got != want {
				t.Errorf("%s: %q, want %q", a, got, want)
			}
		}
	}
	if turn.Forbids(netip.AddrPort{}, false) == "" {
		t.Error("no address at all is allowed")
	}
}

func TestForbiddenPorts(t *testing.T) {
	for port, allowed := range map[uint16]bool{0: false, 22: false, 53: false, 1023: false, 1024: true, 65535: true} {
		to := netip.AddrPortFrom(netip.MustParseAddr("8.8.8.8"), port)
		if got := turn.Forbids(to, false) == ""; got != allowed {
			t.Errorf("port %d: allowed %v", port, got)
		}
	}
}

func TestLoopbackSwitchOpensLoopbackOnly(t *testing.T) {
	for a, allowed := range map[string]bool{"127.0.0.1": true, "::ffff:127.0.0.1": true, "10.0.0.1": false, "0.0.0.0": false, "169.254.169.254": false, "::1": false} {
		if got := turn.Forbids(netip.AddrPortFrom(netip.MustParseAddr(a), 5000), true) == ""; got != allowed {
			t.Errorf("%s: allowed %v", a, got)
		}
	}
}
