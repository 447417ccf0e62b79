package simulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"parley/internal/history"
)

// checkWithin is how long the first look at a target may take.
const checkWithin = 10 * time.Second

// Run lets people talk on the targets, and returns what came of it. Whether limits were kept is in
// the summary; an error says that there was no run. Progress is told line by line; record may be nil,
// and its closing is the caller's.
func Run(ctx context.Context, cfg Config, progress io.Writer, record *history.Recorder) (*Summary, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	spread := !cfg.Forwarded && runtime.GOOS == "linux" && allLoopback(ctx, cfg.Targets)
	run := rand.Text()[:8]
	c := &crowd{
		cfg: cfg, run: run, door: newDoor(run, cfg.Origin, cfg.Forwarded, spread), record: record,
		rnd: source(cfg.Seed, 0), bench: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	if cfg.Media > 0 {
		var err error
		if c.studio, err = newStudio(mostConnections); err != nil {
			return nil, err
		}
	}
	for _, t := range cfg.Targets {
		if err := c.look(ctx, t); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(progress, "seed %d\n", cfg.Seed)
	c.began = time.Now()
	for range runtime.GOMAXPROCS(0) {
		c.shards = append(c.shards, newShard(c))
	}
	loops, stop := context.WithCancel(ctx)
	defer stop()
	var all sync.WaitGroup
	for _, s := range c.shards {
		all.Go(func() { s.loop(loops) })
	}
	c.people(ctx, progress)
	c.windUp(ctx)
	stop()
	all.Wait()
	if c.complaint != nil {
		fmt.Fprintf(progress, "the first frame that was not understood: %v\n", c.complaint)
	}
	return c.summary(), nil
}

// allLoopback tells whether every target is this machine itself, where each person can come from an
// address of its own.
func allLoopback(ctx context.Context, targets []Target) bool {
	for _, t := range targets {
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", t.Page.Hostname())
		if err != nil || len(ips) == 0 || !ips[0].IsLoopback() {
			return false
		}
	}
	return true
}

// look finds out, before thousands come, whether a target is a parley that lets people in. What
// can be chosen there is taken from it.
func (c *crowd) look(ctx context.Context, t Target) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	if err := c.catalogue(ctx, t); err != nil {
		return err
	}
	conn, err := c.door.dial(ctx, t, 0)
	if refused := new(refusedError); errors.As(err, &refused) {
		return fmt.Errorf("%s does not let anybody in: %s", t.Socket, explain(refused))
	}
	if err != nil {
		return fmt.Errorf("%s cannot be reached: %w", t.Socket, err)
	}
	defer conn.hangUp()
	if !conn.speaksParley() {
		return fmt.Errorf("%s speaks another protocol than %s: is it a parley?", t.Socket, Subprotocol)
	}
	conn.write(hello("", 0, deviceOf(c.run, "look")))
	conn.within(checkWithin)
	greeted := false
	code, err := c.door.read(conn, func(f frame) bool {
		_, greeted = f.(welcome)
		return false
	})
	switch {
	case err != nil:
		return fmt.Errorf("%s does not answer hello as %s wants it: %w", t.Socket, Subprotocol, err)
	case !greeted:
		return fmt.Errorf("%s does not answer hello as %s wants it (close code %d)", t.Socket, Subprotocol, code)
	}
	return nil
}

// explain turns a refused handshake into what to do about it.
func explain(e *refusedError) string {
	switch e.status {
	case http.StatusForbidden:
		return "it serves its page under another address; give that one with --origin, or as --target (403: " + e.says + ")"
	case http.StatusBadRequest, http.StatusUpgradeRequired:
		return "it speaks another protocol than " + Subprotocol + " (" + e.Error() + ")"
	case http.StatusNotFound:
		return "there is no socket at this address; is it a parley? (404)"
	case http.StatusTooManyRequests:
		return fmt.Sprintf("too many come from this address; try again in %s, or use --forwarded behind --trusted-proxies (429: %s)", e.after, e.says)
	case http.StatusServiceUnavailable:
		return fmt.Sprintf("it stops or is full; try again in %s (503: %s)", e.after, e.says)
	}
	return e.Error()
}

// catalogue takes the languages and interests from a target, unless an earlier one had them.
func (c *crowd) catalogue(ctx context.Context, t Target) error {
	at := *t.Page
	at.Path = "/catalogue.json"
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return fmt.Errorf("%s: %w", at.String(), err)
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return fmt.Errorf("%s cannot be reached: %w", t.Page, err)
	}
	defer func() { _ = answer.Body.Close() }() // read to its end or of no use
	type language struct {
		Tag string `json:"tag"`
	}
	var got struct {
		Languages []language `json:"languages"`
		Interests []string   `json:"interests"`
	}
	err = json.UnmarshalRead(io.LimitReader(answer.Body, 1<<20), &got)
	if answer.StatusCode != http.StatusOK || err != nil || len(got.Languages) == 0 {
		return fmt.Errorf("%s is not a parley: it has no catalogue of languages (%s)", t.Page, answer.Status)
	}
	for _, l := range c.cfg.Languages {
		if !slices.ContainsFunc(got.Languages, func(g language) bool { return g.Tag == l }) {
			return fmt.Errorf("languages: %s is not in the catalogue of %s", l, t.Page)
		}
	}
	if len(c.cfg.Interests) == 0 {
		c.cfg.Interests = got.Interests
	}
	return nil
}
