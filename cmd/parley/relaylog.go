package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"parley/internal/relaylog"
	"parley/moderation/office"
	"parley/turn"
)

// openRelayLog opens the relay log if it is wanted, and returns what tells it of relays, and how many
// of them it lost. If not, what is left of one is still deleted in its time.
func openRelayLog(ctx context.Context, h *house, cfg config, log *slog.Logger) (ended func(turn.Ended), lost func() int64, err error) {
	if !cfg.RelayLog {
		if err := relaylog.Sweep(cfg.RelayLogDir, time.Now()); err != nil {
			return nil, nil, fmt.Errorf("relay-log-dir: what is too old cannot be deleted: %w", err)
		}
		h.run(ctx, "end of the relay log", func(ctx context.Context) error { return sweepAlone(ctx, cfg.RelayLogDir, log) })
		return nil, func() int64 { return 0 }, nil
	}
	l, err := relaylog.Open(cfg.RelayLogDir, log, time.Now)
	if err != nil {
		return nil, nil, fmt.Errorf("relay-log-dir: %w; name a folder that parley's user may write to, or set relay-log = false", err)
	}
	log.LogAttrs(ctx, slog.LevelWarn, "the relay log is on: the addresses of everybody whose call is relayed are kept for seven days")
	h.run(ctx, "relay log", l.Run)
	return func(e turn.Ended) {
		r := relaylog.Record{Hour: e.Made, Seconds: int64(e.Lasted.Seconds()), Address: e.Client, Way: "udp", Reaches: "call", Sent: e.Sent, Received: e.Received}
		if e.Stream {
			r.Way = "stream"
		}
		if e.Kind == turn.Open {
			r.Reaches = "everywhere"
		}
		l.Add(r)
	}, l.Lost, nil
}

// sweepAlone deletes what an earlier relay log has left, until ctx ends.
func sweepAlone(ctx context.Context, dir string, log *slog.Logger) error {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
			if err := relaylog.Sweep(dir, time.Now()); err != nil {
				log.LogAttrs(ctx, slog.LevelError, "the rest of the relay log cannot be deleted; see to its folder (relay-log-dir)", slog.Any("error", err))
			}
		}
	}
}

const relayLogHelp = `parley relaylog prints the relay log: which network addresses used the relay in the last seven days.

  parley relaylog --reason TEXT

Before anything is shown, the reason is written to the audit file; if that cannot be done, nothing is shown. Each
line has the hour in which a relay began, how many seconds it lasted, the address of the browser, how it came (udp
or stream), what it could reach (call: the other browser; everywhere: private rooms), and bytes from and to it.
There is a log only where relay-log is set, on each node its own. No line says whose call it was.
`

func relayLogVerbs() map[string]func(context.Context, *deskCall) error {
	return map[string]func(context.Context, *deskCall) error{"read": readRelayLog}
}

// readRelayLog writes down that somebody reads, and then reads.
func readRelayLog(ctx context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	record := c.trail.Record // the store is embedded in the running parley
	if c.office != nil {
		record = c.office.Record
	}
	var all []relaylog.Record
	err := record(ctx, office.RelayLogAct(c.order()), func(context.Context) (err error) {
		all, err = relaylog.Read(c.relayLog, c.now)
		return err
	})
	if err != nil {
		return err
	}
	return c.say(append([]relaylog.Record{}, all...), func(w io.Writer) {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, r := range all {
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%d\t%d\n", r.Hour.Format("2006-01-02 15h"), r.Seconds, r.Address, r.Way, r.Reaches, r.Sent, r.Received)
		}
		_ = table.Flush() // to a terminal
		fmt.Fprintf(w, "%d relays; that they were read stands in the audit file\n", len(all))
	})
}
