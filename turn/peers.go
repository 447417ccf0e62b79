package turn

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync/atomic"
)

// network is a range that no relay may reach, with the reason.
type network struct {
	prefix netip.Prefix
	why    string
}

// special are the IPv4 ranges of the IANA special-purpose registry (RFC 6890), those that are
// called reachable included, multicast and class E.
func special() []network {
	list := func(why string, prefixes ...string) []network {
		var n []network
		for _, p := range prefixes {
			n = append(n, network{netip.MustParsePrefix(p), why})
		}
		return n
	}
	all := list("loopback", "127.0.0.0/8")
	all = append(all, list("unspecified", "0.0.0.0/8")...)
	all = append(all, list("private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")...)
	all = append(all, list("link-local", "169.254.0.0/16")...)
	all = append(all, list("reserved", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24")...) // AS112 and AMT: anycast of whoever is near
	return append(all, list("multicast", "224.0.0.0/4")...)
}

// peers tells which addresses open relays may reach.
type peers struct {
	special  []network
	deny     []netip.Prefix               // of the operator
	own      map[netip.Addr]string        // of this host
	loopback bool                         // for tests: 127.0.0.0/8 may be reached
	parts    atomic.Pointer[[]netip.Addr] // hosts of the installation, the newest last; never changed in place
}

// mostParts bounds the hosts of the installation; beyond it the one that was named first is
// forgotten.
const mostParts = 512

// forbid adds a host of the installation.
func (p *peers) forbid(a netip.Addr) {
	a = a.Unmap().WithZone("")
	for {
		old := p.parts.Load()
		var all []netip.Addr
		if old != nil {
			all = *old
		}
		if slices.Contains(all, a) {
			return
		}
		all = append(slices.Clone(all[max(0, len(all)-mostParts+1):]), a)
		if p.parts.CompareAndSwap(old, &all) {
			return
		}
	}
}

// Forbid keeps open relays from a host from now on, whatever its port: where Redis runs, for
// example. Addresses of this host are kept from them anyway.
func (s *Server) Forbid(a netip.Addr) { s.peers.forbid(a) }

// lowPort is the first port of a peer that may be reached: services listen below.
const lowPort = 1024

// forbids returns why to may not be reached, "" if it may. Every form that can carry an IPv4
// address is judged by that address as well.
func (p *peers) forbids(to netip.AddrPort) string {
	if to.Port() < lowPort {
		return "port"
	}
	return p.forbidsAddr(to.Addr())
}

func (p *peers) forbidsAddr(a netip.Addr) string {
	if !a.IsValid() || a.Zone() != "" {
		return "invalid"
	}
	inner, plain := unwrap(a)
	if why := p.named(a); why != "" {
		return why
	}
	for _, v4 := range inner {
		if why := p.forbidsV4(v4); why != "" {
			return why
		}
	}
	if plain {
		return ""
	}
	return forbidsV6(a)
}

// named answers for addresses that are forbidden by name and not by their kind.
func (p *peers) named(a netip.Addr) string {
	if why, ours := p.own[a.Unmap()]; ours {
		return why
	}
	if parts := p.parts.Load(); parts != nil && slices.Contains(*parts, a.Unmap()) {
		return "installation"
	}
	for _, d := range p.deny {
		if d.Contains(a.Unmap()) {
			return "configured"
		}
	}
	return ""
}

func (p *peers) forbidsV4(a netip.Addr) string {
	if why := p.named(a); why != "" {
		return why
	}
	for _, n := range p.special {
		if n.prefix.Contains(a) && (!p.loopback || n.why != "loopback") {
			return n.why
		}
	}
	return ""
}

// unwrap returns the IPv4 addresses inside a. plain tells that a is nothing but an IPv4 address.
func unwrap(a netip.Addr) (inner []netip.Addr, plain bool) {
	switch {
	case a.Is4(), a.Is4In6():
		return []netip.Addr{a.Unmap()}, true
	case a.IsUnspecified(), a.IsLoopback():
		return nil, false
	}
	b := a.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	top := binary.BigEndian.Uint64(b[:8])
	mid := binary.BigEndian.Uint32(b[8:12])
	switch {
	case top == 0 && mid == 0, // IPv4-compatible, ::/96
		top == 0 && mid == 0xFFFF0000,            // IPv4-translated, ::ffff:0:0:0/96
		top == 0x0064_FF9B_0000_0000 && mid == 0, // NAT64, 64:ff9b::/96
		mid == 0x0000_5EFE || mid == 0x0200_5EFE: // ISATAP
		return []netip.Addr{at(12)}, false
	case top>>48 == 0x2002: // 6to4
		return []netip.Addr{at(2)}, false
	case top>>32 == 0x2001_0000: // Teredo: server, and client with all bits flipped
		binary.BigEndian.PutUint32(b[12:], ^binary.BigEndian.Uint32(b[12:]))
		return []netip.Addr{at(4), at(12)}, false
	}
	return nil, false
}

// forbidsV6 judges the outer form: only global unicast is left, without its special ranges.
func forbidsV6(a netip.Addr) string {
	switch {
	case a.IsUnspecified():
		return "unspecified"
	case a.IsLoopback():
		return "loopback"
	case a.IsMulticast():
		return "multicast"
	case a.IsLinkLocalUnicast():
		return "link-local"
	case a.IsPrivate():
		return "private"
	}
	b := a.As16()
	top := binary.BigEndian.Uint32(b[:4])
	switch {
	case top == 0x0064_FF9B && [8]byte(b[4:12]) == [8]byte{}: // NAT64: its IPv4 address was judged
		return ""
	case top>>29 != 0b001, // not 2000::/3
		top == 0x2001_0DB8, top>>12 == 0x3FFF0, // documentation
		top == 0x2620_004F && b[4] == 0x80 && b[5] == 0, // AS112
		top>>9 == 0x2001_0000>>9 && top != 0x2001_0000:  // 2001::/23 but Teredo
		return "reserved"
	}
	return ""
}
