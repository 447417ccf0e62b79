package web

import (
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	"parley/retention"
)

// What the page says of the relay log.
const (
	relayLogOff = "The relay log is off: nobody writes down who uses the relay."
	relayLogOn  = "<strong>The relay log is on</strong>: the network addresses of those who use the relay are written down, and kept for seven days."
)

// newNow makes the page that tells how much is remembered at the moment, from what the node keeps in
// its memory of the last count. It is made once for each count, so that many visitors cost no more
// than one.
func newNow(s *site, written string, counted func() (retention.Outline, bool)) *remade[time.Time] {
	return &remade[time.Time]{make: func(time.Time) (*file, error) {
		o, _ := counted()
		return s.still("now.html", "../", "{{counted}}", whenCounted(o), "{{rows}}", nowRows(o), "{{written}}", written)
	}}
}

// nobodyCounts is the count of a server without a store.
func nobodyCounts() (retention.Outline, bool) { return retention.Outline{}, false }

// serveNow answers with what was counted last.
func (s *Server) serveNow(w http.ResponseWriter, r *http.Request) {
	o, _ := s.counted()
	s.serveMade(w, r, func() (*file, error) { return s.now.at(o.When) })
}

// serveMade answers with what get returns.
func (s *Server) serveMade(w http.ResponseWriter, r *http.Request, get func() (*file, error)) {
	f, err := get()
	if err != nil {
		plain(w, http.StatusInternalServerError)
		return
	}
	f.ServeHTTP(w, r)
}

// whenCounted says how old the numbers are, and whether anything is there that should not be.
func whenCounted(o retention.Outline) string {
	if o.When.IsZero() {
		return "<p>Nothing has been counted yet. The first count takes about a second for each 2,000 records.</p>"
	}
	at := o.When.UTC()
	says := fmt.Sprintf("<p>Counted on <time datetime=%q>%s UTC</time>, in %s. It is counted again every few minutes, once for all servers of this installation.</p>",
		at.Format(time.RFC3339), at.Format("2 January 2006, 15:04"), retention.Span(o.Took))
	if o.Faulty > 0 {
		return says + fmt.Sprintf("\n    <p><strong>%d records do not match the list: they are not declared, have no end, or are too large. "+
			"Whoever runs this server should look.</strong></p>", o.Faulty)
	}
	return says + "\n    <p>Every record is declared, has an end where one is declared, and is no larger than declared.</p>"
}

// nowRows is one row for each class.
func nowRows(o retention.Outline) string {
	var b strings.Builder
	for _, it := range retention.Catalogue() {
		if it.Kind == "channel" {
			continue // stores nothing
		}
		records, oldest := "not counted yet", ""
		if k, counted := o.Classes[it.Class]; counted {
			records, oldest = retention.Public(k.Records), age(it, k)
		}
		fmt.Fprintf(&b, "\n        <tr><th scope=\"row\"><a href=\"../privacy#%s\">%s</a></th><td>%s</td><td>%s</td><td>%s</td></tr>",
			it.Name, it.Name, html.EscapeString(records), html.EscapeString(oldest), html.EscapeString(lifetime(it.TTL)))
	}
	return b.String()
}

// age says how old the oldest record of a class is, unless that would be about few people.
func age(it retention.Item, k retention.Known) string {
	switch {
	case k.Records == 0, it.TTL == 0:
		return ""
	case k.Records < retention.Floor:
		return "not told"
	}
	return "at most " + retention.Span(k.Oldest)
}
