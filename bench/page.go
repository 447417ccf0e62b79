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
	"slices"
	"strings"

	"parley/web"
)

// pageLimit is 60 kB.
const pageLimit = 60_000

// page adds up what the page weighs on the wire before anybody has done anything: index.html, the
// catalogue, and every file below the assets but the modules that come later, packed as for a browser.
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
	first, err := loadedFirst()
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return path.Ext(name) == ".js" && !first[name] })
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

var imports = regexp.MustCompile(`(?m)^(?:import|export)\b[^;]*?'\./([\w-]+\.js)'`)

// loadedFirst are the modules that a browser asks for before anybody has done anything: the first one,
// what it says of the browser, and all that these import; the microphone's is counted with them. The
// others come when they are needed.
func loadedFirst() (map[string]bool, error) {
	first := map[string]bool{}
	for next := []string{"main.js", "signals.js", "meter-worklet.js"}; len(next) > 0; next = next[1:] {
		if first[next[0]] {
			continue
		}
		first[next[0]] = true
		module, err := fs.ReadFile(os.DirFS("web/app"), next[0])
		if err != nil {
			return nil, err
		}
		for _, m := range imports.FindAllSubmatch(module, -1) {
			next = append(next, string(m[1]))
		}
	}
	return first, nil
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
