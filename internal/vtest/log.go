package vtest

import (
	"bytes"
	"strings"
	"sync"
)

// Log is a log that a test reads while it is written. The zero value is empty.
type Log struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

// Write appends p.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Has tells whether text stands in it.
func (l *Log) Has(text string) bool { return strings.Contains(l.String(), text) }
