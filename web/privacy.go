package web

import (
	"fmt"
	"html"
	"strings"
	"time"

	"parley/retention"
)

// newPrivacy makes the privacy page from the catalogue of what is remembered, so that the page
// cannot promise what the program does not do.
func newPrivacy(s *site) (*file, error) {
	var items, places, promises strings.Builder
	for _, it := range retention.Catalogue() {
		items.WriteString(remembered(it))
	}
	for _, p := range retention.Elsewhere() {
		places.WriteString(card(p.Name, "", p.Holds, "How long", p.Long, "Who can read it", p.Reader))
	}
	for _, p := range retention.Promises() {
		fmt.Fprintf(&promises, "\n      <li>%s <code>%s</code></li>", html.EscapeString(p.Says), html.EscapeString(strings.Join(p.Tests, ", ")))
	}
	return s.still("privacy.html", "", "{{items}}", items.String(), "{{places}}", places.String(), "{{promises}}", promises.String())
}

// remembered is one item of the catalogue as HTML.
func remembered(it retention.Item) string {
	keyed := it.Keyed
	if keyed == "" {
		keyed = "Nothing more."
	}
	return card(it.Name, lifetime(it.TTL), it.Holds,
		"Why", it.Why,
		"Who can read it", it.Reader,
		"If the database were stolen", it.Breach,
		"And the key files too", keyed,
		"Size", size(it.Size))
}

// card is something with its name, a remark beside that, a text, and more in pairs of name and text.
func card(name, aside, text string, pairs ...string) string {
	var b strings.Builder
	id := strings.NewReplacer(" ", "-", "'", "").Replace(name)
	fmt.Fprintf(&b, "\n      <section id=%q>\n        <h3>%s", id, html.EscapeString(name))
	if aside != "" {
		fmt.Fprintf(&b, " <small>%s</small>", html.EscapeString(aside))
	}
	fmt.Fprintf(&b, "</h3>\n        <p>%s</p>\n        <dl>", html.EscapeString(text))
	for i := 0; i+1 < len(pairs); i += 2 {
		fmt.Fprintf(&b, "\n          <dt>%s</dt><dd>%s</dd>", html.EscapeString(pairs[i]), html.EscapeString(pairs[i+1]))
	}
	b.WriteString("\n        </dl>\n      </section>")
	return b.String()
}

// size says how large a record is at the most.
func size(n int64) string {
	switch {
	case n == 0:
		return "Nothing is stored."
	case n%(1<<20) == 0:
		return fmt.Sprintf("At most %d MiB.", n>>20)
	case n%(1<<10) == 0:
		return fmt.Sprintf("At most %d KiB.", n>>10)
	}
	return fmt.Sprintf("At most %d bytes.", n)
}

// lifetime says how long something is kept at the most, in the largest unit that divides it.
func lifetime(d time.Duration) string {
	if d == 0 {
		return "kept while this server is in use"
	}
	for _, unit := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := d / unit.of; d%unit.of == 0 {
			if n == 1 {
				return "gone after 1 " + unit.name
			}
			return fmt.Sprintf("gone after %d %ss", n, unit.name)
		}
	}
	return "gone after " + d.String()
}
