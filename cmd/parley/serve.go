package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os/signal"
	"strings"
	"syscall"

	"parley/internal/redact"
	"parley/turn"
)

// serve builds the house, says where it is, and closes it in reverse on SIGINT or SIGTERM. A second
// signal ends the process at once.
func serve(ctx context.Context, cfg config, out, errs io.Writer) error {
	fmt.Fprintln(out, "parley is starting")
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	log := newLog(cfg, errs)
	h := newHouse()
	url, err := build(ctx, h, cfg, log)
	if err != nil {
		return errors.Join(err, h.close())
	}
	announce(out, cfg, url)
	select {
	case <-ctx.Done():
		fmt.Fprintln(out, "parley stops; a second signal ends it at once")
		stop()
	case err = <-h.failed:
	}
	return errors.Join(err, h.close())
}

// sayPort turns an error of listening into a sentence that names the setting to change.
func sayPort(setting, where string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE), errors.Is(err, turn.ErrPortInUse):
		return fmt.Errorf("%s: %s is in use by another program; stop it, or choose another with --%s", setting, where, setting)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: this machine does not have the address of %s; choose another with --%s", setting, where, setting)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: this user may not listen on %s; choose a port above 1023 with --%s", setting, where, setting)
	}
	return fmt.Errorf("%s: %w", setting, err)
}

// settle puts the port that the system chose into origins that follow from port 0.
func settle(origins []string, at net.Addr) []string {
	_, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return origins
	}
	settled := make([]string, len(origins))
	for i, o := range origins {
		if bare, found := strings.CutSuffix(o, ":0"); found {
			o = bare + ":" + port
		}
		settled[i] = o
	}
	return settled
}

// announce says where the page is and what the operator should know before inviting anybody.
func announce(out io.Writer, cfg config, url string) {
	fmt.Fprintf(out, "parley is ready: %s\n", url)
	if cfg.Redis.IsEmbedded() {
		fmt.Fprintf(out, "  store: embedded, forgets everything on exit, takes %d people; --redis for more\n", peopleEmbedded)
	}
	if strings.HasPrefix(url, "http://") && !onlyHere(url) {
		fmt.Fprintln(out, "  warning: browsers open the microphone only for https:// or localhost; put a proxy with TLS in front")
	}
}

// newLog writes to w what the configuration asks for, and never an address or a token.
func newLog(cfg config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "json" {
		return slog.New(redact.Handler(slog.NewJSONHandler(w, options)))
	}
	return slog.New(redact.Handler(slog.NewTextHandler(w, options)))
}
