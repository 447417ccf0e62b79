package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// longestLine is how long a line may be, in bytes.
const longestLine = 64 << 10

var errLong = fmt.Errorf("the line is longer than %d bytes", longestLine)

// Run answers the lines of in on out until in ends. No answer waits for a further line.
func (r *Replay) Run(in io.Reader, out io.Writer) error {
	lines, w := bufio.NewReaderSize(in, longestLine), bufio.NewWriterSize(out, longestLine)
	var answer []byte
	for {
		var err error
		answer, err = r.next(answer[:0], lines)
		if _, failed := w.Write(answer); failed != nil {
			return fmt.Errorf("write an answer: %w", failed)
		}
		if waiting, _ := lines.Peek(lines.Buffered()); err != nil || bytes.IndexByte(waiting, '\n') < 0 {
			if failed := w.Flush(); failed != nil {
				return fmt.Errorf("write an answer: %w", failed)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a line: %w", err)
		}
	}
}

// next reads a line and appends its answer, if there is a line.
func (r *Replay) next(answer []byte, lines *bufio.Reader) ([]byte, error) {
	text, err := lines.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return refuse(answer, errLong), skip(lines)
	case err == nil || len(text) > 0: // the last line may lack its end
		answer = r.Answer(answer, bytes.TrimRight(text, "\r\n"))
	}
	return answer, err //nolint:wrapcheck // Run says what failed
}

// skip reads to the end of a line.
func skip(lines *bufio.Reader) error {
	for {
		if _, err := lines.ReadSlice('\n'); !errors.Is(err, bufio.ErrBufferFull) {
			return err //nolint:wrapcheck // Run says what failed
		}
	}
}
