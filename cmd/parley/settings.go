package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/internal/store"
	"parley/turn"
	"parley/web"
)

// config is what the operator decided, checked and ready for use.
type config struct {
	Listen         string
	OperatorListen string
	PublicURL      []string // origins; empty: those of localhost on the port of Listen
	BasePath       string   // "" or such as "/talk"
	TrustedProxies []netip.Prefix
	Contact        string // mailto: or https:, or none
	Drain          time.Duration
	Redis          store.Where
	State          string
	EpochKeys      string
	EpochKeysNew   bool
	TokenOnly      bool
	OperatorTokens string
	Audit          string
	Processors     []web.Processor
	TLS            string // tlsOff, tlsFiles or tlsAuto
	Certificate    string // file
	Key            string // file
	Authority      string // directory of ACME
	AuthorityRoots *x509.CertPool
	AuthorityKey   *authorityKey
	Redirect       string // where who comes without TLS is led to the page; "" nowhere
	RelayListen    netip.AddrPort
	RelayAlso      []netip.AddrPort // beside RelayListen
	RelayExternal  external         // nothing: the address of RelayListen
	RelayTLS       netip.AddrPort   // invalid: no port for TLS of its own
	RelayName      string           // in the certificate
	RelayPorts     turn.PortRange
	RelayLoopback  bool
	RelayLog       bool
	RelayLogDir    string
	LogLevel       slog.Level
	LogFormat      string
}

// scheme is how the page is spoken to where it is served.
func (c config) scheme() string {
	if c.TLS == tlsOff {
		return "http"
	}
	return "https"
}

// setting is one line of the table: the same name serves the file, the environment and the flag.
type setting struct {
	name  string
	value string // default
	shape string // what a value looks like, for --help
	says  string // when to change it, in one sentence
	flag  bool   // a switch: true or false
	// hide is for secrets, which are read from PARLEY_NAME_FILE too and are never printed: it tells what
	// may be shown of a value, and whether that is less than all.
	hide func(value string) (shown string, hidden bool)
	// derive gives the default where it follows from another setting that was read before.
	derive func(config) string
	read   func(c *config, value string) error
}

// settings is the whole table, in the order of --help. A setting may derive from those above it.
func settings() []setting {
	return slices.Concat(doorSettings(), tlsSettings(), visitorSettings(), storeSettings(), officeSettings(), relaySettings(), logSettings())
}

func doorSettings() []setting {
	return []setting{
		{
			name: "listen", value: "127.0.0.1:8080", shape: "HOST:PORT",
			says: "Where the page is served. Set it to :8080 to let others reach you directly, without a proxy on this machine.",
			read: func(c *config, v string) (err error) { c.Listen, err = hostPort(v); return err },
		},
		{
			name: "operator-listen", value: "127.0.0.1:8081", shape: "HOST:PORT",
			says: "Where /healthz, /readyz, /metrics and the operators' /console/ are served. Set it to an address that your monitoring reaches and visitors do not.",
			read: func(c *config, v string) (err error) { c.OperatorListen, err = hostPort(v); return err },
		},
	}
}

func visitorSettings() []setting {
	return []setting{
		{
			name: "public-url", shape: "URL,...",
			says:   "Under which addresses people open the page. Set it as soon as that is not localhost; pages from elsewhere are refused.",
			derive: func(c config) string { return strings.Join(localOrigins(c.scheme(), c.Listen), ",") },
			read:   func(c *config, v string) (err error) { c.PublicURL, err = origins(v); return err },
		},
		{
			name: "base-path", value: "/", shape: "/PATH",
			says: "Below which path everything is that browsers ask for. Set it when a proxy serves something else at the root, and let the proxy pass the path on unchanged.",
			read: func(c *config, v string) (err error) { c.BasePath, err = basePath(v); return err },
		},
		{
			name: "trusted-proxies", shape: "CIDR,...",
			says: "From which addresses X-Forwarded-For is believed. Set it when parley is behind a reverse proxy, or all visitors share one limit.",
			read: func(c *config, v string) (err error) { c.TrustedProxies, err = prefixes(v); return err },
		},
		{
			name: "contact", shape: "ADDRESS",
			says: "How people reach whoever runs this server: an address of email, or a page. It is shown to who reports a threat or a child; set it when you read what arrives there.",
			read: func(c *config, v string) (err error) { c.Contact, err = contact(v); return err },
		},
		{
			name: "drain", value: "10m", shape: "DURATION",
			says: "How long the program stays at its end for the calls that it carries, when there are other nodes. Give your supervisor a longer stop timeout.",
			read: func(c *config, v string) (err error) { c.Drain, err = duration(v); return err },
		},
	}
}

