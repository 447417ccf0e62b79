package web

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Processor is somebody besides whoever runs the server who touches data of visitors, from a day on
// and perhaps until one.
type Processor struct {
	Name  string
	Does  string    // for the server
	Sees  string    // of visitors
	Where string    // the country; may be empty
	Link  string    // https, to what they say of privacy; may be empty
	Since time.Time // the first day
	Until time.Time // the day on which it has ended; zero while it goes on
}

// noticeTime is how long the first page tells that who touches data has changed. There is no address
// to which that could be written.
const noticeTime = 30 * 24 * time.Hour

// day is a UTC day since 1970, by which pages that change with the date are kept.
type day int64

func dayOf(t time.Time) day { return day(t.Unix() / int64(24*time.Hour/time.Second)) }

func (d day) begins() time.Time { return time.Unix(int64(d)*int64(24*time.Hour/time.Second), 0).UTC() }

// change is one line of the history: somebody begins to touch data, has ended, or what stood of them
// was changed.
type change struct {
	on          time.Time
	title, says string
	id          string // of the entry in the feed; it stays the same as long as the entry does
}

// changes are all changes, the newest first; what is announced for later among them.
func changes(all []Processor, noted []Noted) []change {
	var list []change
	for _, p := range all {
		says := fmt.Sprintf("%s begins to touch data here: it %s, and sees %s.", p.Name, p.Does, p.Sees)
		list = append(list, change{p.Since, p.Name + " begins", says, feedID("%q %s %t", p.Name, p.Since.Format(time.DateOnly), false)})
		if !p.Until.IsZero() {
			says := p.Name + " no longer touches data here."
			list = append(list, change{p.Until, p.Name + " has ended", says, feedID("%q %s %t", p.Name, p.Until.Format(time.DateOnly), true)})
		}
	}
	for _, n := range noted {
		list = append(list, change{n.On, n.Title, n.Says, feedID("%q %s %q", n.Title, n.On.Format(time.DateOnly), n.Says)})
	}
	slices.SortStableFunc(list, func(a, b change) int { return b.on.Compare(a.on) })
	return list
}

// feedID names an entry of the feed.
func feedID(format string, args ...any) string {
	sum := sha256.Sum256(fmt.Appendf(nil, format, args...))
	return hex.EncodeToString(sum[:8])
}

// changed is the day of the newest change that the first page should tell of, "" for none.
func changed(list []change, today day) string {
	for _, c := range list {
		if today.begins().Sub(c.on) < noticeTime {
			return c.on.Format(time.DateOnly)
		}
	}
	return ""
}

// newProcessors makes the page of who else touches data. It changes with the day.
func newProcessors(s *site, all []Processor, list []change) *remade[day] {
	return &remade[day]{make: func(today day) (*file, error) {
		return s.still("processors.html", "../", "{{now}}", touching(all, today), "{{history}}", history(list, today))
	}}
}

// touching are those who touch data on a day.
func touching(all []Processor, today day) string {
	var b strings.Builder
	for _, p := range all {
		if !p.Since.After(today.begins()) && (p.Until.IsZero() || p.Until.After(today.begins())) {
			b.WriteString(processorCard(p))
		}
	}
	if b.Len() == 0 {
		return "\n      <p><strong>Nobody</strong>, says whoever runs this server.</p>"
	}
	return b.String()
}

// history is a line for each change, the newest first.
func history(list []change, today day) string {
	var b strings.Builder
	for _, c := range list {
		soon := ""
		if c.on.After(today.begins()) {
			soon = " <em>announced</em>"
		}
		fmt.Fprintf(&b, "\n      <li><time datetime=%q>%s</time>%s: %s</li>",
			c.on.Format(time.DateOnly), c.on.Format("2 January 2006"), soon, html.EscapeString(c.says))
	}
	if b.Len() == 0 {
		return "\n      <li>Nothing has changed yet.</li>"
	}
	return b.String()
}

// processorCard is one who touches data now.
func processorCard(p Processor) string {
	pairs := []string{"What they see", p.Sees, "Since", p.Since.Format("2 January 2006")}
	if p.Where != "" {
		pairs = append(pairs, "Where", p.Where)
	}
	text := card(p.Name, "", "It "+p.Does+".", pairs...)
	if p.Link == "" {
		return text
	}
	link := fmt.Sprintf("<p><a href=%q rel=\"noopener noreferrer\">What they say of privacy</a></p>\n      </section>", html.EscapeString(p.Link))
	return strings.Replace(text, "</section>", link, 1)
}

// newFeed makes the same history as a feed, for those who want to be told. origin is where the page
// is, so that the feeds of two servers are two.
func newFeed(origin string, list []change) (*file, error) {
	updated := time.Unix(0, 0).UTC()
	if len(list) > 0 {
		updated = list[0].on
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <title>Who else touches data on this parley</title>
  <id>%s/privacy/processors.atom</id>
  <updated>%s</updated>
  <author><name>parley</name></author>
  <link rel="self" href="processors.atom"/>
  <link rel="alternate" type="text/html" href="processors"/>
`, html.EscapeString(origin), updated.Format(time.RFC3339))
	for _, c := range list {
		fmt.Fprintf(&b, `  <entry>
    <title>%s</title>
    <id>%s/privacy/processors#%s</id>
    <updated>%s</updated>
    <link rel="alternate" type="text/html" href="processors"/>
    <content type="text">%s</content>
  </entry>
`, html.EscapeString(c.title), html.EscapeString(origin), c.id, c.on.Format(time.RFC3339), html.EscapeString(c.says))
	}
	b.WriteString("</feed>\n")
	return newFile(kindAtom, never, []byte(b.String()))
}

func (s *Server) serveProcessors(w http.ResponseWriter, r *http.Request) {
	s.serveMade(w, r, func() (*file, error) { return s.processors.at(dayOf(time.Now())) })
}

func (s *Server) serveCatalogue(w http.ResponseWriter, r *http.Request) {
	s.serveMade(w, r, func() (*file, error) { return s.catalogue.at(dayOf(time.Now())) })
}

// sortProcessors puts them in the order of the page: by name.
func sortProcessors(all []Processor) []Processor {
	return slices.SortedStableFunc(slices.Values(all), func(a, b Processor) int { return cmp.Compare(a.Name, b.Name) })
}
