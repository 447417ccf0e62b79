package main

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"parley/turn"
)

// testWithin is how long the relay's test of itself may take over one way.
const testWithin = 30 * time.Second

// testRelay tries the relay by every way, beside the start: visitors need not wait for it. The ways by
// TLS come last and are tried when there is a certificate: at the first start with tls = auto there is
// none yet, and that is no fault of the relay.
func testRelay(ctx context.Context, h *house, ways []turn.Way, with relayNeeds, relay *turn.Server) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, way := range ways {
			if way.Name == "TLS" && !with.certs.arrived(ctx) {
				return // the program stops; why there is no certificate, whoever gets them says
			}
			testWay(ctx, relay, way, with.log)
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
