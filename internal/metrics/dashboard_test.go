package metrics_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// query is one expression in the language of Prometheus, and where it stands.
type query struct{ where, text string }

// queries are those of the dashboard, and the alarms that docs/metrics.md proposes.
func queries(t *testing.T) (all []query) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/grafana/parley.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			all = append(all, query{p.Title, target.Expr})
		}
	}
	if len(all) < 30 {
		t.Fatalf("the dashboard has %d queries: is it read right?", len(all))
	}
	if text, err = os.ReadFile("../../docs/metrics.md"); err != nil {
		t.Fatal(err)
	}
	_, alarms, _ := strings.Cut(string(text), "## Worth an alarm")
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(alarms, -1)
	if len(rows) < 5 {
		t.Fatalf("docs/metrics.md has %d alarms: is it read right?", len(rows))
	}
	for _, row := range rows {
		all = append(all, query{"docs/metrics.md", strings.ReplaceAll(row[1], `\|`, "|")})
	}
	return all
}

// words that are Prometheus's and name nothing.
func words() []string {
	return []string{"sum", "min", "max", "rate", "increase", "histogram_quantile", "by", "and", "le", "on"}
}

// TestQueries: each name in a query of the dashboard and of the alarms is exported, with the label and
// the values that the query speaks of; and each name of parley is in the dashboard.
func TestQueries(t *testing.T) {
	said, shown := declared(t), map[string]bool{}
	matcher := regexp.MustCompile(`\{(\w+)(=~|=)"([^"]*)"\}`)
	group := regexp.MustCompile(`by \((\w+)\) \(.*?(\w+)[\[{)]`)
	name := regexp.MustCompile(`[a-z_]+`)
	for _, q := range queries(t) {
		for _, m := range regexp.MustCompile(`(\w+)`+matcher.String()).FindAllStringSubmatch(q.text, -1) {
			label, values, _ := strings.Cut(said[m[1]], "=")
			for want := range strings.SplitSeq(m[4], "|") {
				if label != m[2] || !slices.Contains(strings.Split(values, ","), want) {
					t.Errorf("%s: %s has no %s=%q", q.where, m[1], m[2], want)
				}
			}
		}
		for _, m := range group.FindAllStringSubmatch(strings.ReplaceAll(q.text, "rate(", ""), -1) {
			if label, _, _ := strings.Cut(said[family(m[2])], "="); label != m[1] {
				t.Errorf("%s: %s has no label %s to group by", q.where, m[2], m[1])
			}
		}
		bare := regexp.MustCompile(`\[[^\]]*\]|by \(\w+\)`).ReplaceAllString(matcher.ReplaceAllString(q.text, ""), "")
		for _, word := range name.FindAllString(bare, -1) {
			if slices.Contains(words(), word) {
				continue
			}
			if _, known := said[family(word)]; !known {
				t.Errorf("%s asks for %s, which is not exported: %s", q.where, word, q.text)
			}
			shown[family(word)] = true
		}
	}
	for known := range said {
		if strings.HasPrefix(known, "parley_") && !shown[known] {
			t.Errorf("%s is in no panel of the dashboard", known)
		}
	}
}

// family is the name under which a class of a histogram is declared.
func family(name string) string {
	bare, is := strings.CutSuffix(name, "_seconds_bucket")
	if is {
		return bare + "_seconds"
	}
	return name
}
