package signaling

import (
	"slices"
	"time"
)

// Bounds of a ring.
const (
	ringCount = 512
	ringBytes = 256 << 10
	// ringSpare is what the server's own frames may use beyond the bounds, so that a peer's
	// envelopes cannot keep the end of a call from being told.
	ringSpare = 64
	// ringKeeps is for how many frames an empty ring keeps its room.
	ringKeeps = 16
)

// ring holds the frames for one browser that are unwritten or unacknowledged, in ascending
// numbers: one structure for the queue before the socket and for what a resume sends again.
// It is pure: no lock, no clock.
type ring struct {
	frames []queued // frames[i] has number base+1+i
	base   uint64   // the highest number acknowledged
	next   int      // frames[:next] are written to the present socket
	bytes  int
	torn   bool // a frame found no room: what follows cannot be told without a gap
}

type queued struct {
	frame
	at time.Time // when it was pushed
}

// fits tells whether a peer's frame of size bytes may be pushed.
func (r *ring) fits(size int) bool {
	return len(r.frames) < ringCount && r.bytes+size <= ringBytes
}

// push appends f. It reports false, and does nothing, when even the server's spare room is used
// up: then nobody has read for long, and the session cannot be resumed without a loss.
func (r *ring) push(now time.Time, f frame) bool {
	if r.torn = r.torn || len(r.frames) >= ringCount+ringSpare; r.torn {
		return false
	}
	r.frames = append(r.frames, queued{frame: f, at: now})
	r.bytes += f.size()
	return true
}

// place is how many frames of this ring are numbered up to a: negative or too many if a is foreign.
func (r *ring) place(a uint64) int {
	if a > maxNumber {
		return -1
	}
	return int(a) - int(r.base) //nolint:gosec // both are below 2^53
}

// ack drops all frames up to number a. It ignores a number that was never sent.
func (r *ring) ack(a uint64) {
	n := r.place(a)
	if n <= 0 || n > r.next {
		return
	}
	for _, f := range r.frames[:n] {
		r.bytes -= f.size()
	}
	r.base = a
	r.next -= n
	r.frames = slices.Delete(r.frames, 0, n)
	if len(r.frames) == 0 && cap(r.frames) > ringKeeps {
		r.frames = nil // after a burst an idle browser costs nothing again
	}
}

// rewind makes every frame after last unwritten, for a new socket; they wait from now on. It reports
// false when last is a number that this ring has never sent or has already forgotten.
func (r *ring) rewind(now time.Time, last uint64) bool {
	if n := r.place(last); r.torn || n < 0 || n > len(r.frames) {
		return false
	}
	r.next = len(r.frames) // whatever was received was written, even if the old writer had not noted it
	r.ack(last)
	r.next = 0
	for i := range r.frames {
		r.frames[i].at = now
	}
	return true
}

// take returns the next unwritten frame with its number, and marks it as written.
func (r *ring) take() (f queued, n uint64, ok bool) {
	if r.next == len(r.frames) {
		return queued{}, 0, false
	}
	f = r.frames[r.next]
	r.next++
	return f, r.base + uint64(r.next), true //nolint:gosec // an index is not negative
}

// beyond tells whether there are frames after number last.
func (r *ring) beyond(last uint64) bool {
	n := r.place(last)
	return n >= 0 && n < len(r.frames)
}

// waiting returns when the oldest unwritten frame was pushed.
func (r *ring) waiting() (since time.Time, ok bool) {
	if r.next == len(r.frames) {
		return time.Time{}, false
	}
	return r.frames[r.next].at, true
}
