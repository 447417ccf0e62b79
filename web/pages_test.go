package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
	"parley/web"
)

// TestNow: what is remembered now comes from what was counted last, with small numbers and their ages
// withheld.
func TestNow(t *testing.T) {
	outline := retention.Outline{When: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC), Took: 2 * time.Second, Classes: make(map[retention.Class]retention.Known)}
	outline.Classes[retention.Report] = retention.Known{Records: 1200, Oldest: 29 * 24 * time.Hour}
	outline.Classes[retention.Review] = retention.Known{Records: 3, Oldest: 4 * time.Hour}
	outline.Classes[retention.Ticket] = retention.Known{}
	counted := false
	h := newServer(t, func(c *web.Config) {
		c.Counted = func() (retention.Outline, bool) {
			if !counted {
				return retention.Outline{}, false
			}
			return outline, true
		}
	}).Public()
	logged := newServer(t, func(c *web.Config) { c.RelayLog = true }).Public()
	if text := body(t, ask(logged, "GET", "/privacy/now")); !strings.Contains(text, "The relay log is on") || strings.Contains(text, "is off") {
		t.Errorf("a server that writes addresses down does not say so:\n%s", text)
	}
	if text := body(t, ask(h, "GET", "/privacy/now")); !strings.Contains(text, "Nothing has been counted") || !strings.Contains(text, "The relay log is off") || strings.Contains(text, ">none<") {
		t.Errorf("before the first count:\n%s", text)
	}
	counted = true
	text := body(t, ask(h, "GET", "/privacy/now"))
	for _, want := range []string{
		"22 November 2026, 09:30 UTC", ">report</a></th><td>about 1,200</td><td>at most 29 days</td><td>gone after 30 days</td>",
		">review</a></th><td>fewer than 10</td><td>not told</td>", ">ticket</a></th><td>none</td><td></td>", "Every record is declared",
		">pool</a></th><td>not counted yet</td><td></td>", // by a program that did not know the class
		`href="../privacy#report"`, `href="../a/`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "{{") || strings.Contains(text, "4 hours") || strings.Contains(text, "bus") {
		t.Errorf("the page says too much:\n%s", text)
	}
	outline.When, outline.Faulty = outline.When.Add(time.Minute), 2
	if text := body(t, ask(h, "GET", "/privacy/now")); !strings.Contains(text, "2 records do not match the list") || !strings.Contains(text, "09:31") {
		t.Errorf("a newer count is not shown:\n%s", text)
	}
}

// TestNowAsksNobody: who looks at the page sends Redis nothing, before the first count and after it.
func TestNowAsksNobody(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { asksNobody(t, vtest.NewRedis(t).Client) })
	t.Run("redis-server", func(t *testing.T) {
		rdb := redis.NewClient(vtest.StartRedis(t))
		defer rdb.Close()
		asksNobody(t, rdb)
	})
}

func asksNobody(t *testing.T, rdb redis.UniversalClient) {
	sent := vtest.Watch(rdb)
	glance := retention.NewGlance(rdb, slog.New(slog.DiscardHandler))
	h := newServer(t, func(c *web.Config) { c.Counted = glance.Last }).Public()
	view := func(want string) {
		t.Helper()
		before := sent.All()
		for range 50 {
			if text := body(t, ask(h, "GET", "/privacy/now")); !strings.Contains(text, want) {
				t.Fatalf("the page lacks %q:\n%s", want, text)
			}
		}
		if n := sent.All() - before; n != 0 {
			t.Errorf("50 views sent Redis %d commands", n)
		}
	}
	view("Nothing has been counted")
	for i := range 12 {
		if err := rdb.Set(t.Context(), retention.Call.Key(fmt.Sprint("c", i)), "runs", retention.CallTime).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := glance.Look(t.Context()); err != nil || sent.Of("scan") == 0 {
		t.Fatalf("%v, after %d steps of a walk", err, sent.Of("scan"))
	}
	view(">call</a></th><td>about 10</td>")
}

// some are two processors: one who goes on, and one who has ended.
func some() []web.Processor {
	on := func(day string) time.Time {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			panic(err)
		}
		return at
	}
	return []web.Processor{
		{Name: "Zeta <Hosting>", Does: "rents out the machine", Sees: "network addresses", Where: "Germany", Link: "https://example.org/p?a=1&b=2", Since: on("2000-01-10")},
		{Name: "Alpha Mail", Does: "reads the logs", Sees: "when the program started", Since: on("1999-05-01"), Until: on("2000-01-05")},
	}
}

