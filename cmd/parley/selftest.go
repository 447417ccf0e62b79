package main

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"parley/turn"
)

// testWithin is how long the relay's test of itself may take over one way. An authority that is asked
// for a certificate takes its time.
const testWithin = 30 * time.Second

// testRelay tries the relay by every way, beside the start: visitors need not wait for it.
func testRelay(ctx context.Context, h *house, relay *turn.Server, ways []turn.Way, log *slog.Logger) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, way := range ways {
			testWay(ctx, relay, way, log)
		}
	}()
	h.closeLater("relay's test of itself", func() error {
		cancel()
		<-done
		return nil
	})
}

func testWay(ctx context.Context, relay *turn.Server, way turn.Way, log *slog.Logger) {
	trying, cancel := context.WithTimeout(ctx, testWithin)
	defer cancel()
	err := relay.SelfTest(trying, way)
	switch {
	case ctx.Err() != nil: // the program stops
	case err != nil:
		log.LogAttrs(ctx, slog.LevelError, "the relay does not work, tried from this machine: calls that need this way will not connect",
			slog.String("way", way.String()), slog.Any("error", err))
	default:
		log.LogAttrs(ctx, slog.LevelInfo, "the relay works, tried from this machine", slog.String("way", way.String()))
	}
}

// relayWays are the ways to the relay, with the port of the page if they share it.
func relayWays(cfg config, relay *turn.Server, page net.Addr) []turn.Way {
	ways := relay.Ways()
	at, err := netip.ParseAddrPort(page.String())
	if cfg.TLS == tlsOff || err != nil {
		return ways
	}
	return append(ways, turn.Way{Name: "TLS", At: turn.Dialable(at), Host: cfg.RelayName})
}
