package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed app page
var embedded embed.FS

// file is one answer that never changes while the process runs, plain and packed.
type file struct {
	kind   string // Content-Type
	cache  string // Cache-Control
	plain  []byte
	packed []byte // gzip; nil where it would not be shorter
}

func newFile(kind, cache string, body []byte) (*file, error) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	f := &file{kind: kind, cache: cache, plain: body}
	if b.Len() < len(body) {
		f.packed = b.Bytes()
	}
	return f, nil
}

func (f *file) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.answer(w, r, http.StatusOK) }

// answer writes the file with a status of its own.
func (f *file) answer(w http.ResponseWriter, r *http.Request, code int) {
	h, body := w.Header(), f.plain
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", f.cache)
	h.Set("Vary", "Accept-Encoding")
	if f.packed != nil && takesGzip(r.Header) {
		h.Set("Content-Encoding", "gzip")
		body = f.packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a reader that went away is nobody's fault
	}
}

func takesGzip(h http.Header) bool {
	for one := range strings.SplitSeq(strings.Join(h["Accept-Encoding"], ","), ",") {
		name, weight, weighted := strings.Cut(one, ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		return !weighted || err == nil && q > 0
	}
	return false
}

// kindOf returns the Content-Type by the end of the name. The list is closed, so that a file of a
// new kind is noticed at start and not by a browser that guesses.
func kindOf(name string) (string, error) {
	switch ext := path.Ext(name); ext {
	case ".html":
		return "text/html; charset=utf-8", nil
	case ".css":
		return "text/css; charset=utf-8", nil
	case ".js":
		return "text/javascript; charset=utf-8", nil
	case ".json", ".map":
		return "application/json", nil
	case ".webmanifest":
		return "application/manifest+json", nil
	case ".svg":
		return "image/svg+xml", nil
	case ".png":
		return "image/png", nil
	case ".woff2":
		return "font/woff2", nil
	default:
		return "", fmt.Errorf("%s: no content type is known for %q", name, ext)
	}
}

// site is everything that is served from memory.
type site struct {
	base  string           // the path that the operator put before all others, like "/talk"; usually ""
	hash  string           // of all files, part of their path
	files map[string]*file // below /a/<hash>/, by path
	index *file
}

// page makes the site of app/, once in a process.
//
//nolint:gochecknoglobals // never changes once it is made
var page = sync.OnceValues(func() (*site, error) {
	app, err := fs.Sub(embedded, "app")
	if err != nil {
		return nil, err
	}
	bodies, err := readTree(app)
	if err != nil {
		return nil, err
	}
	prose, err := fs.ReadFile(embedded, "page/prose.css")
	if err != nil {
		return nil, err
	}
	bodies["prose.css"] = lean(prose)
	joined, err := bundled(bodies)
	if err != nil {
		return nil, err
	}
	maps.Copy(bodies, joined.files)
	return newSite(bodies, joined.ahead)
})

// pageBelow is the page where the operator put it: below "" or a path like "/talk".
func pageBelow(base string) (*site, error) {
	shared, err := page()
	if err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	own := *shared
	own.base = base
	return &own, nil
}

// newSite makes the answers from files by path, the index among them, whose head may name modules
// to be asked for ahead.
func newSite(bodies map[string][]byte, ahead []string) (*site, error) {
	s := &site{hash: treeHash(bodies), files: map[string]*file{}}
	for name, body := range bodies {
		kind, err := kindOf(name)
		if err != nil {
			return nil, err
		}
		if name == "index.html" {
			s.index, err = newFile(kind, never, s.placed(body, ahead))
		} else {
			s.files[name], err = newFile(kind, forever, body)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if s.index == nil {
		return nil, errors.New("the page has no index.html")
	}
	return s, nil
}

// assets is where the files are, relative to a page at the root.
func (s *site) assets() string { return "a/" + s.hash + "/" }

// placed fills in where the files are, and which modules come first.
func (s *site) placed(html []byte, ahead []string) []byte {
	var links strings.Builder
	for _, name := range ahead {
		fmt.Fprintf(&links, "\n    <link rel=\"modulepreload\" href=\"%s\">", s.assets()+name)
	}
	return []byte(strings.NewReplacer("{{assets}}", s.assets(), "{{ahead}}", links.String()).Replace(string(html)))
}

// readTree reads the files that are served, by path. Tests beside them are left out, and what is
// only for people who read the source.
func readTree(tree fs.FS) (map[string][]byte, error) {
	bodies := map[string][]byte{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".test.js") || strings.HasSuffix(name, ".md") {
			return err
		}
		body, err := fs.ReadFile(tree, name)
		if code := path.Ext(name) == ".js" || path.Ext(name) == ".css"; code && path.Dir(name) != "vendor" { // that stays as its authors made it, with their notice
			body = lean(body)
		}
		bodies[name] = body
		return err
	})
	return bodies, err
}

// treeHash changes when any file's name or content does. Lengths keep neighbours apart.
func treeHash(bodies map[string][]byte) string {
	names := make([]string, 0, len(bodies))
	for name := range bodies {
		names = append(names, name)
	}
	slices.Sort(names)
	sum := sha256.New()
	for _, name := range names {
		fmt.Fprintf(sum, "%d %s %d ", len(name), name, len(bodies[name]))
		sum.Write(bodies[name])
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}
