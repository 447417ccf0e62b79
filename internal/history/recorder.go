package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
)

// waiting is how many events may wait to be written. When there are more, those who write wait.
const waiting = 4096

// Recorder writes events, one a line, as they come. Write is safe for concurrent use, but not
// together with Close.
type Recorder struct {
	events  chan Event
	written chan error // the goroutine's only word
}

// NewRecorder begins to write to w. Close ends it.
func NewRecorder(w io.Writer) *Recorder {
	r := &Recorder{events: make(chan Event, waiting), written: make(chan error, 1)}
	go r.write(w) // ends with events; Close waits for it
	return r
}

func (r *Recorder) write(w io.Writer) {
	out := bufio.NewWriterSize(w, 1<<16)
	var err error
	put := func(e Event) {
		if err != nil {
			return
		}
		if err = json.MarshalWrite(out, e); err == nil {
			err = out.WriteByte('\n')
		}
	}
	last := int64(0)
	for e := range r.events {
		last = max(last, e.At)
		put(e)
	}
	put(Event{At: last, Did: End})
	r.written <- errors.Join(err, out.Flush())
}

// Write adds an event.
func (r *Recorder) Write(e Event) { r.events <- e }

// Close writes the last line, which says that the file is complete, and returns whether all could be
// written.
func (r *Recorder) Close() error {
	close(r.events)
	if err := <-r.written; err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}
