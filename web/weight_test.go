package web_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// order is the order of the group that rooms compute in: whatever holds it holds the curve.
const order = "14def9dea2f79cd65812631a5cf5d3ed"

// TestWeight adds up what travels to a browser, packed. The page with the code for cameras and the
// curve is below 60 kB, and the latter two come only when somebody wants a room.
func TestWeight(t *testing.T) {
	l := newLoads(t)
	page := l.named("/")
	main := slices.IndexFunc(page, func(name string) bool { return strings.HasSuffix(name, "/main.min.js") })
	if main < 0 || len(page) < 4 {
		t.Fatalf("the page names %v", page)
	}
	var ahead []string
	for _, m := range regexp.MustCompile(`<link rel="modulepreload" href="(a/[^"]+)">`).FindAllStringSubmatch(l.text("/"), -1) {
		ahead = append(ahead, "/"+m[1])
	}
	if imports := l.with(page[main])[1:]; len(ahead) < 2 || !slices.Equal(unique(ahead), unique(imports)) {
		t.Errorf("the page asks ahead for %v, and imports %v", ahead, imports)
	}
	page = append(page, l.with(l.chunk(page[main], "signals"))...) // before the first word to the server
	page = append(page, l.at("lang/en.json"), "/", "/catalogue.json")
	visit := l.bytes(page, nil)

	room := append(l.with(l.chunk(page[main], "room-page")), l.at("room.css"), l.at("lang/room.en.json"), l.at("vendor/words.json"))
	drawn := l.with(l.chunk(room[0], "room-qr"))
	for _, name := range page {
		if strings.Contains(l.text(name), order) {
			t.Errorf("%s brings the curve before anybody wants a room", name)
		}
	}
	if !strings.Contains(l.text(room[0]), order) {
		t.Errorf("%s has no curve: this test looks in the wrong place", room[0])
	}
	curve := []string{l.at("vendor/curves.js")} // as it would travel alone: it is part of the room
	if visit >= 45_000 {
		t.Errorf("a visit is %d bytes packed, want under 45,000", visit)
	}
	both := visit + l.bytes(curve, nil) + l.bytes(drawn, page)
	inside := l.bytes(append(room, drawn...), page)
	t.Logf("a visit is %d bytes on the wire, %d with QR code and curve, and a room %d more than a visit", visit, both, inside)
	if both >= 60_000 {
		t.Errorf("the page is %d bytes with QR code and curve, want under 60,000", both)
	}
	if inside >= 72_000 {
		t.Errorf("a private room is %d bytes packed, want under 72,000", inside)
	}
	var later []string
	for _, name := range []string{"call", "view-talk", "solver", "view-standing"} {
		later = append(later, l.with(l.chunk(page[main], name))...)
	}
	if n := l.bytes(append(later, l.at("meter-worklet.js"), l.at("solver-worker.js")), page); n >= 18_000 {
		t.Errorf("what comes later is %d bytes packed, want under 18,000", n)
	}
	check := append(l.named("/check"), "/check", l.at("check/lang/en.json"))
	for _, source := range l.sources(l.named("/check")) {
		if slices.Contains([]string{"main.js", "app.js", "socket.js", "view.js", "seal.js"}, source) {
			t.Errorf("the check loads %s, which only a call needs", source)
		}
	}
	l.holdsAll(slices.Concat(page, room, drawn, later, check))
	if n := l.bytes(check, page); n >= 6_000 {
		t.Errorf("the check is %d bytes packed beside what it shares with the page, want under 6,000", n)
	}
}