func storeSettings() []setting {
	return []setting{
		{
			name: "redis", value: store.Embedded, shape: "URL", hide: hideStore,
			says: "Where to remember: redis://, rediss://, unix://, redis-sentinel:// or redis-cluster://. The embedded store forgets on exit and takes a few hundred people; set it for anything but a trial.",
			read: func(c *config, v string) (err error) { c.Redis, err = store.Parse(v); return err },
		},
		{
			name: "state", value: stateDir(), shape: "DIR",
			says: "Where the key file lies. Keep it on another disk and in another backup than Redis.",
			read: func(c *config, v string) error { c.State = v; return notEmpty(v) },
		},
		{
			name: "epoch-keys", shape: "FILE",
			says:   "The weekly keys under which reports are kept. All nodes need the same: name a file that they share, and never one on the disk or in the backup of Redis.",
			derive: func(c config) string { return filepath.Join(c.State, "epochs") },
			read:   func(c *config, v string) error { c.EpochKeys = v; return notEmpty(v) },
		},
		{
			name: "epoch-keys-new", flag: true, shape: "true|false", value: "false",
			says: "Whether to go on when the epoch keys are lost. Set it for one start: reports made under them count for nobody, and those whom they restricted are clear.",
			read: func(c *config, v string) (err error) { c.EpochKeysNew, err = yes(v); return err },
		},
		{
			name: "device-signals", value: "both", shape: "both|token",
			says: "By what a device is known: both, its random token and, for a day after its first visit, what browsers of its kind have in common; or the token only, with which clearing the storage is enough to be new.",
			read: func(c *config, v string) error {
				if c.TokenOnly = v == "token"; v != "token" && v != "both" {
					return errors.New("say both or token")
				}
				return nil
			},
		},
	}
}

func officeSettings() []setting {
	return []setting{
		{
			name: "operator-tokens", shape: "FILE",
			says:   "Where the hashes of the operators' tokens lie, which parley console token NAME makes. Name a file that all nodes share, so that a token counts on each.",
			derive: func(c config) string { return filepath.Join(c.State, "operators") },
			read:   func(c *config, v string) error { c.OperatorTokens = v; return notEmpty(v) },
		},
		{
			name: "audit-file", shape: "FILE",
			says:   "Where everything that operators do is written down, for ever. There is one for all nodes: operators act only where it is.",
			derive: func(c config) string { return filepath.Join(c.State, "audit.jsonl") },
			read:   func(c *config, v string) error { c.Audit = v; return notEmpty(v) },
		},
		{
			name: "processors", shape: "FILE",
			says: "Who else touches data of visitors: whose machines these are, who carries packets, who reads logs. Set it as soon as that is anybody; /privacy/processors shows it, and docs/privacy.md has an example.",
			read: func(c *config, v string) (err error) { c.Processors, err = readProcessors(v); return err },
		},
	}
}

