package web

import (
	"fmt"
	"html"
	"io/fs"
	"strings"
	"time"

	"parley/retention"
)

// newPrivacy makes the privacy page from the catalogue of what is remembered, so that the page
// cannot promise what the program does not do.
func newPrivacy(s *site) (*file, error) {
	page, err := fs.ReadFile(embedded, "page/privacy.html")
	if err != nil {
		return nil, err
	}
	var items strings.Builder
	for _, it := range retention.Catalogue() {
		items.WriteString(remembered(it))
	}
	text := strings.NewReplacer("{{assets}}", s.assets(), "{{items}}", items.String()).Replace(string(page))
	return newFile("text/html; charset=utf-8", never, []byte(text))
}

// remembered is one item of the catalogue as HTML.
func remembered(it retention.Item) string {
	const item = `
      <section id="{{name}}">
        <h3>{{name}} <small>{{ttl}}</small></h3>
        <p>{{holds}}</p>
        <dl>
          <dt>Why</dt><dd>{{why}}</dd>
          <dt>If the database were stolen</dt><dd>{{breach}}</dd>
        </dl>
      </section>`
	return strings.NewReplacer(
		"{{name}}", html.EscapeString(it.Name),
		"{{ttl}}", html.EscapeString(lifetime(it.TTL)),
		"{{holds}}", html.EscapeString(it.Holds),
		"{{why}}", html.EscapeString(it.Why),
		"{{breach}}", html.EscapeString(it.Breach),
	).Replace(item)
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
