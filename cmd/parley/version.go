package main

import (
	"fmt"
	"io"
	"runtime"

	"parley/web"
)

const versionHelp = `parley version prints from which commit this program was made, and with which Go.

  parley version

/integrity of a running parley tells the same commit; parley hashes --from URL compares its files.
`

// versionCommand needs no settings, so that it can be asked whatever is wrong with those.
func versionCommand(args, _ []string, out, errs io.Writer) int {
	switch {
	case len(args) == 1:
		fmt.Fprintf(out, "commit: %s\n%s %s/%s\n", web.Commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return exitDone
	case args[1] == "help", args[1] == "--help", args[1] == "-h":
		fmt.Fprint(out, versionHelp)
		return exitDone
	}
	return failed(errs, usagef("version: %q is too much", args[1]))
}