func logSettings() []setting {
	return []setting{
		{
			name: "log-level", value: "info", shape: "LEVEL",
			says: "How much to log: debug, info, warn or error. Set debug to find out why browsers are refused.",
			read: func(c *config, v string) error {
				if c.LogLevel.UnmarshalText([]byte(v)) != nil {
					return errors.New("say debug, info, warn or error")
				}
				return nil
			},
		},
		{
			name: "log-format", value: "text", shape: "FORMAT",
			says: "How to log: text, or json for a log collector.",
			read: func(c *config, v string) error {
				if c.LogFormat = v; v != "text" && v != "json" {
					return errors.New("say text or json")
				}
				return nil
			},
		},
	}
}

func yes(v string) (bool, error) {
	is, err := strconv.ParseBool(v)
	if err != nil {
		return false, errors.New("say true or false")
	}
	return is, nil
}

func hostPort(v string) (string, error) {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return "", errors.New("say HOST:PORT, for example 127.0.0.1:8080")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("%q is not a port between 0 and 65535", port)
	}
	return net.JoinHostPort(host, port), nil
}

// localOrigins are what a browser on this machine may call the page.
func localOrigins(scheme, listen string) []string {
	_, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil
	}
	return []string{scheme + "://localhost:" + port, scheme + "://127.0.0.1:" + port}
}

func origins(v string) ([]string, error) {
	var all []string
	for _, one := range list(v) {
		u, err := url.Parse(one)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			return nil, fmt.Errorf("%q is not an address like https://talk.example.org", one)
		}
		if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("%q must end after the host and port: what a proxy serves below a path is still one origin", one)
		}
		all = append(all, origin(u))
	}
	if len(all) == 0 {
		return nil, errors.New("at least one address is needed, for example https://talk.example.org")
	}
	return all, nil
}

// basePath is a path without the slash at its end, "" for the root.
func basePath(v string) (string, error) {
	path := strings.TrimSuffix(v, "/")
	if path == "" && v != "" {
		return "", nil
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if !strings.HasPrefix(path, "/") || part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return "", fmt.Errorf("%q is not a path like /talk, of letters, digits, - and _", v)
		}
	}
	return path, nil
}

// contact is what a link leads to: a page, or a letter.
func contact(v string) (string, error) {
	if v == "" {
		return "", nil
	}
	if u, err := url.Parse(v); err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil {
		return u.String(), nil
	}
	to, err := mail.ParseAddress(strings.TrimPrefix(v, "mailto:"))
	if err != nil || to.Name != "" {
		return "", fmt.Errorf("%q is neither an address of email nor a page like https://example.org/contact", v)
	}
	return "mailto:" + to.Address, nil
}

// origin is what a browser says of a page at u: without the port that the scheme implies.
func origin(u *url.URL) string {
	host := strings.TrimSuffix(u.Host, ":")
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + strings.ToLower(host)
}

// onlyHere tells whether only browsers on this machine can open an origin.
func onlyHere(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.Unmap().IsLoopback()
}

func prefixes(v string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, one := range list(v) {
		p, err := netip.ParsePrefix(one)
		if ip, plain := netip.ParseAddr(one); plain == nil {
			p, err = ip.Prefix(ip.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("%q is not an address or a range like 10.0.0.0/8", one)
		}
		all = append(all, p)
	}
	return all, nil
}

// stateDir follows the XDG base directory specification.
func stateDir() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "parley")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "" // refused by the check, which names the setting
	}
	return filepath.Join(home, ".local", "state", "parley")
}

func duration(v string) (time.Duration, error) {
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 || d > 24*time.Hour {
		return 0, fmt.Errorf("%q is not a time from 0s to 24h, for example 10m", v)
	}
	return d, nil
}

func notEmpty(v string) error {
	if v == "" {
		return errors.New("it is empty: name a directory, for example /var/lib/parley")
	}
	return nil
}

// list splits at commas and leaves out empty parts.
func list(v string) []string {
	var all []string
	for one := range strings.SplitSeq(v, ",") {
		if one = strings.TrimSpace(one); one != "" {
			all = append(all, one)
		}
	}
	return all
}
