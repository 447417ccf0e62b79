package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
)

// Sum is one file that visitors get, as it is after their browser has unpacked it.
type Sum struct {
	Path   string // below the address of the server
	Bytes  int
	SHA256 string // in hex
}

// Sums lists every file that is part of this program: of the page, of the check, and the pages of
// text that do not depend on settings, on the day or on what is remembered at the moment. Two programs
// made from the same source list the same. The page of a wrong address leads below base, which is ""
// or a path like "/talk"; paths are without it.
func Sums(base string) ([]Sum, error) {
	s, err := pageBelow(base)
	if err != nil {
		return nil, err
	}
	return s.sums()
}

func (s *site) sums() ([]Sum, error) {
	files := map[string]*file{"": s.index, "room": s.index}
	for _, page := range []struct {
		path string
		make func(*site) (*file, error)
	}{{"privacy", newPrivacy}, {"check", newCheck}, {"404", newMissing}} {
		f, err := page.make(s)
		if err != nil {
			return nil, err
		}
		files[page.path] = f
	}
	for name, f := range s.files {
		files[s.assets()+name] = f
	}
	list := make([]Sum, 0, len(files))
	for path, f := range files {
		sum := sha256.Sum256(f.plain)
		list = append(list, Sum{path, len(f.plain), hex.EncodeToString(sum[:])})
	}
	slices.SortFunc(list, func(a, b Sum) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// Commit is the commit that the program was built from, with a remark when files had been changed, or
// when none was recorded. /integrity and parley version tell it.
func Commit() string {
	const unknown = "not recorded in this program: it was built without it, as go run does"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = ", with changes that are not in it"
		}
	}
	if commit == "" {
		return unknown
	}
	return commit + changed
}

// newIntegrity makes the page and the text of the sums.
func newIntegrity(s *site) (page, text *file, err error) {
	sums, err := s.sums()
	if err != nil {
		return nil, nil, err
	}
	var rows, lines strings.Builder
	for _, f := range sums {
		fmt.Fprintf(&rows, "\n        <tr><th scope=\"row\">/%s</th><td>%d</td><td><code>%s</code></td></tr>", html.EscapeString(f.Path), f.Bytes, f.SHA256)
		fmt.Fprintf(&lines, "%s\n", f)
	}
	page, err = s.still("integrity.html", "", "{{commit}}", html.EscapeString(Commit()), "{{rows}}", rows.String())
	if err != nil {
		return nil, nil, err
	}
	text, err = newFile(kindText, never, []byte(lines.String()))
	return page, text, err
}

// String is the line of a file as sha256sum writes it.
func (f Sum) String() string { return f.SHA256 + "  /" + f.Path }

// missingHere is the page of a wrong address, under an address of its own, so that it can be compared.
func (s *Server) missingHere(w http.ResponseWriter, r *http.Request) {
	s.missing.answer(w, r, http.StatusNotFound)
}
