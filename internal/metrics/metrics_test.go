package metrics_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/metrics"
	"parley/signaling"
)

// sample is one line of an answer: what it is of, and its value.
type sample struct {
	name, labels string
	value        float64
}

// scrape asks the handler, and fails the test when the answer is not Prometheus's text.
func scrape(t *testing.T, v metrics.View) (all []sample) {
	t.Helper()
	w := httptest.NewRecorder()
	metrics.Handler(func() metrics.View { return v }).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("status %d, %s", w.Code, w.Header().Get("Content-Type"))
	}
	line := regexp.MustCompile(`^([a-z_0-9]+)(?:\{(.*)\})? ([-+.0-9eInf]+)$`)
	for text := range strings.Lines(w.Body.String()) {
		text = strings.TrimSpace(text)
		if strings.HasPrefix(text, "#") {
			continue
		}
		m := line.FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("%q is no sample", text)
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, sample{m[1], m[2], value})
	}
	return all
}

// declared is what docs/metrics.md says: each name with the label and its values, as "label=a,b".
func declared(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([^|]*) \\| [^|]+ \\|$")
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		if _, twice := all[m[1]]; twice {
			t.Errorf("docs/metrics.md names %s twice", m[1])
		}
		all[m[1]] = strings.ReplaceAll(strings.TrimSpace(m[2]), " ", "")
	}
	return all
}

// TestDeclared: what is exported is what docs/metrics.md lists, to the last value of a label, and the
// other way round. So nobody adds a label with an address, a name or a choice in it unseen.
func TestDeclared(t *testing.T) {
	values := map[string][]string{} // of the label, by "name label"
	names := map[string]bool{}
	for _, s := range scrape(t, metrics.View{}) {
		name := regexp.MustCompile(`^(.*_seconds)_(bucket|sum|count)$`).ReplaceAllString(s.name, "$1")
		names[name] = true
		if s.labels == "" {
			continue
		}
		label, value, _ := strings.Cut(s.labels, "=")
		if strings.Contains(value, ",") {
			t.Errorf("%s has several labels: %s", name, s.labels)
		}
		if value = strings.Trim(value, `"`); label == "version" {
			value = "GO" // the one that it was built with
		}
		values[name+" "+label] = append(values[name+" "+label], value)
	}
	exported := map[string]string{}
	for name := range names {
		exported[name] = ""
	}
	for of, all := range values {
		name, label, _ := strings.Cut(of, " ")
		if label == "le" && name != "parley_wait_seconds" { // the runtime's own classes
			all = []string{"CLASSES"}
		}
		exported[name] = label + "=" + strings.Join(slices.Compact(all), ",")
	}
	said := declared(t)
	for name, labels := range exported {
		if want, known := said[name]; !known || sorted(want) != sorted(labels) {
			t.Errorf("%s is exported with %q, docs/metrics.md says %q", name, labels, want)
		}
	}
	for name := range said {
		if _, there := exported[name]; !there {
			t.Errorf("docs/metrics.md names %s, which is not exported", name)
		}
	}
}

// sorted puts the values of a label in order.
func sorted(labels string) string {
	label, values, _ := strings.Cut(labels, "=")
	all := strings.Split(values, ",")
	slices.Sort(all)
	return label + "=" + strings.Join(all, ",")
}