// TestProcessors: who touches data now, and who has, stands on the page and in the feed; the first
// page tells of a change for 30 days and of what is announced, then no more. A fresh server has
// nobody.
func TestProcessors(t *testing.T) {
	fresh := newServer(t).Public()
	if text := body(t, ask(fresh, "GET", "/privacy/processors")); !strings.Contains(text, "<strong>Nobody</strong>") || strings.Contains(text, "{{") {
		t.Errorf("a fresh server:\n%s", text)
	}
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC on 2000-01-01
		h := newServer(t, func(c *web.Config) { c.Processors, c.Origin = some(), "https://talk.example.org" }).Public()
		for _, c := range []struct {
			day           int
			changed       string
			now, not, has string
		}{
			{1, "2000-01-10", `id="Alpha-Mail"`, `id="Zeta`, "10 January 2000</time> <em>announced</em>"},
			{5, "2000-01-10", "Nobody", `id="Alpha-Mail"`, "5 January 2000</time>: Alpha Mail no longer touches data here."},
			{10, "2000-01-10", `<h3>Zeta &lt;Hosting&gt;`, `id="Alpha-Mail"`, "10 January 2000</time>: Zeta &lt;Hosting&gt; begins to touch data here"},
			{39, "2000-01-10", `href="https://example.org/p?a=1&amp;b=2"`, "Nobody", "It rents out the machine."},
			{40, "", "Germany", "announced", "1 May 1999</time>: Alpha Mail begins to touch data here: it reads the logs"},
		} {
			time.Sleep(time.Until(time.Date(2000, 1, c.day, 0, 0, 0, 0, time.UTC)))
			text := body(t, ask(h, "GET", "/privacy/processors"))
			if !strings.Contains(text, c.now) || strings.Contains(text, c.not) || !strings.Contains(text, c.has) {
				t.Errorf("day %d: want %q and %q, not %q\n%s", c.day, c.now, c.has, c.not, text)
			}
			var catalogue struct{ Changed string }
			if err := json.NewDecoder(ask(h, "GET", "/catalogue.json").Body).Decode(&catalogue); err != nil || catalogue.Changed != c.changed {
				t.Errorf("day %d: the first page tells of %q, want %q; %v", c.day, catalogue.Changed, c.changed, err)
			}
		}
	})
	if text := body(t, ask(fresh, "GET", "/catalogue.json")); strings.Contains(text, "changed") {
		t.Errorf("a server that nobody else touches tells of a change: %s", text)
	}
}

// TestFeed: the changes as Atom, the newest first, with names that stay and differ.
func TestFeed(t *testing.T) {
	type entry struct {
		Title   string `xml:"title"`
		ID      string `xml:"id"`
		Updated string `xml:"updated"`
		Content string `xml:"content"`
	}
	read := func(processors []web.Processor) (updated string, entries []entry) {
		t.Helper()
		r := ask(newServer(t, func(c *web.Config) { c.Processors, c.Origin = processors, "https://talk.example.org" }).Public(), "GET", "/privacy/processors.atom")
		var feed struct {
			XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
			ID      string   `xml:"id"`
			Updated string   `xml:"updated"`
			Entries []entry  `xml:"entry"`
		}
		if err := xml.Unmarshal([]byte(body(t, r)), &feed); err != nil {
			t.Fatal(err)
		}
		if r.Header.Get("Content-Type") != "application/atom+xml; charset=utf-8" || feed.ID != "https://talk.example.org/privacy/processors.atom" {
			t.Errorf("%v %+v", r.Header, feed)
		}
		return feed.Updated, feed.Entries
	}
	updated, entries := read(some())
	titles, ids := "", map[string]bool{}
	for _, e := range entries {
		titles += e.Updated[:10] + " " + e.Title + "; "
		ids[e.ID] = true
	}
	if want := "2000-01-10 Zeta <Hosting> begins; 2000-01-05 Alpha Mail has ended; 1999-05-01 Alpha Mail begins; "; titles != want || len(ids) != 3 || updated != "2000-01-10T00:00:00Z" {
		t.Errorf("%s, %d names, %s; want %s", titles, len(ids), updated, want)
	}
	if _, again := read(some()[1:]); len(again) != 2 || !ids[again[0].ID] || again[0].Content != "Alpha Mail no longer touches data here." {
		t.Errorf("%+v", again)
	}
	if updated, none := read(nil); len(none) != 0 || updated != "1970-01-01T00:00:00Z" {
		t.Errorf("an empty feed: %s %v", updated, none)
	}
}

