package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"parley/turn"
)

func relaySettings() []setting {
	return []setting{
		{
			name: "relay-listen", value: "127.0.0.1:3478", shape: "IP:PORT,...",
			says: "Where browsers reach the relay, by UDP and TCP. Set it to an address that visitors reach, and open the port; on a machine with several addresses name each that they reach, the best first.",
			read: func(c *config, v string) (err error) { c.RelayListen, c.RelayAlso, err = addrPorts(v); return err },
		},
		{
			name: "relay-external", shape: "auto|IP,...|dns:NAME",
			says: "Under which address the relay is known outside: an IPv4 address for each in relay-listen, in that order, and an IPv6 address if browsers reach it by that too; the addresses of a name; or auto, the public ones of this machine. Set it when this machine is behind NAT or listens on all addresses. It is looked at once, at start.",
			read: func(c *config, v string) (err error) { c.RelayExternal, err = externalOf(v); return err },
		},
		{
			name: "relay-tls-listen", shape: "IP:PORT",
			says: "Where else the relay takes TLS, with the same certificate. Set it, best to port 443 of an address of its own, when a proxy serves the page: some networks let nothing but TLS out.",
			read: func(c *config, v string) (err error) {
				if v != "" {
					c.RelayTLS, err = addrPort(v)
				}
				return err
			},
		},
		{
			name: "relay-name", shape: "HOST",
			says:   "Under which name browsers reach this relay by TLS; the certificate must hold it. Set it on each of several nodes that share public-url, or browsers reach a relay that does not know their call.",
			derive: func(c config) string { return hostOf(c.PublicURL) },
			read:   func(c *config, v string) (err error) { c.RelayName, err = hostName(v); return err },
		},
		{
			name: "relay-ports", value: "50000-50199", shape: "FIRST-LAST",
			says: "Which UDP ports relays that reach beyond a call may take. Calls between strangers stay inside the relay and open none.",
			read: func(c *config, v string) (err error) { c.RelayPorts, err = portRange(v); return err },
		},
		{
			name: "relay-log", flag: true, shape: "true|false",
			value: "false",
			says:  "Whether to write down which network addresses used the relay, and keep that for seven days. Set it only if you must answer for misuse of it: nothing else of parley keeps an address, and the page tells visitors that you may.",
			read:  func(c *config, v string) (err error) { c.RelayLog, err = yes(v); return err },
		},
		{
			name: "relay-log-dir", shape: "DIR",
			says:   "Where the relay log lies. Name a folder of its own that no backup takes in.",
			derive: func(c config) string { return filepath.Join(c.State, "relay-log") },
			read:   func(c *config, v string) error { c.RelayLogDir = v; return notEmpty(v) },
		},
		{
			name: "relay-allow-loopback", flag: true, shape: "true|false",
			value: "false",
			says:  "Whether relays that reach beyond a call may forward to this machine itself, for tests. Calls between strangers never need it; never set it on a server.",
			read:  func(c *config, v string) (err error) { c.RelayLoopback, err = yes(v); return err },
		},
	}
}

// addrPorts are one or several.
func addrPorts(v string) (first netip.AddrPort, also []netip.AddrPort, err error) {
	for i, one := range list(v) {
		at, err := addrPort(one)
		switch {
		case err != nil:
			return first, nil, err
		case i == 0:
			first = at
		case i > mostAlso:
			return first, nil, fmt.Errorf("more than %d addresses are too many", mostAlso+1)
		default:
			also = append(also, at)
		}
	}
	if !first.IsValid() {
		_, err = addrPort("")
	}
	return first, also, err
}

func addrPort(v string) (netip.AddrPort, error) {
	if strings.HasPrefix(v, ":") {
		v = "0.0.0.0" + v
	}
	a, err := netip.ParseAddrPort(v)
	if err != nil {
		return a, errors.New("say IP:PORT, for example 203.0.113.5:3478")
	}
	return a, nil
}

func portRange(v string) (turn.PortRange, error) {
	first, last, _ := strings.Cut(v, "-")
	a, errA := strconv.ParseUint(first, 10, 16)
	b, errB := strconv.ParseUint(last, 10, 16)
	if errA != nil || errB != nil || a < 1024 || b < a+1 {
		return turn.PortRange{}, errors.New("say FIRST-LAST between 1024 and 65535, at least two ports, for example 50000-50999")
	}
	return turn.PortRange{First: uint16(a), Last: uint16(b)}, nil
}

// hostOf is the host of the first of some origins.
func hostOf(origins []string) string {
	if len(origins) == 0 {
		return ""
	}
	u, err := url.Parse(origins[0])
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func hostName(v string) (string, error) {
	if v == "" || strings.ContainsAny(v, ":/ ") && !isAddress(v) {
		return "", fmt.Errorf("%q is not a name like relay1.example.org", v)
	}
	return strings.ToLower(v), nil
}

func isAddress(v string) bool {
	_, err := netip.ParseAddr(v)
	return err == nil
}
