// Package store is the way to the Redis that the operator named, whatever shape it has: one server,
// a set watched by Sentinels, or a Cluster. It reads the address, opens clients that never send a
// command twice by themselves, says in a sentence what Redis refused and what to do about it, and
// watches whether writes are accepted.
package store

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Embedded is the address of the store inside this process.
const Embedded = "embedded"

// kind is the shape of a Redis.
type kind int

const (
	single kind = iota
	sentinel
	cluster
)

// Where is a checked address. The zero value is the embedded store, which somebody else starts.
type Where struct {
	scheme string
	kind   kind
	hosts  []string // host:port, or the path of a socket
	master string   // as the Sentinels call it
	db     int
	tls    bool

	user, password                 string
	sentinelUser, sentinelPassword string

	met func(net.Addr) // told of each server that was connected to; nil: nobody is
}

// Telling returns the same address, whose clients tell met to which servers they have connected: what
// an address names may be several, and change. It is called from many goroutines.
func (w Where) Telling(met func(net.Addr)) Where {
	w.met = met
	return w
}

// scheme is what a kind of address may hold.
type scheme struct {
	kind   kind
	port   string   // when none is given; "" for a socket
	params []string // that may follow the question mark
	looks  string   // an example
}

func schemes() map[string]scheme {
	return map[string]scheme{
		"redis":  {single, "6379", nil, "redis://user:password@host:6379/0"},
		"rediss": {single, "6379", nil, "rediss://user:password@host:6379/0"},
		"unix":   {single, "", []string{"db"}, "unix:///run/redis/redis.sock?db=0"},
		"redis-sentinel": {
			sentinel, "26379",
			[]string{"tls", "sentinel-user", "sentinel-password"},
			"redis-sentinel://user:password@host:26379,host:26379/master/0",
		},
		"redis-cluster": {cluster, "6379", []string{"tls"}, "redis-cluster://user:password@host:6379,host:6379"},
	}
}

// errUnknown says what an address begins with.
var errUnknown = errors.New("say embedded, or a URL that begins with redis://, rediss://, unix://, redis-sentinel:// or redis-cluster://")

// Parse reads an address. Its errors are sentences that never quote what may be a secret.
func Parse(v string) (Where, error) {
	if v == Embedded {
		return Where{}, nil
	}
	name, rest, found := strings.Cut(v, "://")
	s, known := schemes()[name]
	if !found || !known {
		return Where{}, errUnknown
	}
	w := Where{scheme: name, kind: s.kind, tls: name == "rediss"}
	authority, path, query, err := split(rest, s)
	if err != nil {
		return Where{}, err
	}
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		if w.user, w.password, err = user(authority[:i]); err != nil {
			return Where{}, err
		}
		authority = authority[i+1:]
	}
	for _, read := range []func() error{
		func() error { return w.readHosts(authority, path, s) },
		func() error { return w.readPath(path, s) },
		func() error { return w.readQuery(query, s) },
	} {
		if err := read(); err != nil {
			return Where{}, err
		}
	}
	return w, nil
}

// split cuts what follows the scheme. A question mark, slash or hash in a password would shift the
// parts, and then the rest holds the @ that ends the password.
func split(rest string, s scheme) (authority, path string, query url.Values, err error) { //nolint:revive // the parts of one address
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	if strings.ContainsAny(tail, "@#") {
		return "", "", nil, errors.New("in a user or password write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25")
	}
	path, text, _ := strings.Cut(tail, "?")
	query, err = url.ParseQuery(text)
	if err != nil {
		return "", "", nil, fmt.Errorf("what follows the question mark is not like name=value; the whole looks like %s", s.looks)
	}
	return authority, path, query, nil
}

func user(text string) (name, password string, err error) {
	name, password, both := strings.Cut(text, ":")
	if !both || password == "" {
		return "", "", errors.New("before the @ say user:password, or :password where there is no user")
	}
	name, errName := url.PathUnescape(name)
	password, errPassword := url.PathUnescape(password)
	if errName != nil || errPassword != nil {
		return "", "", errors.New("in a user or password write % as %25") // the errors would quote it
	}
	return name, password, nil
}

