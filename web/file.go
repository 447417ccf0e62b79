package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
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
	case ".json":
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
	hash  string           // of all files, part of their path
	files map[string]*file // below /a/<hash>/, by path
	index *file
	base  string // below which path all of it is; "" for none
}

// newSite reads the page's files, and the style of the pages of text. Tests of the page lie beside it
// and are left out.
func newSite(app fs.FS) (*site, error) {
	bodies, err := readTree(app)
	if err != nil {
		return nil, err
	}
	if bodies["prose.css"], err = fs.ReadFile(embedded, "page/prose.css"); err != nil {
		return nil, err
	}
	s := &site{hash: treeHash(bodies), files: map[string]*file{}}
	for name, body := range bodies {
		kind, err := kindOf(name)
		if err != nil {
			return nil, err
		}
		switch {
		case name == "index.html":
			s.index, err = newFile(kind, never, s.placed(body))
		case path.Dir(name) == "vendor": // as its authors made it, with their notice
			s.files[name], err = newFile(kind, forever, body)
		case path.Ext(name) == ".js", path.Ext(name) == ".css":
			s.files[name], err = newFile(kind, forever, lean(body))
		default:
			s.files[name], err = newFile(kind, forever, body)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if s.index == nil {
		return nil, fmt.Errorf("the page has no index.html")
	}
	return s, nil
}

// assets is where the files are, relative to a page at the root.
func (s *site) assets() string { return "a/" + s.hash + "/" }

// placed fills in where the files are.
func (s *site) placed(html []byte) []byte {
	return bytes.ReplaceAll(html, []byte("{{assets}}"), []byte(s.assets()))
}

func readTree(app fs.FS) (map[string][]byte, error) {
	bodies := map[string][]byte{}
	err := fs.WalkDir(app, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".test.js") || strings.HasSuffix(name, ".md") {
			return err
		}
		bodies[name], err = fs.ReadFile(app, name)
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
