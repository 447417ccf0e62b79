// Package redact is the last gate before a log line leaves the process: it removes what must never
// be written down, whoever logged it. Code that never logs such things is the rule; this is for the
// day when a library or a tired author breaks it.
//
// Removed are attributes by name (see [Handler]), values that are network addresses, and whatever
// looks like an address, a token or a session description inside any text, errors and the message
// included.
package redact

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"regexp"
	"strings"
)

// The marks that stand where something was removed.
const (
	address     = "[address]"
	token       = "[token]"
	description = "[session description]"
	removed     = "[removed]"
)

// Whatever looks like this is removed from text. Tokens of ours are base64url and hexadecimal.
// Compiled once; never changed.
var (
	ipv4  = regexp.MustCompile(`(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?`)
	ipv6  = regexp.MustCompile(`\[?([0-9A-Fa-f]*(?::[0-9A-Fa-f]*){2,})(\[address\])?(?:%[\w.-]+)?(?:\](?::\d+)?)?`)
	long  = regexp.MustCompile(`[A-Za-z0-9_-]{22,}`)
	mdns  = regexp.MustCompile(`\b[0-9A-Fa-f-]{36}\.local\b`)
	names = regexp.MustCompile(`^(ip|addr|address|remote|remote_addr|local_addr|host|peer_addr|sdp|candidate|device|` +
		`token|secret|password|credential|username|phrase|channel|box|envelope|text|chat|user_agent|handle|avoid|pass|place|url)$`)
)

// Handler passes records on to next after removing what must not be logged. Attributes with a
// forbidden name are replaced whole, in groups too.
func Handler(next slog.Handler) slog.Handler { return handler{next} }

type handler struct{ next slog.Handler }

func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, Text(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = attr(a)
	}
	return handler{h.next.WithAttrs(clean)}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.next.WithGroup(name)} }

func attr(a slog.Attr) slog.Attr {
	if names.MatchString(strings.ToLower(a.Key)) {
		return slog.String(a.Key, removed)
	}
	return slog.Attr{Key: a.Key, Value: value(a.Value.Resolve())}
}

// value keeps numbers, times and the like, and turns everything else into cleaned text.
func value(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindGroup:
		var clean []slog.Attr
		for _, a := range v.Group() {
			clean = append(clean, attr(a))
		}
		return slog.GroupValue(clean...)
	case slog.KindString:
		return slog.StringValue(Text(v.String()))
	case slog.KindAny, slog.KindLogValuer:
		switch v.Any().(type) {
		case net.Addr, net.IP, netip.Addr, netip.AddrPort, netip.Prefix:
			return slog.StringValue(address)
		}
		return slog.StringValue(Text(fmt.Sprint(v.Any())))
	case slog.KindBool, slog.KindDuration, slog.KindFloat64, slog.KindInt64, slog.KindTime, slog.KindUint64:
		return v
	}
	return slog.StringValue(removed)
}

// Text returns s without addresses, tokens and session descriptions.
func Text(s string) string {
	if strings.Contains(s, "v=0\r\n") || strings.Contains(s, "a=candidate:") || strings.Contains(s, "candidate:") {
		return description
	}
	s = mdns.ReplaceAllString(s, address)
	s = ipv4.ReplaceAllString(s, address)
	s = ipv6.ReplaceAllStringFunc(s, v6)
	return long.ReplaceAllStringFunc(s, secretive)
}

// v6 spares times of day and other colons: only what holds an address is removed, and then all of
// it, for a text may have glued more groups to the address.
func v6(s string) string {
	part := ipv6.FindStringSubmatch(s)
	run, dotted := part[1], part[2]
	if dotted != "" {
		run += "0:0" // the IPv4 address at its end is gone already
	}
	if !holdsV6(strings.Split(run, ":")) {
		return s
	}
	if strings.HasSuffix(s, ":") && !strings.HasSuffix(s, "::") {
		return address + ":" // of the sentence
	}
	return address
}

// holdsV6 tells whether some of the groups, one after the other, are an IPv6 address.
func holdsV6(groups []string) bool {
	const least, most = 3, 9 // of "::1" and of an address with "::" at either end
	for from := range groups {
		for to := from + least; to <= min(from+most, len(groups)); to++ {
			if _, err := netip.ParseAddr(strings.Join(groups[from:to], ":")); err == nil {
				return true
			}
		}
	}
	return false
}

// secretive spares long words: a token of ours has digits or mixed case.
func secretive(s string) string {
	if strings.ToLower(s) == s && !strings.ContainsAny(s, "0123456789") {
		return s
	}
	return token
}
