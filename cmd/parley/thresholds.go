package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"parley/moderation/office"
	"parley/moderation/score"
)

const thresholdHelp = `parley thresholds shows and sets the numbers by which reports are judged.

  parley thresholds show                 what holds, since when, by whom
  parley thresholds preview [changes]    what would change: computed anew from every record, changes nothing
  parley thresholds set [changes] --reason TEXT [--revision N]

Changes, in this order, on top of what holds:
  --preset NAME     gentle, balanced or strict
  --policy FILE     a JSON file like what show --json prints below "policy", or some of it
  --set NAME=VALUE  one number, for example --set thresholds.1=0.13 (0 watch, 1 restricted, 2 cooldown)
                    or --set reason_weight.spam=0.5; may be given several times
  --revision N      refuse unless revision N holds; by default what set finds
`

func thresholdVerbs() map[string]func(context.Context, *deskCall) error {
	return map[string]func(context.Context, *deskCall) error{
		"show": showThresholds, "preview": previewThresholds, "set": setThresholds,
	}
}

func showThresholds(ctx context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	s, err := c.office.State(ctx)
	if err != nil {
		return err
	}
	return c.say(s.Holding, func(w io.Writer) {
		sayHolding(w, s.Holding)
		printPolicy(w, s.Holding.Policy)
		if s.Pause.Paused {
			fmt.Fprintf(w, "\nmatching is paused by %s: %s\n", s.Pause.Who, s.Pause.Reason)
		}
	})
}

func sayHolding(w io.Writer, h office.Holding) {
	name := h.Preset
	if name == "" {
		name = "own numbers"
	}
	fmt.Fprintf(w, "revision %d: %s", h.Revision, name)
	if h.Who != "" {
		fmt.Fprintf(w, ", set by %s on %s: %s", h.Who, h.When.UTC().Format("2006-01-02 15:04 MST"), h.Reason)
	}
	fmt.Fprintln(w)
}

func printPolicy(w io.Writer, p score.Policy) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "band\tscore from\treporters from")
	for b := score.Watch; b <= score.Cooldown; b++ {
		fmt.Fprintf(t, "%s\t%v\t%v\n", b, p.Thresholds.Of(b), p.Floors.Of(b))
	}
	_ = t.Flush() // a terminal that went away
	fmt.Fprintln(w, "all numbers: parley thresholds show --json")
}

// draft returns what holds, and the same with the changes of the command line.
func (c *deskCall) draft(ctx context.Context) (office.Holding, score.Policy, error) {
	s, err := c.office.Current(ctx)
	if err != nil {
		return s.Holding, score.Policy{}, err
	}
	p := s.Holding.Policy
	if c.preset == "" && c.policy == "" && len(c.changes) == 0 {
		return s.Holding, p, usagef("say what to change: --preset NAME, --policy FILE or --set NAME=VALUE")
	}
	if c.preset != "" {
		if p, err = score.Preset(c.preset); err != nil {
			return s.Holding, p, usageError{err.Error()}
		}
	}
	if c.policy != "" {
		text, err := os.ReadFile(c.policy)
		if err != nil {
			return s.Holding, p, usagef("--policy: %v", err)
		}
		if p, err = score.Parse(p, text); err != nil {
			return s.Holding, p, usagef("%s: %v", c.policy, err)
		}
	}
	for _, one := range c.changes {
		if p, err = changed(p, one); err != nil {
			return s.Holding, p, err
		}
	}
	return s.Holding, p, nil
}

// changed sets one number of a policy, given as name=value; name may be of one within a list or an
// object.
func changed(p score.Policy, one string) (score.Policy, error) {
	name, value, found := strings.Cut(one, "=")
	if !found {
		return p, usagef("--set %s: say NAME=VALUE", one)
	}
	outer, inner, nested := strings.Cut(name, ".")
	triples := map[string]*score.Triple{"thresholds": &p.Thresholds, "min_reporters": &p.Floors}
	if t, is := triples[outer]; is {
		i, errI := strconv.Atoi(inner)
		v, errV := strconv.ParseFloat(value, 64)
		if errI != nil || errV != nil || i < 0 || i >= len(t) {
			return p, usagef("--set %s: say %s.0=NUMBER for watch, .1 for restricted, .2 for cooldown", one, outer)
		}
		t[i] = v
		return p, nil
	}
	if !jsonNumber(value) {
		value = strconv.Quote(value) // id_mode
	}
	text := fmt.Sprintf("{%q:%s}", outer, value)
	if nested {
		text = fmt.Sprintf("{%q:{%q:%s}}", outer, inner, value)
	}
	p, err := score.Parse(p, []byte(text))
	if err != nil {
		return p, usagef("--set %s: %v", one, err)
	}
	return p, nil
}

func jsonNumber(value string) bool {
	_, err := strconv.ParseFloat(value, 64)
	return err == nil && !strings.ContainsAny(value, "nNxX_ip")
}

func previewThresholds(ctx context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	_, p, err := c.draft(ctx)
	if err != nil {
		return err
	}
	preview, h, err := c.office.Preview(ctx, p, c.now)
	if err != nil {
		return err
	}
	public := preview.Public()
	return c.say(public, func(w io.Writer) {
		sayHolding(w, h)
		printPreview(w, public)
	})
}

// printPreview prints how many records go from each band to each.
func printPreview(w io.Writer, p office.PublicPreview) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "now \\ then")
	for b := score.Clear; b <= score.Cooldown; b++ {
		fmt.Fprintf(t, "\t%s", b)
	}
	fmt.Fprintln(t)
	for from, row := range p.Bands {
		fmt.Fprint(t, score.Band(from))
		for _, n := range row {
			fmt.Fprintf(t, "\t%s", n)
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush() // a terminal that went away
	fmt.Fprintf(w, "of %s records %s change band: %s to a harder one, %s to a milder one\n", p.Records, p.Changed, p.Harder, p.Milder)
	if p.Touched == nil {
		fmt.Fprintln(w, "share of the last day's calls that would be touched: not known, there were too few")
		return
	}
	fmt.Fprintf(w, "share of the last day's calls that would be touched: %.1f %%\n", 100**p.Touched)
}

func setThresholds(ctx context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	h, p, err := c.draft(ctx)
	if err != nil {
		return err
	}
	revision := h.Revision
	if c.revision != "" {
		if revision, err = strconv.ParseInt(c.revision, 10, 64); err != nil {
			return usagef("--revision %s is not a number", c.revision)
		}
	}
	preview, err := c.office.SetPolicy(ctx, p, revision, c.order())
	if err != nil {
		return err
	}
	public := preview.Public()
	return c.say(struct {
		Revision int64                `json:"revision"`
		Preview  office.PublicPreview `json:"preview"`
	}{revision + 1, public}, func(w io.Writer) {
		fmt.Fprintf(w, "revision %d holds; every node takes it up within seconds\n", revision+1)
		printPreview(w, public)
	})
}
