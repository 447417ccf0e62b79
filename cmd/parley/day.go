package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"parley/internal/day"
	"parley/internal/store"
)

// simulatedDay is what the flags of parley simulate --day say.
type simulatedDay struct {
	on       bool
	redis    string
	operator string
	token    string // file
	look     []string

	where store.Where // of redis
	holds string      // the token
}

func dayFlags(f *flag.FlagSet, d *simulatedDay) {
	f.BoolVar(&d.on, "day", false, "play people through every feature of one target that trusts this machine as a proxy, and search --redis and --look for what must be nowhere; docs/simulate.md says how")
	f.StringVar(&d.redis, "redis", "", "with --day: the `URL` of the Redis of the target")
	f.StringVar(&d.operator, "operator", "http://localhost:8081", "with --day: the `URL` of the operators' listener of the target")
	f.StringVar(&d.token, "operator-token", "", "with --day: a `file` with the token of an operator, who then acts at the console: sets the policy that holds, pauses matching for a moment, takes back the reports of one network")
	f.Func("look", "with --day: a `file` or folder to search: the log of the target at level debug, the folder of its Redis; as often as there are", func(v string) error {
		d.look = append(d.look, v)
		return nil
	})
}

// dayRounds is how many rounds guests and operators make.
const dayRounds = 4

// finish reads what the flags name.
func (d *simulatedDay) finish(targets int) (err error) {
	switch {
	case targets > 1:
		return errors.New("day: it is played on one --target")
	case d.redis == "":
		return errors.New("day: say with --redis where the target remembers; an embedded store cannot be looked into")
	}
	if d.where, err = store.Parse(d.redis); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	if d.where.IsEmbedded() {
		return errors.New("redis: an embedded store cannot be looked into: give the target a Redis of its own")
	}
	if d.token == "" {
		return nil
	}
	text, err := os.ReadFile(d.token)
	if err != nil {
		return fmt.Errorf("operator-token: %w", err)
	}
	d.holds = strings.TrimSpace(string(text))
	return nil
}

// runDay plays a day and prints what was done and found. An error says what was found.
func (s *simulation) runDay(ctx context.Context, out, errs io.Writer) error {
	cfg := day.Config{
		Target: s.Targets[0], Operator: strings.TrimSuffix(s.day.operator, "/"), People: s.People, Rate: s.Rate, For: s.For,
		Token: s.day.holds, Rounds: dayRounds, Sound: s.Media, Seed: s.Seed, Progress: errs,
	}
	rdb := s.day.where.Open()
	defer func() { _ = rdb.Close() }() // nothing is written
	if err := rdb.Ping(ctx).Err(); err != nil {
		return s.day.where.Explain(err)
	}
	var canaries day.Canaries
	played, err := day.Play(ctx, cfg, &canaries)
	if err != nil {
		return fmt.Errorf("day: %w", err)
	}
	scene := day.Scene{Redis: rdb, Files: s.day.look, Pages: played.Pages}
	report, err := day.Inspect(ctx, scene, canaries.Net())
	if err != nil {
		return fmt.Errorf("day: %w", err)
	}
	fmt.Fprintf(out, "done: %s\nplanted: %s\nkeys: %s\nsearched %d bytes: keys, %d files, %d answers\n",
		day.Counts(played.Acts), day.Counts(canaries.Counts()), day.Counts(report.Keys), report.Bytes, report.Files, report.Pages)
	if len(report.Faults) == 0 {
		fmt.Fprintln(out, "none of what was planted is anywhere, and every key is as the catalogue says")
	}
	for _, fault := range report.Faults {
		err = errors.Join(err, errors.New(fault))
	}
	return err
}
