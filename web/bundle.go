package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// entries are the modules with which a page begins, and the file that stands for each and for what
// it imports. Chunks beside them hold what several need, or what comes only when it is asked for.
func entries() []api.EntryPoint {
	return []api.EntryPoint{
		{InputPath: "main.js", OutputPath: "main.min"},
		{InputPath: "check/check.js", OutputPath: "check/check.min"},
	}
}

// bundle is what the modules of the page come to when they travel.
type bundle struct {
	files map[string][]byte // by path, with a source map for each that leads to the modules beside them
	ahead []string          // what main.min.js imports: a browser may ask for it before it has read that
}

// bundled joins modules, by path, into few files and shortens them, when the program starts: half
// as much travels, in a few requests where there was one for each module. Nobody has to run
// anything before. The modules themselves are served too, which the maps name, so that a debugger
// shows them and whoever compares the page with the source can do both: read them, and make the
// same from them.
func bundled(modules map[string][]byte) (bundle, error) {
	result := api.Build(api.BuildOptions{
		EntryPointsAdvanced: entries(), Outdir: string(filepath.Separator), AbsWorkingDir: string(filepath.Separator),
		Bundle: true, Splitting: true, Format: api.FormatESModule, ChunkNames: "[name]-[hash].min",
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, Target: api.ESNext, Charset: api.CharsetUTF8,
		LegalComments: api.LegalCommentsEndOfFile,
		Sourcemap:     api.SourceMapLinked, SourcesContent: api.SourcesContentExclude,
		Plugins: []api.Plugin{fromMemory(modules)}, TsconfigRaw: "{}", Metafile: true, LogLevel: api.LogLevelSilent,
	})
	var faults []error
	for _, m := range append(result.Errors, result.Warnings...) {
		at := "the page"
		if m.Location != nil {
			at = fmt.Sprintf("%s:%d", m.Location.File, m.Location.Line)
		}
		faults = append(faults, fmt.Errorf("%s: %s", at, m.Text))
	}
	if len(faults) > 0 {
		return bundle{}, errors.Join(faults...)
	}
	b := bundle{files: map[string][]byte{}}
	for _, f := range result.OutputFiles {
		b.files[strings.TrimPrefix(filepath.ToSlash(f.Path), "/")] = f.Contents
	}
	var err error
	b.ahead, err = imported(result.Metafile, "main.min.js")
	return b, err
}

// fromMemory gives the bundler the modules, as if they lay below the root of the disk, of which it
// reads no file.
func fromMemory(modules map[string][]byte) api.Plugin {
	return api.Plugin{Name: "memory", Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			name := path.Join("/", a.Path)
			if a.Kind != api.ResolveEntryPoint {
				name = path.Join("/", path.Dir(filepath.ToSlash(a.Importer)), a.Path)
			}
			if _, there := modules[name[1:]]; !there {
				return api.OnResolveResult{}, fmt.Errorf("%s is no module of the page", name[1:])
			}
			return api.OnResolveResult{Path: name, Namespace: "file"}, nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: ".*"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			text := string(modules[strings.TrimPrefix(filepath.ToSlash(a.Path), "/")])
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
}

// imported returns what a file imports before it runs, and what these import, by the report of a
// build.
func imported(report, file string) ([]string, error) {
	var built struct {
		Outputs map[string]struct {
			Imports []struct {
				Path string `json:"path"`
				Kind string `json:"kind"`
			} `json:"imports"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(report), &built); err != nil {
		return nil, fmt.Errorf("the report of the bundler: %w", err)
	}
	var all []string
	seen := map[string]bool{file: true}
	for queue := []string{file}; len(queue) > 0; queue = queue[1:] {
		for _, i := range built.Outputs[queue[0]].Imports {
			if i.Kind == "import-statement" && !seen[i.Path] {
				seen[i.Path] = true
				all, queue = append(all, i.Path), append(queue, i.Path)
			}
		}
	}
	return all, nil
}