func unique(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// holdsAll fails the test when a file that was joined is not among those that were weighed.
func (l *loads) holdsAll(weighed []string) {
	l.t.Helper()
	for _, name := range l.joined() {
		if !slices.Contains(weighed, name) {
			l.t.Errorf("%s comes at a time that has no limit: weigh it", name)
		}
	}
}

// joined are the files that modules were joined to.
func (l *loads) joined() []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)  (/a/\S+\.min\.js)$`).FindAllStringSubmatch(l.text("/integrity.txt"), -1) {
		all = append(all, m[1])
	}
	return all
}

// sources are the modules in joined files, by the files' maps.
func (l *loads) sources(files []string) []string {
	l.t.Helper()
	var all []string
	for _, name := range files {
		if !strings.HasSuffix(name, ".min.js") {
			continue
		}
		var drawn struct{ Sources []string }
		if err := json.Unmarshal([]byte(l.text(name+".map")), &drawn); err != nil {
			l.t.Fatal(name, err)
		}
		for _, source := range drawn.Sources {
			all = append(all, strings.TrimPrefix(beside(name, source), l.at("")))
		}
	}
	return all
}

// loads knows what files lead to.
type loads struct {
	t     *testing.T
	h     http.Handler
	texts map[string]string
}

func newLoads(t *testing.T) *loads {
	return &loads{t: t, h: newServer(t).Public(), texts: map[string]string{}}
}

// at is the address of a file.
func (l *loads) at(name string) string { return asset(l.t, l.h, name) }

// named are the files that a page's HTML names, and what these import before they run.
func (l *loads) named(page string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?:src|href)="(a/[^"]+)"`).FindAllStringSubmatch(l.text(page), -1) {
		all = append(all, l.with("/"+m[1])...)
	}
	return all
}

// with is a file and what it imports before it runs.
func (l *loads) with(file string) []string {
	all := []string{file}
	if !strings.HasSuffix(file, ".js") {
		return all
	}
	for _, m := range regexp.MustCompile(`(?:from|import)"(\.{1,2}/[^"]+)"`).FindAllStringSubmatch(l.text(file), -1) {
		all = append(all, l.with(beside(file, m[1]))...)
	}
	return all
}

// chunk is the file with which a module begins that another file asks for when it needs it.
func (l *loads) chunk(from, module string) string {
	l.t.Helper()
	m := regexp.MustCompile(`import\("(\./` + module + `-[A-Z0-9]{8}\.min\.js)"\)`).FindStringSubmatch(l.text(from))
	if m == nil {
		l.t.Fatalf("%s never asks for %s", from, module)
	}
	return beside(from, m[1])
}

// bytes is how much travels for files that a browser has not got yet.
func (l *loads) bytes(files, had []string) int {
	l.t.Helper()
	sum, got := 0, map[string]bool{}
	for _, name := range had {
		got[name] = true
	}
	for _, name := range files {
		if got[name] {
			continue
		}
		got[name] = true
		r := ask(l.h, "GET", name, "Accept-Encoding", "gzip")
		if r.StatusCode != 200 {
			l.t.Fatalf("%s: status %d", name, r.StatusCode)
		}
		sum += len(body(l.t, r))
	}
	return sum
}

func (l *loads) text(name string) string {
	l.t.Helper()
	if _, known := l.texts[name]; !known {
		r := ask(l.h, "GET", name)
		if r.StatusCode != 200 {
			l.t.Fatalf("%s: status %d", name, r.StatusCode)
		}
		l.texts[name] = body(l.t, r)
	}
	return l.texts[name]
}

// beside is where an address leads that a file names.
func beside(file, to string) string {
	parts := strings.Split(file, "/")
	parts = parts[:len(parts)-1]
	for rest, up := strings.CutPrefix(to, "../"); up; rest, up = strings.CutPrefix(to, "../") {
		to, parts = rest, parts[:len(parts)-1]
	}
	return strings.Join(parts, "/") + "/" + strings.TrimPrefix(to, "./")
}

// TestMaps follows the map of each file that was joined: to modules that are served as they are in
// the source, all of which are in one file or another.
func TestMaps(t *testing.T) {
	l := newLoads(t)
	mapped := map[string]bool{}
	for _, name := range l.joined() {
		if !strings.HasSuffix(strings.TrimSpace(l.text(name)), "//# sourceMappingURL="+name[strings.LastIndex(name, "/")+1:]+".map") {
			t.Errorf("%s does not name its map", name)
		}
		for _, source := range l.sources([]string{name}) {
			l.text(l.at(source)) // is served
			mapped[source] = true
		}
	}
	for name := range pageFiles(t) {
		alone := slices.Contains([]string{"meter-worklet.js", "solver-worker.js", "puzzle.js"}, name) // in threads of their own
		if strings.HasSuffix(name, ".js") && !mapped[name] && !alone {
			t.Errorf("%s is in no file that a browser loads: %v", name, slices.Sorted(maps.Keys(mapped)))
		}
	}
}
