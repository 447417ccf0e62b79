package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

// opening is one port, or a range, that a firewall has to let through.
type opening struct {
	proto string // tcp or udp
	ports string // "443" or "50000-50199"
	at    string // the address that is listened at; "" for all
	what  string
}

// openings are what browsers must reach, and closed what they must not.
func openings(cfg config) (open, closed []opening) {
	add := func(proto, where, what string) {
		host, port, err := net.SplitHostPort(where)
		switch {
		case err != nil || port == "0": // the system chooses: nobody can open that
		case here(host):
			closed = append(closed, opening{proto, port, host, what})
		default:
			open = append(open, opening{proto, port, bound(host), what})
		}
	}
	page := "the page"
	if cfg.TLS != tlsOff {
		page = "the page, and calls by TLS"
	}
	add("tcp", cfg.Listen, page)
	if cfg.Redirect != "" {
		add("tcp", cfg.Redirect, "browsers without TLS, led to the page")
	}
	relayAt := append([]netip.AddrPort{cfg.RelayListen}, cfg.RelayAlso...)
	for _, at := range relayAt {
		add("udp", at.String(), "calls")
		add("tcp", at.String(), "calls on networks without UDP")
	}
	if cfg.RelayTLS.IsValid() {
		add("tcp", cfg.RelayTLS.String(), "calls by TLS")
	}
	relays := fmt.Sprintf("%d-%d", cfg.RelayPorts.First, cfg.RelayPorts.Last)
	for _, at := range relayAt {
		at := at.Addr().Unmap()
		if at.IsLoopback() {
			continue
		}
		host := ""
		if !at.IsUnspecified() {
			host = at.String()
		}
		open = append(open, opening{"udp", relays, host, "relays that reach beyond a call; calls between strangers need none"})
	}
	if host, port, err := net.SplitHostPort(cfg.OperatorListen); err == nil && port != "0" {
		closed = append(closed, opening{"tcp", port, host, "operators: only those who watch parley"})
	}
	return open, closed
}

// here tells whether a host to listen at is this machine only.
func here(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// printPorts says what to open, with lines that ufw and nft take.
func printPorts(w io.Writer, cfg config) {
	open, closed := openings(cfg)
	fmt.Fprintln(w, "# What browsers must reach:")
	for _, o := range open {
		fmt.Fprintf(w, "#   %s %-12s %s%s\n", o.proto, o.ports, o.what, o.on())
	}
	if len(open) == 0 {
		fmt.Fprintln(w, "#   nothing: all that is set is on this machine only")
	}
	fmt.Fprintln(w, "# What stays closed:")
	for _, o := range closed {
		fmt.Fprintf(w, "#   %s %-12s %s%s\n", o.proto, o.ports, o.what, o.on())
	}
	if len(open) == 0 {
		return
	}
	fmt.Fprintln(w, "\n# with ufw:")
	for _, o := range open {
		fmt.Fprintln(w, o.ufw())
	}
	fmt.Fprintln(w, "\n# with nft, where a table inet filter has a chain input:")
	for _, o := range open {
		fmt.Fprintln(w, o.nft())
	}
}

// on says at which address, unless it is all of them.
func (o opening) on() string {
	if o.at == "" {
		return ""
	}
	return " (at " + o.at + ")"
}

// ufw is the rule for ufw, which writes a range with a colon.
func (o opening) ufw() string {
	to := o.at
	if to == "" {
		to = "any"
	}
	return fmt.Sprintf("ufw allow in proto %s to %s port %s", o.proto, to, strings.Replace(o.ports, "-", ":", 1))
}

// nft is the rule for nft.
func (o opening) nft() string {
	at := ""
	if a, err := netip.ParseAddr(o.at); err == nil {
		family := "ip"
		if a.Unmap().Is6() {
			family = "ip6"
		}
		at = family + " daddr " + a.Unmap().String() + " "
	}
	return fmt.Sprintf("nft add rule inet filter input %s%s dport %s accept comment '\"parley\"'", at, o.proto, o.ports)
}
