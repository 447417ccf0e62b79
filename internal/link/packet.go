package link

import (
	"encoding/binary"
	"errors"
	"strings"
)

// A packet is what one PUBLISH carries:
//
//	0   version, 1 byte         these 32 bytes and the seal are the same in all versions, for ever
//	1   kind, 1 byte
//	2   sender, 22 bytes
//	24  seal, 8 bytes           for the owner's seal: see [Config.Seal]
//	32  flags, 1 byte           mail only, from here on
//	33  epoch, 8 bytes          0 when there are no messages
//	41  first, 8 bytes          number of the first message
//	49  acknowledged epoch, 8   0 for none
//	57  acknowledged next, 8    the number that the sender of the packet wants next; 0: not this epoch
//	65  messages                each 4 bytes of length, then its bytes
//
// Numbers are big-endian. All behind the seal is sealed with the head; without a seal that is zero.
const (
	version    = 2 // 1 was not sealed
	nameLength = 22
	headLength = 2 + nameLength
	bodyStart  = headLength + 8
	mailLength = 1 + 4*8 // of what is in the body before the messages
)

// kind is what a packet is for.
type kind byte

const (
	kindMail  kind = iota + 1 // messages, an acknowledgement, or both
	kindProbe                 // to oneself: does the subscription live?
	kindAlien                 // "I do not understand your version"; mine is in the head
)

const (
	flagBorn byte = 1 << iota // this epoch began after a loss: its message 1 is a mark
	flagWant                  // publish again from the acknowledged number on
	allFlags = flagBorn | flagWant
)

// head begins each packet of each version.
type head struct {
	version byte
	kind    kind
	from    string
}

// mail is a packet between two nodes that understand each other.
type mail struct {
	born, want        bool
	epoch, first      uint64
	ackEpoch, ackNext uint64
	bodies            [][]byte
}

var errGarbage = errors.New("not a packet of a link")

// isName tells whether s can be a node's name.
func isName(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return len(s) == nameLength && strings.Trim(s, letters) == ""
}

// appendHead appends a head of our version, and room for the seal.
func appendHead(b []byte, k kind, from string) []byte {
	b = append(append(b, version, byte(k)), from...)
	return append(b, make([]byte, bodyStart-headLength)...)
}

// appendMail appends a whole packet.
func appendMail(b []byte, from string, m mail) []byte {
	b = appendHead(b, kindMail, from)
	var flags byte
	if m.born {
		flags |= flagBorn
	}
	if m.want {
		flags |= flagWant
	}
	b = append(b, flags)
	for _, n := range []uint64{m.epoch, m.first, m.ackEpoch, m.ackNext} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	for _, body := range m.bodies {
		b = binary.BigEndian.AppendUint32(b, uint32(len(body))) //nolint:gosec // at most MaxMessage
		b = append(b, body...)
	}
	return b
}

// readHead reads what all versions share.
func readHead(b []byte) (head, error) {
	if len(b) < bodyStart {
		return head{}, errGarbage
	}
	h := head{version: b[0], kind: kind(b[1]), from: string(b[2:headLength])}
	if !isName(h.from) {
		return head{}, errGarbage
	}
	return h, nil
}

// readMail reads the body of a packet of our version. The messages are parts of b.
func readMail(b []byte) (mail, error) {
	if len(b) < mailLength || b[0]&^allFlags != 0 {
		return mail{}, errGarbage
	}
	number := func(i int) uint64 { return binary.BigEndian.Uint64(b[1+8*i:]) }
	m := mail{
		born: b[0]&flagBorn != 0, want: b[0]&flagWant != 0,
		epoch: number(0), first: number(1), ackEpoch: number(2), ackNext: number(3),
	}
	for rest := b[mailLength:]; len(rest) > 0; {
		if len(rest) < 4 {
			return mail{}, errGarbage
		}
		n := binary.BigEndian.Uint32(rest)
		if n > MaxMessage || int(n) > len(rest)-4 || len(m.bodies) == maxMessages {
			return mail{}, errGarbage
		}
		end := 4 + int(n)
		m.bodies = append(m.bodies, rest[4:end:end])
		rest = rest[end:]
	}
	if !m.sound() {
		return mail{}, errGarbage
	}
	return m, nil
}

// sound tells whether the numbers of a packet can be.
func (m mail) sound() bool {
	const most = 1 << 62 // no number overflows
	if len(m.bodies) == 0 {
		if m.epoch != 0 || m.first != 0 || m.born {
			return false
		}
	} else if m.epoch == 0 || m.first == 0 || m.first > most {
		return false
	}
	return m.ackNext <= most && (m.ackEpoch != 0 || m.ackNext == 0 && !m.want)
}
