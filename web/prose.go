package web

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// Content types of the pages of text and what stands beside them.
const (
	kindHTML = "text/html; charset=utf-8"
	kindText = "text/plain; charset=utf-8"
	kindAtom = "application/atom+xml; charset=utf-8"
)

// paperHead is what the heads of all pages of text have in common.
const paperHead = `  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <link rel="stylesheet" href="{{assets}}style.css">
  <link rel="stylesheet" href="{{assets}}prose.css">
  <link rel="icon" type="image/svg+xml" href="{{assets}}icon.svg">`

// aboutPrivacy is the way between the pages about privacy. up leads from one of them to the root, and
// name is its file: where one is, there is no link.
func aboutPrivacy(name, up string) string {
	var b strings.Builder
	b.WriteString("    <nav aria-label=\"About privacy\">")
	for _, to := range []struct{ at, file, says string }{
		{"", "index.html", "parley"},
		{"privacy", "privacy.html", "What is kept"},
		{"privacy/now", "now.html", "Right now"},
		{"privacy/processors", "processors.html", "Who else"},
		{"integrity", "integrity.html", "This page itself"},
	} {
		if to.file == name {
			fmt.Fprintf(&b, "\n      <span aria-current=\"page\">%s</span>", to.says)
			continue
		}
		href := up + to.at
		if href == "" {
			href = "./"
		}
		fmt.Fprintf(&b, "\n      <a href=%q>%s</a>", href, to.says)
	}
	return b.String() + "\n    </nav>"
}

// prose makes a page of text from its file in page/: fill gives what stands for what, in pairs. up
// leads from where the page is to the root, "" or "../".
func (s *site) prose(name, up string, fill ...string) ([]byte, error) {
	page, err := fs.ReadFile(embedded, "page/"+name)
	if err != nil {
		return nil, err
	}
	whole := strings.NewReplacer("{{head}}", paperHead, "{{nav}}", aboutPrivacy(name, up)).Replace(string(page))
	fill = append(fill, "{{assets}}", up+s.assets())
	return []byte(strings.NewReplacer(fill...).Replace(whole)), nil
}

// still is a page of text that never changes while the process runs.
func (s *site) still(name, up string, fill ...string) (*file, error) {
	text, err := s.prose(name, up, fill...)
	if err != nil {
		return nil, err
	}
	return newFile(kindHTML, never, text)
}

// remade is an answer that is made anew when what it shows has changed, and not for each visitor.
type remade[K comparable] struct {
	make func(K) (*file, error)

	mu   sync.Mutex // guards the following fields
	of   K
	file *file
}

// at returns the answer that shows k.
func (r *remade[K]) at(k K) (*file, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil && r.of == k {
		return r.file, nil
	}
	f, err := r.make(k)
	if err == nil {
		r.file, r.of = f, k
	}
	return f, err
}
