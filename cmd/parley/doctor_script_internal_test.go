package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// proxyCommand starts a reverse proxy that does one thing wrong, or none, until the script ends. It
// connects from 127.0.0.9.
//
//	append     says for whom it asks, after whatever the visitor wrote
//	keep       passes on what the visitor wrote
//	silent     says nothing of visitors
//	late       tells the time of an hour ago
//	elsewhere  says that pages come from another origin
func proxyCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: proxy append|keep|silent|late|elsewhere PORT URL")
	}
	to, err := url.Parse(args[2])
	ts.Check(err)
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}} // not where visitors come from
	p := &httputil.ReverseProxy{
		Transport: &http.Transport{DialContext: from.DialContext},
		Rewrite:   func(r *httputil.ProxyRequest) { rewrite(args[0], to, r) },
		ModifyResponse: func(a *http.Response) error {
			if args[0] == "late" {
				a.Header.Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			}
			return nil
		},
	}
	l, err := net.Listen("tcp4", "127.0.0.1:"+args[1])
	ts.Check(err)
	server := &http.Server{Handler: p, ReadHeaderTimeout: time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // until it is closed
	}()
	ts.Defer(func() {
		_ = server.Close()
		<-done
	})
}

func rewrite(how string, to *url.URL, r *httputil.ProxyRequest) {
	r.SetURL(to)
	r.Out.Host = r.In.Host
	if how == "keep" || how == "append" {
		r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
	}
	if how != "keep" && how != "silent" {
		r.SetXForwarded()
	}
	if how == "elsewhere" && r.In.Header.Get("Origin") != "" {
		r.Out.Header.Set("Origin", "https://elsewhere.example.org")
	}
}

// dialCommand waits until somebody listens at a port, at most 10 s.
func dialCommand(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: dial PORT")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp4", "127.0.0.1:"+args[0])
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			ts.Fatalf("nobody listens at port %s", args[0])
		}
	}
}
