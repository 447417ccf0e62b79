package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"parley/web"
)

const (
	// shownFile is below --state what visitors of this node were last shown of who else touches data.
	shownFile = "processors.json"
	// shownSize is how long it may be, and mostNoted how many changes it keeps, the newest.
	shownSize = 2 << 20
	mostNoted = 200
)

// shown is what the file holds.
type shown struct {
	Processors []web.Processor `json:"processors"`
	Noted      []web.Noted     `json:"noted"`
}

// noteProcessors compares who touches data now with what was last shown, keeps what is shown now, and
// returns all changes that were noted so. Without a copy that can be read it starts anew.
func noteProcessors(state string, now []web.Processor, today time.Time, log *slog.Logger) ([]web.Noted, error) {
	file := filepath.Join(state, shownFile)
	last, err := readShown(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && len(now) == 0:
		return nil, nil // there is nothing to remember yet
	case errors.Is(err, fs.ErrNotExist):
		log.Info("no copy of who was said to touch data: changes are noticed from now on", slog.String("file", shownFile))
	case err != nil:
		log.Warn("the copy of who was said to touch data cannot be read: it is made anew, and the changes noted in it are lost",
			slog.String("file", shownFile), slog.Any("error", err))
	default:
		last.Noted = append(web.Compare(last.Processors, now, today), last.Noted...)
		last.Noted = last.Noted[:min(len(last.Noted), mostNoted)]
	}
	last.Processors = now
	if err := writeShown(file, last); err != nil {
		return nil, fmt.Errorf("state: who was said to touch data cannot be kept in %s: %w", file, err)
	}
	return last.Noted, nil
}

// readShown reads the copy.
func readShown(file string) (shown, error) {
	f, err := os.Open(file) //nolint:gosec // below the folder that the operator names
	if err != nil {
		return shown{}, err
	}
	text, err := io.ReadAll(io.LimitReader(f, shownSize))
	if err = errors.Join(err, f.Close()); err != nil {
		return shown{}, err
	}
	var last shown
	if err := json.Unmarshal(text, &last); err != nil {
		return shown{}, err
	}
	return last, nil
}

// writeShown replaces the copy in one step, so that nobody ever reads half of it.
func writeShown(file string, s shown) error {
	text, err := json.Marshal(s, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	aside, err := os.CreateTemp(filepath.Dir(file), ".processors-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(aside.Name()) }() // gone already when it was renamed
	_, err = aside.Write(text)
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return err
	}
	return os.Rename(aside.Name(), file)
}
