package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	parts    string
	rounds   int
	spell    time.Duration
	depth    int
	keys     int
	couples  int
	rate     int
	browsers int
	crowd    int
	people   int
	quiet    time.Duration
	strict   bool
	child    string

	scene       string
	plain       bool
	allocations int
	wear        time.Duration
	profile     string
}

// part is one group of figures that share a setting.
type part struct {
	name string
	run  func(context.Context, bench) ([]figure, error)
}

// bench is what each part gets.
type bench struct {
	options
	progress io.Writer
}

func parts() []part {
	return []part{
		{"pairs", pairs},
		{"bands", bands},
		{"audit", audit},
		{"depth", depth},
		{"arrivals", arrivals},
		{"relay", relay},
		{"nodes", across},
		{"storm", storm},
		{"idle", idle},
		{"page", page},
		{"turn", turnPart},
		{"turnwear", turnWear},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string, errs io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(errs)
	fs.StringVar(&o.parts, "parts", "pairs,bands,audit,depth,arrivals,relay,nodes,storm,idle,page", "what to measure")
	fs.IntVar(&o.rounds, "rounds", 3, "how often a figure and its baseline take turns")
	fs.DurationVar(&o.spell, "spell", 4*time.Second, "how long one measurement lasts")
	fs.IntVar(&o.depth, "depth", 1_000_000, "depth: waiting tickets of the deep queue")
	fs.IntVar(&o.keys, "keys", 1_000_000, "audit: keys that are walked over")
	fs.IntVar(&o.people, "people", 3000, "arrivals: people who come each second")
	fs.IntVar(&o.couples, "couples", 300, "relay: calls at the same time")
	fs.IntVar(&o.rate, "rate", 16, "relay: envelopes a second from each browser (the server allows 20)")
	fs.IntVar(&o.crowd, "crowd", 10_000, "storm: browsers whose node dies")
	fs.IntVar(&o.browsers, "browsers", 4000, "idle: browsers that wait")
	fs.DurationVar(&o.quiet, "quiet", 15*time.Second, "idle: how long they wait before the reading; the server repeats joins every 10 s")
	fs.BoolVar(&o.strict, "strict", false, "exit with status 1 when a limit is broken")
	fs.StringVar(&o.profile, "profile", "", "relay, turn: write CPU profiles of parley's child to this file, turn: one for each scene")
	fs.StringVar(&o.scene, "scene", "", "turn: only scenes whose names begin like this, such as \"outside\"")
	fs.BoolVar(&o.plain, "plain", false, "turn: parley's relay on the plain path")
	fs.IntVar(&o.allocations, "allocations", 10_000, "turn, turnwear: allocations")
	fs.DurationVar(&o.wear, "wear", time.Minute, "turnwear: how long packets are carried")
	fs.StringVar(&o.child, "child", "", "used by bench itself: serve as this child and take orders on standard input")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected %q: see -help", fs.Arg(0))
	}
	if o.rounds < 1 || o.people < 1 || o.couples < 1 || o.rate < 1 || o.browsers < 1 || o.keys < 1 || o.depth < shallow {
		return o, fmt.Errorf("sizes must be positive, and -depth at least %d", shallow)
	}
	return o, nil
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	o, err := parse(args, errs)
	if err != nil {
		return err
	}
	if o.child != "" {
		return serveChild(ctx, o)
	}
	debug.SetGCPercent(400) // the load shares the cores with what is measured; children have their own
	chosen, err := choose(o.parts)
	if err != nil {
		return err
	}
	var all []figure
	for _, p := range chosen {
		fmt.Fprintf(errs, "%s ...\n", p.name)
		started := time.Now()
		figures, err := p.run(ctx, bench{options: o, progress: errs})
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintf(errs, "%s took %s\n", p.name, time.Since(started).Round(100*time.Millisecond))
		all = append(all, figures...)
	}
	if err := printTable(out, all); err != nil {
		return err
	}
	if n := broken(all); n > 0 && o.strict {
		return fmt.Errorf("%d limits are broken", n)
	}
	return nil
}

// choose returns the named parts in the order of the table.
func choose(names string) ([]part, error) {
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(names, ",") {
		wanted[strings.TrimSpace(name)] = true
	}
	var chosen []part
	for _, p := range parts() {
		if wanted[p.name] {
			chosen = append(chosen, p)
			delete(wanted, p.name)
		}
	}
	for name := range wanted {
		var known []string
		for _, p := range parts() {
			known = append(known, p.name)
		}
		return nil, fmt.Errorf("no part %q: %s", name, strings.Join(known, ", "))
	}
	return chosen, nil
}
