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

// newNow makes the page that tells how much is remembered at the moment, from the census that the
// node keeps in its memory. It is made once for each census, so that many visitors cost no more than
// one.
func newNow(s *site, written string, census func() (retention.Census, bool)) *remade[time.Time] {
	return &remade[time.Time]{make: func(time.Time) (*file, error) {
		c, _ := census()
		return s.still("now.html", "../", "{{counted}}", whenCounted(c), "{{rows}}", nowRows(c), "{{written}}", written)
	}}
}

// nobodyCounts is the census of a server without a store.
func nobodyCounts() (retention.Census, bool) { return retention.Census{}, false }

// serveNow answers with the newest census.
func (s *Server) serveNow(w http.ResponseWriter, r *http.Request) {
	c, _ := s.census()
	s.serveMade(w, r, func() (*file, error) { return s.now.at(c.When) })
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
func whenCounted(c retention.Census) string {
	if c.When.IsZero() {
		return "<p>Nothing has been counted since this server was started. It will be within a minute or two.</p>"
	}
	at := c.When.UTC()
	says := fmt.Sprintf("<p>Counted on <time datetime=%q>%s UTC</time>, in %s. It is counted again every few minutes.</p>",
		at.Format(time.RFC3339), at.Format("2 January 2006, 15:04"), retention.Span(c.Took))
	if c.Faulty > 0 {
		return says + fmt.Sprintf("\n    <p><strong>%d records do not match the list: they are not declared, have no end, or are too large. "+
			"Whoever runs this server should look.</strong></p>", c.Faulty)
	}
	return says + "\n    <p>Every record is declared, has an end where one is declared, and is no larger than declared.</p>"
}

// nowRows is one row for each class.
func nowRows(c retention.Census) string {
	var b strings.Builder
	for i, it := range retention.Catalogue() {
		if it.Kind == "channel" {
			continue // stores nothing
		}
		records, oldest := "not counted yet", ""
		if !c.When.IsZero() {
			records, oldest = retention.Public(c.Classes[i].Records), age(it, c.Classes[i])
		}
		fmt.Fprintf(&b, "\n        <tr><th scope=\"row\"><a href=\"../privacy#%s\">%s</a></th><td>%s</td><td>%s</td><td>%s</td></tr>",
			it.Name, it.Name, html.EscapeString(records), html.EscapeString(oldest), html.EscapeString(lifetime(it.TTL)))
	}
	return b.String()
}

// age says how old the oldest record of a class is, unless that would be about few people.
func age(it retention.Item, t retention.Tally) string {
	switch {
	case t.Records == 0, it.TTL == 0:
		return ""
	case t.Records < retention.Floor:
		return "not told"
	}
	return "at most " + retention.Span(t.Oldest)
}
