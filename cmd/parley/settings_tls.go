package main

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

func tlsSettings() []setting {
	return []setting{
		{
			name: "tls", value: tlsOff, shape: "off|files|auto",
			says: "Who speaks TLS with browsers: off, a proxy in front of the page; files, parley itself, with tls-cert and tls-key; auto, parley itself, with certificates that it gets for the hosts of public-url. Set files or auto to let others reach you without a proxy: the port of the page then carries calls too, also through networks that let nothing else out.",
			read: func(c *config, v string) error {
				if c.TLS = v; v != tlsOff && v != tlsFiles && v != tlsAuto {
					return errors.New("say off, files or auto")
				}
				return nil
			},
		},
		{
			name: "tls-cert", shape: "FILE",
			says: "The certificate with its chain, in PEM, for tls = files or for relay-tls-listen. A file that changes is read again by itself.",
			read: func(c *config, v string) error { c.Certificate = v; return nil },
		},
		{
			name: "tls-key", shape: "FILE",
			says: "The key of tls-cert, in PEM. Let only parley's user read it.",
			read: func(c *config, v string) error { c.Key = v; return nil },
		},
		{
			name: "redirect-listen", shape: "HOST:PORT|off",
			says:   "Where browsers that come without TLS are led to the page, and where the authority of tls = auto may ask too. It is port 80 where listen is port 443; set it to off when another program has that.",
			derive: redirectFrom,
			read:   func(c *config, v string) (err error) { c.Redirect, err = unlessOff(v, hostPort); return err },
		},
		{
			name: "tls-authority", value: letsEncrypt, shape: "URL",
			says: "The ACME directory of who signs for tls = auto. Set it to your own authority's, or to a staging directory while you try things out; each has certificates of its own.",
			read: func(c *config, v string) (err error) { c.Authority, err = directory(v); return err },
		},
		{
			name: "tls-authority-ca", shape: "FILE",
			says: "The root, in PEM, by which tls-authority itself is known to be who it says. Set it when that is an authority of your own, which this machine does not trust yet.",
			read: func(c *config, v string) (err error) { c.AuthorityRoots, err = roots(v); return err },
		},
		{
			name: "tls-authority-key", shape: "KEYID:KEY", hide: hideAuthorityKey,
			says: "The identifier and the key by which tls-authority knows its customer (external account binding). Set it when the authority gave you both, as ZeroSSL does; Let's Encrypt asks for none.",
			read: func(c *config, v string) (err error) { c.AuthorityKey, err = readAuthorityKey(v); return err },
		},
	}
}

// directory is the address of an ACME authority.
func directory(v string) (string, error) {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is not an address like %s", v, letsEncrypt)
	}
	return v, nil
}

// roots are the certificates in a file; nil, as for the authorities that this machine trusts, without
// one.
func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("there is no certificate in PEM in %s: name the file with the root of your authority", file)
	}
	return pool, nil
}

// authorityKey is by what an authority knows its customer.
type authorityKey struct {
	id  string
	key []byte
}

// readAuthorityKey returns nil for none. What is wrong is said without any of it.
func readAuthorityKey(v string) (*authorityKey, error) {
	if v == "" {
		return nil, nil
	}
	at := strings.LastIndex(v, ":")
	if at < 1 {
		return nil, errors.New("say KEYID:KEY, both as the authority gave them to you")
	}
	key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(v[at+1:], "="))
	if err != nil || len(key) == 0 {
		return nil, errors.New("what stands behind the colon is not a key in base64url: copy it again from the authority")
	}
	return &authorityKey{id: v[:at], key: key}, nil
}

// hideAuthorityKey shows whose key it is.
func hideAuthorityKey(v string) (shown string, hidden bool) {
	k, err := readAuthorityKey(v)
	if err != nil || k == nil {
		return "", err != nil
	}
	return k.id + " with a key", true
}

// checkAuthority finds what is told of an authority that nobody asks.
func (l *layers) checkAuthority(cfg config) {
	for _, one := range []struct {
		name string
		set  bool
	}{{"tls-authority-ca", cfg.AuthorityRoots != nil}, {"tls-authority-key", cfg.AuthorityKey != nil}} {
		if one.set && cfg.TLS != tlsAuto {
			l.fault("%s: nothing uses it: set --tls auto, or take it away", one.name)
		}
	}
}
