package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
)

// waiting is how many lines may wait to be written. When there are more, those who write wait.
const waiting = 4096

// Recorder writes events, one a line, as they come. Write is safe for concurrent use, but not
// together with Close.
type Recorder struct {
	lines   chan []byte
	written chan error // the goroutine's only word
}

// NewRecorder begins to write to w. Close ends it.
func NewRecorder(w io.Writer) *Recorder {
	r := &Recorder{lines: make(chan []byte, waiting), written: make(chan error, 1)}
	go r.write(w) // ends with lines; Close waits for it
	return r
}

func (r *Recorder) write(w io.Writer) {
	out := bufio.NewWriterSize(w, 1<<16)
	var err error
	for line := range r.lines {
		if err == nil {
			_, err = out.Write(line)
		}
	}
	r.written <- errors.Join(err, out.Flush())
}

// Write adds an event.
func (r *Recorder) Write(e Event) {
	line, err := json.Marshal(e)
	if err != nil {
		panic(fmt.Sprintf("history: %v", err)) // our own type always marshals
	}
	r.lines <- append(line, '\n')
}

// Close writes the last line, which says that the file is complete, and returns whether all could be
// written.
func (r *Recorder) Close(at int64) error {
	r.Write(Event{At: at, Did: End})
	close(r.lines)
	if err := <-r.written; err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}
