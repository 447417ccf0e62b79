package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"parley/turn"
)

// lookAtFiles finds secrets that others may read, and a state folder that cannot be used.
func (d *doctor) lookAtFiles() {
	const check = "files"
	d.lookAtState()
	before := len(d.findings)
	secrets := []struct{ setting, file string }{
		{"state", keyFile(d.cfg)},
		{"epoch-keys", d.cfg.EpochKeys},
		{"operator-tokens", d.cfg.OperatorTokens},
		{"audit-file", d.cfg.Audit},
		{"tls-key", d.cfg.Key},
	}
	for _, s := range secrets {
		if s.file == "" {
			continue
		}
		info, err := os.Stat(s.file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			d.bad(check, fmt.Sprintf("%s cannot be looked at: %v", s.file, err), "Run parley and the doctor as the same user, or mend --"+s.setting+".")
		case info.Mode().Perm()&0o077 != 0:
			d.bad(check, fmt.Sprintf("others may read %s (mode %04o).", s.file, info.Mode().Perm()), "chmod 600 "+s.file)
		}
	}
	if len(d.findings) == before {
		d.good(check, "only parley's user may read the keys; a key file that is missing is made at the first start")
	}
}

func (d *doctor) lookAtState() {
	const check = "state"
	info, err := os.Stat(d.cfg.State)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.good(check, "%s is not there yet, and is made at the first start", d.cfg.State)
		return
	case err != nil:
		d.bad(check, err.Error(), "Run parley and the doctor as the same user, or name another folder with --state.")
		return
	case !info.IsDir():
		d.bad(check, d.cfg.State+" is not a folder.", "Name a folder with --state.")
		return
	}
	probe, err := os.CreateTemp(d.cfg.State, ".doctor")
	if err != nil {
		d.bad(check, "nothing can be written to "+d.cfg.State+".", "Give the folder of --state to parley's user.")
		return
	}
	_, _ = probe.Close(), os.Remove(probe.Name())
	if info.Mode().Perm()&0o022 != 0 {
		d.warn(check, fmt.Sprintf("others may write to %s (mode %04o).", d.cfg.State, info.Mode().Perm()), "chmod 700 "+d.cfg.State)
		return
	}
	d.good(check, "%s can be written to", d.cfg.State)
}

// Each visitor takes a file descriptor, and calls by TCP and TLS another.
const fewFiles, manyFiles = 1024, 16_384

// lookAtLimit looks how many sockets the running parley may open, or else one that this user
// starts here.
func (d *doctor) lookAtLimit(ctx context.Context) {
	const check = "descriptors"
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		d.warn(check, "the system does not tell how many files may be open: "+err.Error(), "See ulimit -n.")
		return
	}
	whose, most := "started by this user, parley", r.Max
	if told, ok := d.metric(ctx, "process_max_fds"); ok {
		whose, most = "the parley that runs", uint64(told)
	}
	says := fmt.Sprintf("%s may open %d files, and each visitor takes one", whose, most)
	switch {
	case most < fewFiles:
		d.bad(check, says+".", "Raise LimitNOFILE of the unit, or ulimit -n, to 65536.")
	case most < manyFiles && !d.cfg.Redis.IsEmbedded():
		d.warn(check, says+".", "Raise LimitNOFILE of the unit, or ulimit -n, to 65536.")
	default:
		d.good(check, "%s", says)
	}
}

// lookAtPorts finds a port that another program holds. Whether a firewall lets browsers come to
// it shows only from outside.
func (d *doctor) lookAtPorts(ctx context.Context) {
	const check = "ports"
	if d.runs {
		d.good(check, "parley runs; whether a firewall lets browsers in cannot be seen from here: parley ports lists what to open, and /check on a phone tries it")
		return
	}
	at := []struct{ setting, network, where string }{
		{"listen", "tcp", d.cfg.Listen},
		{"operator-listen", "tcp", d.cfg.OperatorListen},
		{"relay-listen", "udp", d.cfg.RelayListen.String()},
		{"relay-listen", "tcp", d.cfg.RelayListen.String()},
	}
	if d.cfg.RelayTLS.IsValid() {
		at = append(at, struct{ setting, network, where string }{"relay-tls-listen", "tcp", d.cfg.RelayTLS.String()})
	}
	before := len(d.findings)
	for _, p := range at {
		if err := tryPort(ctx, p.network, p.where); err != nil {
			d.judgePort(p.setting, p.where, err)
		}
	}
	if len(d.findings) == before {
		d.good(check, "parley does not run, and its ports are free; whether a firewall lets browsers in cannot be seen from here: parley ports lists what to open")
	}
}

// judgePort says why a port cannot be listened at. A port below 1024 that this user may not have is no
// fault of the parley that a unit gives the right to: then it cannot be seen from here.
func (d *doctor) judgePort(setting, where string, err error) {
	const check = "ports"
	if errors.Is(err, syscall.EACCES) {
		d.warn(check, fmt.Sprintf("%s: the user of this doctor may not listen on %s, so whether it is free cannot be told.", setting, where),
			"The unit gives parley this right (CAP_NET_BIND_SERVICE); ask as it runs with systemd-run, as docs/operating.md says, or choose a port above 1023 with --"+setting+".")
		return
	}
	d.bad(check, strings.TrimSuffix(sayPort(setting, where, err).Error(), ".")+".", "Stop what holds it (ss -lnp), or change --"+setting+".")
}

