package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"parley/moderation/office"
)

// What the process answers to whoever started it. docs/operating.md tells operators.
const (
	exitDone     = 0
	exitFailed   = 1 // it did not work, or something was found that should not be
	exitUsage    = 2 // the command line or the configuration is wrong: nothing was looked at
	exitConflict = 3 // another operator was faster: nothing was changed
)

// usageError is a fault of the command line or of the settings.
type usageError struct{ says string }

func (e usageError) Error() string { return e.says }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// statusOf is the exit status of a command that ended with err.
func statusOf(err error) int {
	if err == nil {
		return exitDone
	}
	if _, is := errors.AsType[*office.ConflictError](err); is {
		return exitConflict
	}
	if _, is := errors.AsType[usageError](err); is {
		return exitUsage
	}
	// What an operator asks for is refused for what it says, whatever is stored.
	for _, wrong := range []error{office.ErrReason, office.ErrPolicy, office.ErrNetwork, office.ErrWindow, office.ErrName} {
		if errors.Is(err, wrong) {
			return exitUsage
		}
	}
	return exitFailed
}

// failed says why a command ended, and returns its exit status.
func failed(errs io.Writer, err error) int {
	sayAll(errs, err)
	return statusOf(err)
}

// sayAll writes each line of an error.
func sayAll(w io.Writer, err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(w, "parley: %s\n", line)
	}
}
