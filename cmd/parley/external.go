package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"parley/turn"
)

// external is under which addresses the relay is known outside, or how to find them out.
type external struct {
	auto   bool
	name   string               // look it up
	v4, v6 netip.Addr           // invalid: none
	also   [mostAlso]netip.Addr // of IPv4, for the addresses in relay-listen after the first
}

// mostAlso is how many addresses relay-listen may name beside the first.
const mostAlso = 7

// said is how many IPv4 addresses there are.
func (e external) said() (n int) {
	for _, a := range append([]netip.Addr{e.v4}, e.also[:]...) {
		if a.IsValid() {
			n++
		}
	}
	return n
}

// externalOf reads the setting.
func externalOf(v string) (external, error) {
	if v == "" {
		return external{}, nil
	}
	if v == "auto" {
		return external{auto: true}, nil
	}
	if name, is := strings.CutPrefix(v, "dns:"); is {
		if name == "" || strings.ContainsAny(name, ":/ ,") {
			return external{}, fmt.Errorf("%q is not a name like dns:relay.example.org", v)
		}
		return external{name: name}, nil
	}
	var e external
	for _, one := range list(v) {
		a, err := netip.ParseAddr(one)
		if err != nil || a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
			return external{}, fmt.Errorf("%q is not an address that browsers could reach; say one, or auto, or dns:NAME", one)
		}
		if a = a.Unmap(); !e.take(a) && !e.takeAlso(a) {
			return external{}, errors.New("say one IPv4 address for each in relay-listen, and at the most one IPv6 address beside them")
		}
	}
	if !e.v4.IsValid() {
		return external{}, errors.New("the relay gives IPv4 addresses to both sides of a call: say its IPv4 address too, as in 203.0.113.5,2001:db8::5")
	}
	return e, nil
}

// take keeps an address; false when there is one of its family.
func (e *external) take(a netip.Addr) bool {
	of := &e.v4
	if a.Is6() {
		of = &e.v6
	}
	if of.IsValid() {
		return false
	}
	*of = a
	return true
}

// takeAlso keeps one more IPv4 address.
func (e *external) takeAlso(a netip.Addr) bool {
	n := e.said() - 1
	if !a.Is4() || n >= len(e.also) {
		return false
	}
	e.also[n] = a
	return true
}

// lookWithin is how long a name server may take.
const lookWithin = 5 * time.Second

// settle finds the addresses out. Those of IPv6 count only where the relay listens for it.
func (e external) settle(ctx context.Context, names *net.Resolver, listen netip.Addr) (external, error) {
	var found []netip.Addr
	var err error
	switch {
	case e.auto:
		found, err = interfaceAddresses()
		if err == nil {
			found, err = publicOf(found)
		}
	case e.name != "":
		ctx, cancel := context.WithTimeout(ctx, lookWithin)
		defer cancel()
		found, err = lookUp(ctx, names, e.name)
	default:
		return e, nil
	}
	if err != nil {
		return external{}, err
	}
	settled := external{}
	for _, a := range found {
		if a.Is4() || listen.Is6() && !listen.Is4In6() {
			settled.take(a) // the first of each family counts
		}
	}
	return settled, nil
}

// interfaceAddresses are those of this machine.
func interfaceAddresses() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var found []netip.Addr
	for _, one := range all {
		if n, is := one.(*net.IPNet); is {
			if a, is := netip.AddrFromSlice(n.IP); is {
				found = append(found, a.Unmap())
			}
		}
	}
	return found, nil
}

// publicOf keeps the addresses that the public can reach. Without one of IPv4 it says what there is
// instead, so that whoever is behind NAT sees it.
func publicOf(all []netip.Addr) ([]netip.Addr, error) {
	var public []netip.Addr
	var rest []string
	for _, a := range all {
		if why := turn.Unreachable(a); why == "" {
			public = append(public, a)
		} else if why != "loopback" && why != "link-local" {
			rest = append(rest, fmt.Sprintf("%s (%s)", a, why))
		}
	}
	if slices.ContainsFunc(public, netip.Addr.Is4) {
		return public, nil
	}
	if len(rest) == 0 {
		rest = []string{"that of loopback"}
	}
	return nil, fmt.Errorf("auto finds no public IPv4 address on this machine, only %s: it is probably behind NAT; "+
		"say the address that your provider gives it, or dns:NAME", strings.Join(rest, ", "))
}

// lookUp asks a name server for the addresses of a name.
func lookUp(ctx context.Context, names *net.Resolver, name string) ([]netip.Addr, error) {
	found, err := names.LookupNetIP(ctx, "ip", name)
	if gone, is := errors.AsType[*net.DNSError](err); is && gone.IsNotFound {
		return nil, fmt.Errorf("there is no address under the name %s: make a record of kind A that leads to this machine", name)
	}
	if err != nil {
		return nil, fmt.Errorf("the name %s cannot be looked up: %w", name, err)
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	if !slices.ContainsFunc(found, netip.Addr.Is4) {
		return nil, fmt.Errorf("the name %s has no IPv4 address: make a record of kind A that leads to this machine", name)
	}
	return found, nil
}

// alsoAt are the addresses at which the relay listens beside the first.
func (c config) alsoAt() []turn.Address {
	var all []turn.Address
	for i, at := range c.RelayAlso {
		all = append(all, turn.Address{Listen: at, External: c.RelayExternal.also[i]})
	}
	return all
}

// relayAt is the address of relay-listen that an error is about.
func (c config) relayAt(err error) string {
	for _, at := range c.RelayAlso {
		if strings.Contains(err.Error(), at.String()) {
			return at.String()
		}
	}
	return c.RelayListen.String()
}

// checkAddresses finds addresses of the relay that do not go together.
func (l *layers) checkAddresses(cfg config) {
	e, used := cfg.RelayExternal, map[netip.Addr]bool{cfg.RelayListen.Addr(): true}
	switch n := len(cfg.RelayAlso) + 1; {
	case n == 1 && e.said() > 1:
		l.fault("relay-external: %d IPv4 addresses for one in relay-listen: name in relay-listen each address of this machine that browsers reach", e.said())
	case n > 1 && (e.auto || e.name != ""):
		l.fault("relay-external: with %d addresses in relay-listen say the one of each, in the same order, or nothing if they are the same", n)
	case n > 1 && e.said() > 0 && e.said() != n:
		l.fault("relay-external: %d IPv4 addresses for the %d in relay-listen: say one for each, in the same order", e.said(), n)
	}
	for _, at := range cfg.RelayAlso {
		if a := at.Addr(); !a.Is4() || a.IsUnspecified() || cfg.RelayListen.Addr().IsUnspecified() || used[a] {
			l.fault("relay-listen: of several addresses each must be another IPv4 address of this machine, and none all of them: %s does not fit", at)
			return
		}
		used[at.Addr()] = true
	}
}

// firstNumber and lastNumber are the ports that relays of calls seem to have, without a socket.
const firstNumber, lastNumber = 49152, 65535

// relayNumbers is the range of all relayed addresses, those of relay-ports among them.
func (c config) relayNumbers() turn.PortRange {
	return turn.PortRange{First: min(firstNumber, c.RelayPorts.First), Last: max(lastNumber, c.RelayPorts.Last)}
}