// TestEveryNumberIsTold sets one number after the other, and finds it in one sample and no other.
func TestEveryNumberIsTold(t *testing.T) {
	nothing := ours(scrape(t, metrics.View{}))
	for _, path := range numbers(reflect.TypeFor[metrics.View](), nil) {
		v := metrics.View{}
		f := reflect.ValueOf(&v).Elem().FieldByIndex(path)
		if f.Kind() == reflect.Bool {
			f.SetBool(true)
		} else {
			f.SetInt(70)
		}
		told := 0
		for of, value := range ours(scrape(t, v)) {
			if value != nothing[of] {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%s changes %d samples", reflect.TypeFor[metrics.View]().FieldByIndex(path).Name, told)
		}
	}
	for _, code := range signaling.ErrorCodes() {
		v := metrics.View{Did: signaling.Totals{Refused: map[signaling.ErrorCode]int64{code: 70}}} //nolint:exhaustive // one at a time
		if got := ours(scrape(t, v))[`parley_frames_refused_total{code="`+string(code)+`"}`]; got != 70 {
			t.Errorf("%s: %v", code, got)
		}
	}
	for _, why := range signaling.Rebuffs() {
		v := metrics.View{Did: signaling.Totals{TurnedAway: map[signaling.Rebuff]int64{why: 7}}} //nolint:exhaustive // one at a time
		if got := ours(scrape(t, v))[`parley_handshakes_refused_total{cause="`+string(why)+`"}`]; got != 7 {
			t.Errorf("%s: %v", why, got)
		}
	}
}

// ours are the samples that are not of the runtime, by name and labels.
func ours(all []sample) map[string]float64 {
	m := map[string]float64{}
	for _, s := range all {
		if strings.HasPrefix(s.name, "parley_") {
			m[s.name+"{"+s.labels+"}"] = s.value
		}
	}
	return m
}

// numbers are the fields of a type that hold one number or truth, at whatever depth, but the waits.
func numbers(of reflect.Type, path []int) (all [][]int) {
	for f := range of.Fields() {
		at := append(slices.Clone(path), f.Index...)
		switch {
		case f.Type == reflect.TypeFor[signaling.WaitCounts]():
		case f.Type.Kind() == reflect.Struct:
			all = append(all, numbers(f.Type, at)...)
		case f.Type.Kind() == reflect.Int64, f.Type.Kind() == reflect.Bool:
			all = append(all, at)
		}
	}
	return all
}

// exact are the names whose every step is told: of the machine, of Redis, of other nodes, of packets,
// and of what was refused. Who adds one says here that nobody's search, call or report shows in it;
// that somebody came through a proxy does, for parley doctor looks at what its own visit adds.
func exact() *regexp.Regexp {
	return regexp.MustCompile(`^parley_(handshakes_refused_total|forwarded_total|nodes|mail_|store_|events_dropped|records_damaged|` +
		`relay_(packets|bytes|batches|batched_packets|dropped_packets|auth_failures|quota_refusals|requests_refused|streams_refused|faults)_)`)
}

// TestFewAreNotTold: what one person may have caused is told in steps of ten, and how many are
// somewhere in steps of five, so that one more or less does not show. The privacy page promises it.
func TestFewAreNotTold(t *testing.T) {
	nothing := ours(scrape(t, metrics.View{}))
	for _, path := range numbers(reflect.TypeFor[metrics.View](), nil) {
		for _, n := range []int64{1, 4, 5, 9, 10, 14, 19} {
			v := metrics.View{}
			f := reflect.ValueOf(&v).Elem().FieldByIndex(path)
			if f.Kind() == reflect.Bool {
				continue
			}
			f.SetInt(n)
			for of, value := range ours(scrape(t, v)) {
				step := int64(10)
				if !strings.Contains(of, "_total{") {
					step = 5
				}
				if value != nothing[of] && !exact().MatchString(of) && value != float64(n-n%step) {
					t.Errorf("%s: of %d it tells %v", of, n, value)
				}
			}
		}
	}
	few := metrics.View{Did: signaling.Totals{Refused: map[signaling.ErrorCode]int64{}}} //nolint:exhaustive // filled below
	for _, code := range signaling.ErrorCodes() {
		few.Did.Refused[code] = 9
	}
	for i := range few.Did.Waits.Counts[1:] {
		few.Did.Waits.Counts[i] = 1
	}
	few.Did.Waits.Sum = time.Minute
	for of, value := range ours(scrape(t, few)) {
		if value != nothing[of] {
			t.Errorf("of few %s tells %v", of, value)
		}
	}
}

// TestWaits: the classes add up, as Prometheus wants them, the longest too.
func TestWaits(t *testing.T) {
	v := metrics.View{}
	for i := range v.Did.Waits.Counts {
		v.Did.Waits.Counts[i] = int64(10*i + 11)
	}
	v.Did.Waits.Sum = 4 * time.Hour
	got := ours(scrape(t, v))
	for of, want := range map[string]float64{
		`parley_wait_seconds_bucket{le="1"}`: 10, `parley_wait_seconds_bucket{le="5"}`: 60, `parley_wait_seconds_bucket{le="320"}`: 450,
		`parley_wait_seconds_bucket{le="+Inf"}`: 560, `parley_wait_seconds_count{}`: 560, `parley_wait_seconds_sum{}`: 12000,
	} {
		if got[of] != want {
			t.Errorf("%s is %v, want %v", of, got[of], want)
		}
	}
}
