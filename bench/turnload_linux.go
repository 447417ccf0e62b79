package main

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	turnPayload = 160                   // bytes of a packet: 20 ms of Opus with its RTP header, roughly
	turnPeriod  = 20 * time.Millisecond // between two packets of a flow at 50 a second
)

// flow is the packets from one socket to another.
type flow struct {
	from, to int    // descriptors
	packet   []byte // as it is sent, with room for the time
	at       int    // where the time is in it
	arrives  int    // where the time is in what arrives; its length is fixed, too
	size     int    // of what arrives

	secure, secured *tls.Conn // over from and to, if these have TLS
}

// talk drives flows at one rate from one thread. It sleeps until the next packet is due, so that
// packets leave one by one at the moments of their flows' phases, and reads what has gathered in one
// socket after another. Nobody waits at a receiving socket: the server is not charged for waking
// the load.
type talk struct {
	flows  []flow
	phases []time.Duration
	stream bool

	sent, failed, received int
	octets                 int // of streams
	cursor                 int // the next socket to read
	delays                 []time.Duration
	timed                  bool
	in                     *harvest
}

func newTalk(flows []flow, stream bool) *talk {
	t := &talk{flows: flows, stream: stream, in: newHarvest()}
	for range flows {
		t.phases = append(t.phases, rand.N(time.Second)) //nolint:gosec // G404: load, not secrets
	}
	slices.Sort(t.phases)
	return t
}

// now is the clock of packets, which the kernel's timestamps share.
func now() int64 { return time.Now().UnixNano() }

// run drives the flows at rate packets a second each for d. Called again, it goes on counting.
func (t *talk) run(rate float64, d time.Duration) {
	start := now()
	period := float64(time.Second) / rate
	due := func(i int) int64 { // packet i, over all flows
		turn, k := i/len(t.flows), i%len(t.flows)
		return start + int64(period*(float64(turn)+float64(t.phases[k])/float64(time.Second)))
	}
	for i := 0; ; i++ {
		at := due(i)
		if at-start > int64(d) {
			return
		}
		for {
			wait := at - now()
			if wait <= 0 {
				break
			}
			if wait > int64(8*time.Microsecond) {
				nap(wait - int64(4*time.Microsecond))
			}
		}
		t.send(&t.flows[i%len(t.flows)])
		if i%5 == 0 { // each socket is read at every fifth packet of its own
			t.harvest(1)
		}
	}
}

func nap(ns int64) {
	ts := unix.NsecToTimespec(ns)
	_, _, _ = unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0) //nolint:gosec // G103: what nanosleep takes
}

func (t *talk) send(f *flow) {
	binary.BigEndian.PutUint64(f.packet[f.at:], uint64(now())) //nolint:gosec // after 1970
	t.sent++
	if f.secure != nil {
		if _, err := f.secure.Write(f.packet); err != nil {
			t.failed++
		}
		return
	}
	n, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(f.from), uintptr(unsafe.Pointer(&f.packet[0])), //nolint:gosec // G103: what sendto takes
		uintptr(len(f.packet)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if e != 0 || int(n) != len(f.packet) {
		t.failed++
	}
}

// settle reads until nothing has come for a while.
func (t *talk) settle() {
	for quiet := 0; quiet < 5; quiet++ {
		before := t.received
		t.harvest(len(t.flows))
		if t.received != before {
			quiet = 0
		}
		nap(int64(20 * time.Millisecond))
	}
}

// harvest reads what waits in the next sockets.
func (t *talk) harvest(sockets int) {
	for range sockets {
		f := &t.flows[t.cursor]
		t.cursor = (t.cursor + 1) % len(t.flows)
		if t.stream {
			t.octets += t.in.bytes(f)
			t.received = t.octets / f.size
			continue
		}
		for {
			n := t.in.datagrams(f.to)
			for i := range n {
				t.take(f, i)
			}
			if n < len(t.in.msg) {
				break
			}
		}
	}
}

func (t *talk) take(f *flow, i int) {
	if int(t.in.msg[i].n) != f.size {
		return // the answer to a request, repeated
	}
	t.received++
	if !t.timed {
		return
	}
	if arrived, ok := t.in.stamp(i); ok {
		sent := int64(binary.BigEndian.Uint64(t.in.buf[i][f.arrives:])) //nolint:gosec // as it was sent
		t.delays = append(t.delays, time.Duration(arrived-sent))
	}
}

// stampAll asks the kernel to say when each packet arrived.
func (t *talk) stampAll() error {
	t.timed = true
	for i := range t.flows {
		if err := unix.SetsockoptInt(t.flows[i].to, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
			return err
		}
	}
	return nil
}

// harvest is the buffers of recvmmsg.
type harvest struct {
	msg [32]struct {
		hdr unix.Msghdr
		n   uint32
	}
	iov [32]unix.Iovec
	buf [32][512]byte
	oob [32][64]byte
	raw []byte
}

func newHarvest() *harvest {
	h := &harvest{raw: make([]byte, 1<<16)}
	for i := range h.msg {
		h.iov[i].Base = &h.buf[i][0]
		h.iov[i].SetLen(len(h.buf[i]))
		h.msg[i].hdr.Iov = &h.iov[i]
		h.msg[i].hdr.SetIovlen(1)
		h.msg[i].hdr.Control = &h.oob[i][0]
	}
	return h
}

func (h *harvest) datagrams(fd int) int {
	for i := range h.msg {
		h.msg[i].hdr.SetControllen(len(h.oob[i]))
	}
	n, _, e := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&h.msg[0])), //nolint:gosec // G103: what recvmmsg takes
		uintptr(len(h.msg)), unix.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}

// stamp is when the kernel received packet i.
func (h *harvest) stamp(i int) (int64, bool) {
	size := int(h.msg[i].hdr.Controllen) //nolint:gosec // at most 64
	if size < unix.CmsgSpace(16) {
		return 0, false
	}
	at := h.oob[i][unix.CmsgLen(0):]
	return int64(binary.NativeEndian.Uint64(at))*1e9 + int64(binary.NativeEndian.Uint64(at[8:])), true //nolint:gosec // a timespec
}

// bytes reads all that the stream of a flow has.
func (h *harvest) bytes(f *flow) int {
	if f.secured != nil {
		all := 0
		for {
			n, err := f.secured.Read(h.raw)
			all += n
			if err != nil { // nothing more for now
				return all
			}
		}
	}
	n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(f.to), uintptr(unsafe.Pointer(&h.raw[0])), //nolint:gosec // G103: what recvfrom takes
		uintptr(len(h.raw)), unix.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}

// lost is the share of packets that did not arrive.
func (t *talk) lost() float64 {
	if t.sent == 0 {
		return 1
	}
	return 1 - float64(t.received)/float64(t.sent)
}

func (t *talk) reset() { t.sent, t.failed, t.received, t.octets, t.delays = 0, 0, 0, 0, nil }

// check tells whether anything arrives at all.
func (t *talk) check() error {
	t.run(10, 300*time.Millisecond)
	t.settle()
	if t.lost() > 0.01 {
		return fmt.Errorf("%d of %d packets of a slow trial arrived", t.received, t.sent)
	}
	if t.failed > 0 {
		return errors.New("the load cannot send")
	}
	t.reset()
	return nil
}
