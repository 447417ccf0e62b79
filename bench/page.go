package main

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"

	"parley/web"
)

// pageLimit is 60 kB.
const pageLimit = 60_000

// page adds up what the page weighs on the wire: every file that the server serves below its
// assets, index.html and the catalogue, packed as for a browser.
func page(_ context.Context, b bench) ([]figure, error) {
	server, err := web.New(web.Config{Log: quiet()})
	if err != nil {
		return nil, err
	}
	handler := server.Public()
	index, err := fetch(handler, "/")
	if err != nil {
		return nil, err
	}
	names, err := sources()
	if err != nil {
		return nil, err
	}
	paths := []string{"/catalogue.json"}
	for _, name := range names {
		paths = append(paths, "/"+assets(handler)+name)
	}
	total := index
	for _, at := range paths {
		size, err := fetch(handler, at)
		if err != nil {
			return nil, err
		}
		total += size
	}
	fmt.Fprintf(b.progress, "  %d files\n", len(paths)+1)
	return []figure{{
		name: fmt.Sprintf("page: %d files, gzipped", len(paths)+1), value: float64(total), unit: "bytes",
		limit: limit{"under 60000", func(f figure) bool { return f.value < pageLimit }},
	}}, nil
}

// sources lists the files of the page. The server embeds them and does not list them, so they are
// read from the tree in which bench is run.
func sources() ([]string, error) {
	var names []string
	err := fs.WalkDir(os.DirFS("web/app"), ".", func(name string, d fs.DirEntry, err error) error {
		served := err == nil && !d.IsDir() && name != "index.html" &&
			!strings.HasSuffix(name, ".test.js") && !strings.HasSuffix(name, ".md") &&
			(path.Dir(name) != "lang" || name == "lang/en.json") // a browser loads one language
		if served {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("run bench in the root of the project: %w", err)
	}
	return names, nil
}

// assets returns the folder of the files, which index.html names.
func assets(handler http.Handler) string {
	r := httptest.NewRecorder()
	handler.ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/", nil))
	return regexp.MustCompile(`a/[0-9a-f]+/`).FindString(r.Body.String())
}

// fetch returns how many bytes the body of a path has on the wire.
func fetch(handler http.Handler, at string) (int, error) {
	q := httptest.NewRequest(http.MethodGet, at, nil)
	q.Header.Set("Accept-Encoding", "gzip")
	r := httptest.NewRecorder()
	handler.ServeHTTP(r, q)
	if r.Code != http.StatusOK {
		return 0, fmt.Errorf("%s: %d", at, r.Code)
	}
	return r.Body.Len(), nil
}
