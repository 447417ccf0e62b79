package web

import (
	"io/fs"
	"strings"
)

// newMissing makes the page for an address where nothing is. It says nothing of that address, and
// names its style from the root, because it may be shown at any depth.
func newMissing(s *site, base string) (*file, error) {
	page, err := fs.ReadFile(embedded, "page/missing.html")
	if err != nil {
		return nil, err
	}
	text := strings.NewReplacer("{{assets}}", base+"/"+s.assets(), "{{base}}", base).Replace(string(page))
	return newFile("text/html; charset=utf-8", never, []byte(text))
}