func tryPort(ctx context.Context, network, where string) error {
	if network == "udp" {
		l, err := new(net.ListenConfig).ListenPacket(ctx, network, where)
		if err != nil {
			return err
		}
		return l.Close()
	}
	l, err := new(net.ListenConfig).Listen(ctx, network, where)
	if err != nil {
		return err
	}
	return l.Close()
}

// lookAtAddress looks whether browsers could reach what they are told of the relay, and may open
// the microphone.
func (d *doctor) lookAtAddress(ctx context.Context) {
	local := true
	for _, at := range d.cfg.PublicURL {
		if local = local && onlyHere(at); !onlyHere(at) && strings.HasPrefix(at, "http://") {
			d.bad("public-url", at+" is not https, and browsers open the microphone only there.", "Set tls = auto or files, or put a proxy with TLS in front, and let public-url begin with https://.")
		}
	}
	if at, _, err := net.SplitHostPort(d.cfg.Listen); err == nil && local && !here(at) {
		d.warn("public-url", fmt.Sprintf("listen (%s) lets other machines reach the page, but public-url (%s) is for this machine only: whoever opens it elsewhere is refused.",
			d.cfg.Listen, strings.Join(d.cfg.PublicURL, ", ")), "Set public-url to what visitors open, or listen on 127.0.0.1.")
	}
	const check = "address"
	settled, err := d.cfg.RelayExternal.settle(ctx, net.DefaultResolver, d.cfg.RelayListen.Addr())
	if err != nil {
		d.bad(check, err.Error()+".", "Set relay-external to the address under which browsers reach this machine.")
		return
	}
	at := settled.v4
	if !at.IsValid() {
		at = d.cfg.RelayListen.Addr().Unmap()
	}
	why := turn.Unreachable(at)
	switch {
	case local:
		d.good(check, "public-url (%s) is for this machine only, and the relay is told of as %s", strings.Join(d.cfg.PublicURL, ", "), at)
	case why != "":
		d.bad(check, fmt.Sprintf("browsers are told that the relay is at %s, which is %s: nobody outside reaches it.", at, why), "Set relay-external to the public address, or dns:NAME.")
	default:
		d.good(check, "browsers are told that the relay is at %s; that this leads here cannot be seen from inside", at)
	}
}

// soon is when a certificate is about to run out: those that renew by themselves have done so
// long before.
const soon = 14 * 24 * time.Hour

// lookAtCertificate looks at the files of tls-cert. What an authority gives, and what a proxy
// shows, is looked at where the page is asked for.
func (d *doctor) lookAtCertificate() {
	const check = "tls"
	if d.cfg.Certificate == "" {
		return
	}
	f := &certificateFiles{certificate: d.cfg.Certificate, key: d.cfg.Key}
	if err := f.holds(certificateNames(d.cfg), time.Now()); err != nil {
		d.bad(check, err.Error()+".", "Renew it, or name the right files with --tls-cert and --tls-key; parley reads them again by itself.")
		return
	}
	pair, err := f.current(nil)
	if err != nil || pair.Leaf == nil {
		return
	}
	d.judgeExpiry(filepath.Base(d.cfg.Certificate), pair.Leaf.NotAfter)
}

func (d *doctor) judgeExpiry(what string, until time.Time) {
	const check = "tls"
	left := time.Until(until)
	if left < soon {
		d.warn(check, fmt.Sprintf("%s runs out on %s.", what, until.UTC().Format(time.DateOnly)), "See why whoever renews it has not done so.")
		return
	}
	d.good(check, "%s is good until %s", what, until.UTC().Format(time.DateOnly))
}

// lookAtRelay makes a relay by each way that the page tells of, under the address that browsers
// use.
func (d *doctor) lookAtRelay(ctx context.Context, servers []relayServer) {
	const check = "relay"
	if len(servers) == 0 {
		return
	}
	for i, where := range servers[0].URLs {
		s := servers[i%len(servers)] // each way a credential of its own
		way, err := d.wayOf(ctx, where)
		if err == nil {
			trying, cancel := context.WithTimeout(ctx, 10*time.Second)
			err = turn.Allocate(trying, way, s.Username, s.Credential)
			cancel()
		}
		if err != nil {
			d.bad(check, fmt.Sprintf("%s does not work, tried from this machine: %v.", where, err), "Open the port (parley ports), and see whether relay-external and relay-name lead here; some routers do not let a machine reach its own public address, then try /check from outside.")
			continue
		}
		d.good(check, "%s works, tried from this machine; from outside, /check tells", where)
	}
}

// wayOf reads an address of the relay as browsers are told it: turn:HOST:PORT?transport=udp.
func (d *doctor) wayOf(ctx context.Context, where string) (turn.Way, error) {
	u, err := url.Parse(where)
	if err != nil {
		return turn.Way{}, err
	}
	rest, transport, _ := strings.Cut(u.Opaque+"?"+u.RawQuery, "?transport=")
	host, port, err := net.SplitHostPort(rest)
	if err != nil {
		return turn.Way{}, err
	}
	way := turn.Way{Name: strings.ToUpper(transport), Host: host}
	if u.Scheme == "turns" {
		way.Name = "TLS"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		found, err := lookUp(ctx, net.DefaultResolver, host)
		if err != nil {
			return turn.Way{}, err
		}
		for _, ip = range found {
			if ip.Is4() {
				break
			}
		}
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return turn.Way{}, err
	}
	way.At = netip.AddrPortFrom(ip, uint16(number)) //nolint:gosec // LookupPort checks it
	return way, nil
}

// certificateTrouble says in words why a certificate is not taken; "" for another error.
func certificateTrouble(err error) string {
	if trouble, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return trouble.Err.Error()
	}
	return ""
}