func (w *Where) readHosts(authority, path string, s scheme) error {
	if s.port == "" {
		if authority != "" || len(path) < 2 {
			return fmt.Errorf("name the socket by its whole path, with three slashes: %s", s.looks)
		}
		w.hosts = []string{path}
		return nil
	}
	for host := range strings.SplitSeq(authority, ",") {
		at, err := address(strings.TrimSpace(host), s.port)
		if err != nil {
			return fmt.Errorf("%w; the whole looks like %s", err, s.looks)
		}
		w.hosts = append(w.hosts, at)
	}
	if s.kind == single && len(w.hosts) > 1 {
		return errors.New("several hosts are for redis-sentinel://host,host/master or redis-cluster://host,host")
	}
	return nil
}

// address completes host or host:port.
func address(v, port string) (string, error) {
	host := v
	if h, p, err := net.SplitHostPort(v); err == nil {
		host, port = h, p
	} else if strings.Contains(v, ":") {
		host = strings.Trim(v, "[]")
		if !strings.HasPrefix(v, "[") {
			return "", errors.New("an IPv6 address stands in brackets, like [::1]:6379")
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", errors.New("the port of a host is a number between 1 and 65535")
	}
	if host == "" || strings.ContainsAny(host, " \t") {
		return "", errors.New("name a host")
	}
	return net.JoinHostPort(host, port), nil
}

func (w *Where) readPath(path string, s scheme) error {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case s.port == "":
		return nil
	case s.kind == cluster:
		if path != "" && path != "/" {
			return errors.New("a Cluster has no numbered databases: let the URL end after the hosts")
		}
		return nil
	case s.kind == sentinel:
		if w.master, parts = parts[0], parts[1:]; w.master == "" {
			return fmt.Errorf("after the Sentinels name the master that they watch: %s", s.looks)
		}
	}
	if text := strings.Join(parts, "/"); text != "" {
		return w.readDB(text)
	}
	return nil
}

func (w *Where) readDB(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return errors.New("the database is a number, 0 unless you know better")
	}
	w.db = int(n)
	return nil
}

func (w *Where) readQuery(query url.Values, s scheme) error {
	for name, values := range query {
		if !slices.Contains(s.params, name) {
			return w.strange(name, s)
		}
		if len(values) != 1 || values[0] == "" {
			return fmt.Errorf("say %s once, with a value", name)
		}
		switch v := values[0]; name {
		case "db":
			if err := w.readDB(v); err != nil {
				return err
			}
		case "tls":
			if v != "true" && v != "false" {
				return errors.New("say tls=true or tls=false")
			}
			w.tls = v == "true"
		case "sentinel-user":
			w.sentinelUser = v
		case "sentinel-password":
			w.sentinelPassword = v
		}
	}
	return nil
}

// strange refuses a parameter. It does not repeat a name that cannot be one: it may be the rest of
// a password.
func (w *Where) strange(name string, s scheme) error {
	what := "what follows the question mark is no parameter"
	if len(name) < 40 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_-") == "" {
		what = fmt.Sprintf("%s:// has no parameter %s", w.scheme, name)
	}
	if len(s.params) == 0 {
		return fmt.Errorf("%s; take it away, parley sets timeouts and retries itself", what)
	}
	return fmt.Errorf("%s; there are %s", what, strings.Join(s.params, ", "))
}

// IsEmbedded tells whether the store is the one inside this process.
func (w Where) IsEmbedded() bool { return w.scheme == "" }

// Survives tells whether it is a shape of Redis in which a replica takes the place of a server that
// dies.
func (w Where) Survives() bool { return w.kind != single }

// HasSecret tells whether the address holds a user or a password.
func (w Where) HasSecret() bool {
	return w.user+w.password+w.sentinelUser+w.sentinelPassword != ""
}

// Stranger returns the same address as somebody knows it who has no user and password of the
// servers. At the Sentinels, who only tell where those are, it says who it is.
func (w Where) Stranger() Where {
	w.user, w.password = "", ""
	return w
}

// String returns the address without its users and passwords.
func (w Where) String() string {
	if w.IsEmbedded() {
		return Embedded
	}
	var b strings.Builder
	b.WriteString(w.scheme + "://" + strings.Join(w.hosts, ","))
	if w.master != "" {
		b.WriteString("/" + w.master)
	}
	switch {
	case w.db == 0:
	case w.scheme == "unix":
		b.WriteString("?db=" + strconv.Itoa(w.db))
	default:
		b.WriteString("/" + strconv.Itoa(w.db))
	}
	if w.tls && w.scheme != "rediss" {
		b.WriteString("?tls=true")
	}
	return b.String()
}
