package main

import (
	"slices"
	"testing"
)

// TestOrigins: however the operator writes an address, what is kept is what a browser says in the
// Origin header.
func TestOrigins(t *testing.T) {
	for given, want := range map[string]string{
		"https://talk.example.org":         "https://talk.example.org",
		"https://talk.example.org/":        "https://talk.example.org",
		"https://talk.example.org:443":     "https://talk.example.org",
		"https://talk.example.org:443/":    "https://talk.example.org",
		"https://talk.example.org:":        "https://talk.example.org",
		"HTTPS://Talk.Example.org:443":     "https://talk.example.org",
		"https://talk.example.org:8443":    "https://talk.example.org:8443",
		"https://talk.example.org:80":      "https://talk.example.org:80",
		"http://localhost:80":              "http://localhost",
		"http://localhost:443":             "http://localhost:443",
		"http://localhost:8080":            "http://localhost:8080",
		"https://[2001:db8::443]:443":      "https://[2001:db8::443]",
		"https://[2001:db8::443]":          "https://[2001:db8::443]",
		"http://localhost:0, http://[::1]": "http://localhost:0,http://[::1]",
	} {
		got, err := origins(given)
		if err != nil || !slices.Equal(got, list(want)) {
			t.Errorf("%s: %q, %v; want %s", given, got, err, want)
		}
	}
	cfg, _, err := load([]string{"--listen", "127.0.0.1:80", "--state", t.TempDir()}, nil)
	if err != nil || !slices.Equal(cfg.PublicURL, []string{"http://localhost", "http://127.0.0.1"}) {
		t.Errorf("by default on port 80: %q, %v", cfg.PublicURL, err)
	}
}

func TestOnlyHere(t *testing.T) {
	for origin, want := range map[string]bool{
		"http://localhost:8080": true, "http://127.0.0.1:80": true, "http://[::1]:1": true, "https://a.localhost": true,
		"https://talk.example.org": false, "http://localhost.example.org": false, "http://127.example.org": false,
		"http://192.168.0.2:8080": false, "http://[2001:db8::1]": false,
	} {
		if got := onlyHere(origin); got != want {
			t.Errorf("%s: %t", origin, got)
		}
	}
}

// TestContact: the page makes a link of it, so it is an address of email or a page and nothing else.
func TestContact(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "help@example.org": "mailto:help@example.org", "mailto:help@example.org": "mailto:help@example.org",
		"https://example.org/help": "https://example.org/help",
	} {
		if got, err := contact(value); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", value, got, err, want)
		}
	}
	for _, value := range []string{"javascript:alert(1)", "http://example.org", "help", "https://", "Help <help@example.org>", "https://me:secret@example.org"} {
		if got, err := contact(value); err == nil {
			t.Errorf("%q is taken as %q", value, got)
		}
	}
}
