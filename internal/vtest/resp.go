package vtest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// longest is the longest bulk string that the proxy carries.
const longest = 64 << 20

var errRESP = errors.New("not the Redis protocol")

// resp cuts a stream of the Redis protocol (versions 2 and 3) into whole commands or replies.
type resp struct{ r *bufio.Reader }

func newRESP(r io.Reader) *resp { return &resp{bufio.NewReaderSize(r, 64<<10)} }

// next returns the bytes of the next command or reply, as they were sent.
func (r *resp) next() ([]byte, error) { return r.value(nil, 0) }

// value appends one value to raw.
func (r *resp) value(raw []byte, depth int) ([]byte, error) {
	if depth > 32 {
		return nil, errRESP
	}
	line, err := r.r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	raw = append(raw, line...)
	n := 0
	if strings.IndexByte("$=!*~>%|", line[0]) >= 0 {
		if n, err = strconv.Atoi(string(bytes.TrimSpace(line[1:]))); err != nil || n > longest {
			return nil, errRESP
		}
	}
	switch kind := line[0]; kind {
	case '$', '=', '!':
		if n < 0 {
			return raw, nil
		}
		from := len(raw)
		raw = append(raw, make([]byte, n+2)...)
		_, err = io.ReadFull(r.r, raw[from:])
		return raw, err
	case '%', '|':
		n *= 2
		if kind == '|' { // attributes come before the value that they belong to
			n++
		}
	}
	for range n {
		if raw, err = r.value(raw, depth+1); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// command returns the name of a command in lower case.
func command(raw []byte) string {
	lines := bytes.SplitN(raw, []byte("\r\n"), 4)
	if raw[0] == '*' && len(lines) > 2 {
		return strings.ToLower(string(lines[2]))
	}
	name, _, _ := strings.Cut(string(lines[0]), " ") // typed by hand
	return strings.ToLower(name)
}

// push tells whether the server sent a value unasked.
func push(raw []byte) bool {
	return raw[0] == '>' || bytes.HasPrefix(raw, []byte("*3\r\n$7\r\nmessage\r\n")) || bytes.HasPrefix(raw, []byte("*4\r\n$8\r\npmessage\r\n"))
}