// TestCompare: an entry that is edited, taken off, dated back or lifted does not pass in silence; what
// the list says itself is not said twice.
func TestCompare(t *testing.T) {
	today := some()[0].Since
	for name, c := range map[string]struct {
		edit func([]web.Processor) []web.Processor
		want string
	}{
		"nothing": {func(l []web.Processor) []web.Processor { return l }, ""},
		"does":    {func(l []web.Processor) []web.Processor { l[0].Does = "reads mail"; return l }, "Zeta <Hosting> has changed"},
		"sees":    {func(l []web.Processor) []web.Processor { l[0].Sees = "all"; return l }, "Zeta <Hosting> has changed"},
		"where":   {func(l []web.Processor) []web.Processor { l[1].Where = "Chile"; return l }, "Alpha Mail has changed"},
		"gone":    {func(l []web.Processor) []web.Processor { return l[:1] }, "Alpha Mail was taken off the list"},
		"lifted":  {func(l []web.Processor) []web.Processor { l[1].Until = time.Time{}; return l }, "Alpha Mail has another last day"},
		"ends":    {func(l []web.Processor) []web.Processor { l[0].Until = today.AddDate(0, 0, 9); return l }, ""},
		"begins":  {func(l []web.Processor) []web.Processor { return append(l, web.Processor{Name: "New", Since: today}) }, ""},
		"dated back": {func(l []web.Processor) []web.Processor {
			return append(l, web.Processor{Name: "New", Since: today.AddDate(0, 0, -1)})
		}, "New was added"},
	} {
		got := ""
		for _, n := range web.Compare(some(), c.edit(some()), today.Add(5*time.Hour)) {
			got += n.Title
			if !n.On.Equal(today) {
				t.Errorf("%s: on %v", name, n.On)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	was := some()
	was[0].Sees = "nothing <at all>"
	noted := web.Compare(was, some(), time.Now())
	h := newServer(t, func(c *web.Config) { c.Processors, c.Noted = some(), noted }).Public()
	for path, want := range map[string]string{
		"/privacy/processors":      "and sees network addresses (Germany). Before: it rents out the machine, and sees nothing &lt;at all&gt; (Germany).",
		"/privacy/processors.atom": "<title>Zeta &lt;Hosting&gt; has changed</title>",
		"/catalogue.json":          `"changed":"` + time.Now().UTC().Format(time.DateOnly),
	} {
		if text := body(t, ask(h, "GET", path)); !strings.Contains(text, want) {
			t.Errorf("%s lacks %q\n%s", path, want, text)
		}
	}
}

// TestIntegrity: the list names each file that a browser can get, with the sum of the bytes that it
// gets, unpacked; the page, the text and the program say the same. What is not in the list holds no
// program.
func TestIntegrity(t *testing.T) {
	t.Run("at the root", func(t *testing.T) { integrity(t, "") })
	t.Run("below a path", func(t *testing.T) { integrity(t, "/talk") })
}

func integrity(t *testing.T, base string) {
	h := newServer(t, func(c *web.Config) { c.Base = base }).Public()
	if base != "" {
		inside := h
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.Path = base + r.URL.Path
			inside.ServeHTTP(w, r)
		})
	}
	sums, err := web.Sums(base)
	if err != nil {
		t.Fatal(err)
	}
	page, text := body(t, ask(h, "GET", "/integrity")), body(t, ask(h, "GET", "/integrity.txt"))
	var lines strings.Builder
	listed := map[string]bool{}
	for _, s := range sums {
		lines.WriteString(s.String() + "\n")
		listed["/"+s.Path] = true
		for _, takes := range []string{"gzip", "identity"} {
			r := ask(h, "GET", "/"+s.Path, "Accept-Encoding", takes)
			got := unpacked(t, r, body(t, r))
			if sum := sha256.Sum256([]byte(got)); hex.EncodeToString(sum[:]) != s.SHA256 || len(got) != s.Bytes {
				t.Errorf("/%s as %s is not what the list says", s.Path, takes)
			}
		}
		if !strings.Contains(page, "/"+s.Path+"</th>") || !strings.Contains(page, s.SHA256) {
			t.Errorf("the page lacks /%s", s.Path)
		}
	}
	if !strings.Contains(page, "the page obeys\n      catalogue.json") {
		t.Error("the page does not say that catalogue.json is obeyed and not in the list")
	}
	if text != lines.String() {
		t.Errorf("the text says\n%s", text)
	}
	for name := range pageFiles(t) {
		if at := asset(t, h, name); name != "index.html" && !listed[at] {
			t.Errorf("%s is served and not in the list", at)
		}
	}
	for _, path := range []string{"/", "/room", "/check", "/privacy", "/404", asset(t, h, "prose.css")} {
		if !listed[path] {
			t.Errorf("%s is not in the list", path)
		}
	}
	for _, path := range []string{"/integrity", "/privacy/now", "/privacy/processors", "/privacy/processors.atom", "/catalogue.json", "/check.json", "/integrity.txt"} {
		r := ask(h, "GET", path)
		if got := body(t, r); listed[path] || r.StatusCode != 200 || strings.Contains(got, "<script") {
			t.Errorf("%s: in the list %t, status %d", path, listed[path], r.StatusCode)
		}
	}
}
