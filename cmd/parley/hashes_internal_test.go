package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHashesDiffer: a server that lists its files and gives others is told of file by file.
func TestHashesDiffer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/main.js"):
			http.NotFound(w, r)
		default:
			_, _ = w.Write([]byte("another"))
		}
	}))
	defer server.Close()
	var out bytes.Buffer
	c := &lookCall{out: &out, from: server.URL}
	var found errFound
	if err := hashesRun(t.Context(), c); !errors.As(err, &found) || !strings.Contains(err.Error(), "files of "+server.URL+" are not those of this program") {
		t.Errorf("it says %v", err)
	}
	for _, want := range []string{"/main.js is answered with status 404\n", "/privacy is another there: ae448ac86c4e8e4dec645729708ef41873ae79c6dff84eff73360989487f08e5\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, &out)
		}
	}
}
