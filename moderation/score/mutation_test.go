package score_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is one line of this package, broken.
type mutant struct{ name, file, line, broken string }

var mutants = []mutant{
	{"decay", "score.go", "math.Exp2(-float64(max(0, age))", "math.Exp2(float64(max(0, age))"},
	{"no decay of reports", "score.go", "left := p.decay(now - e.At)", "left := 1.0"},
	{"reports expire", "score.go", "if now-e.At >= p.expire() {", "if false {"},
	{"records expire", "record.go", "(r.brief || len(r.Events) > 0) && now-r.Newest() < p.expire()", "(r.brief || len(r.Events) > 0)"},
	{"a clean call keeps no record alive", "record.go", "if x.Reported || x.Fresh", "if len(r.Events) > 0 { r.Events[len(r.Events)-1].At = x.At }\n\tif x.Reported || x.Fresh"},
	{"clean days do not go", "record.go", "	r.Peers = slices.DeleteFunc", "	r.Clean = slices.DeleteFunc(r.Clean, func(d Day) bool { return now-d.Day*day >= p.expire() })\n	r.Peers = slices.DeleteFunc"},
	{"clean days do not end", "score.go", "sum += d.decayed(p, now)", "if now-d.Day*day >= p.expire() { continue }\n\t\tsum += d.decayed(p, now)"},
	{"one report of a pair", "record.go", "a.Pair == r.Events[i].Pair", "a.Pair == r.Events[i].Pair && false"},
	{"pairs under other keys", "record.go", "append([]Alias{{e.Pair, e.Net}}, older...)", "append([]Alias{{e.Pair, e.Net}}, older[:0]...)"},
	{"late reports", "record.go", "e.At = max(e.At, r.Events[n-1].At)", ""},
	{"daily cap", "caps.go", "part := min(1, max(0, g.day)/all)", "part := 1.0"},
	{"network cap", "caps.go", "g.net[i] = p.NetCap - r.netBefore(counted, first, next, e.Net)", "g.net[i] = 1e9"},
	{"network cap looks back", "caps.go", "if r.Events[i].Net == net {\n\t\t\tsum += counted[i]", "if false {\n\t\t\tsum += counted[i]"},
	{"day is used up", "caps.go", "g.day -= all * part", ""},
	{"network is used up", "caps.go", "g.net[i] -= min(s, max(0, g.net[i])) * part", "_, _ = i, s"},
	{"room stays with the report: day", "caps.go", "sum = max(sum, float64(r.Events[i].DayUsed))", ""},
	{"room stays with the report: network", "caps.go", "sum = max(sum, float64(r.Events[i].NetUsed))", ""},
	{"reporters first", "caps.go", "heads[i], rest[i] = min(1, w), w-min(1, w)", "heads[i], rest[i] = w, 0"},
	{"equal shares", "caps.go", "* part\n\t\t\tg.counted[i] += w", "* part\n\t\t\tif i%2 == 1 { w *= 0.5 }\n\t\t\tg.counted[i] += w"},
	{"one is one reporter", "score.go", "reporters += min(1, counted[i]) * left", "reporters += counted[i] * left"},
	{"the least goes", "caps.go", "c < least || c == least", "c > -1 && i == 0 || c == least"},
	{"reported calls are not clean", "record.go", "if x.Reported || x.Fresh", "if x.Fresh"},
	{"fresh peers", "record.go", "x.Reported || x.Fresh ||", "x.Reported ||"},
	{"peers once a day", "record.go", "slices.ContainsFunc(r.Peers, known)", "slices.ContainsFunc(r.Peers[:0], known)"},
	{"digest speaks for fresh installs", "judge.go", "p.IDMode == Both && s.Fresh", "p.IDMode == Both"},
	{"digest speaks in small crowds", "judge.go", "s.Digest.crowded(p, now)", "false"},
	{"floors", "judge.go", "&& n >= p.Floors.Of(b)", ""},
	{"hysteresis", "judge.go", "threshold -= p.Hysteresis", ""},
	{"served", "judge.go", "r.SpellEnd != 0 && r.Newest() < r.SpellEnd", "false"},
	{"spells double", "judge.go", "<<min(r.Spells, maxSpells)", "<<min(0, maxSpells)"},
	{"spells end", "judge.go", "longestSpell)", "1000*longestSpell)"},
	{"who reports everybody", "event.go", "float32(1 / (1 + excess))", "float32(1 / (1 + 0*excess))"},
	{"window begins anew", "event.go", "now-w.Start >= day", "false"},
	{"void gives back", "judge.go", "r.giveBack(gone, float32(counted[i]))", "_ = i"},
	{"sums decay", "score.go", "return r.Sum.weight * left, r", "return r.Sum.weight, r"},
	{"sums end with the first report", "sum.go", "now >= r.Sum.until ||", ""},
	{"sums hold for their rule", "sum.go", "r.Sum.rule != p.rule()", "false"},
	{"merged events", "merge.go", "all.Events = append(all.Events, e)", "all.Events = append(all.Events[:0], e)"},
}

// TestMutants breaks one line after the other and wants the other tests to notice. It compiles the
// package as often, so it is no part of the gate.
func TestMutants(t *testing.T) {
	if os.Getenv("PARLEY_NIGHTLY") == "" || os.Getenv("PARLEY_MUTANT") != "" {
		t.Skip("set PARLEY_NIGHTLY=1")
	}
	dir := t.TempDir()
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			text, err := os.ReadFile(m.file)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), m.line) {
				t.Fatal("the line is not there any more")
			}
			source, err := filepath.Abs(m.file)
			if err != nil {
				t.Fatal(err)
			}
			broken, overlay := filepath.Join(dir, m.file), filepath.Join(dir, "overlay.json")
			replace, err := json.Marshal(map[string]map[string]string{"Replace": {source: broken}})
			if err != nil {
				t.Fatal(err)
			}
			for path, content := range map[string]string{broken: strings.Replace(string(text), m.line, m.broken, 1), overlay: string(replace)} {
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			test := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-overlay", overlay, ".", "-run", "^Test", "-rapid.checks=400", "-rapid.nofailfile", "-rapid.shrinktime=0s")
			test.Env = append(os.Environ(), "PARLEY_MUTANT=1")
			out, err := test.CombinedOutput()
			if strings.Contains(string(out), "build failed") {
				t.Fatalf("%s", out)
			}
			if err == nil {
				t.Error("nobody noticed")
			}
			for line := range strings.Lines(string(out)) {
				if strings.HasPrefix(line, "--- FAIL") {
					t.Log(strings.TrimSpace(line))
				}
			}
		})
	}
}
