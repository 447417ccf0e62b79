package web

import (
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

// prose makes a page of text from its file in page/: fill gives what stands for what, in pairs. up leads
// from where the page is to the root, "" or "../".
func (s *site) prose(name, up string, fill ...string) ([]byte, error) {
	page, err := fs.ReadFile(embedded, "page/"+name)
	if err != nil {
		return nil, err
	}
	fill = append(fill, "{{assets}}", up+s.assets())
	return []byte(strings.NewReplacer(fill...).Replace(string(page))), nil
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
