package signaling

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
)

// Mail between nodes: one byte says what it is, then comes to whom, then the letter. Envelopes come
// often and are written by hand; everything else is JSON. The link carries the version of all this.
const (
	mailSay byte = iota + 1
	mailEnter
	mailReenter
	mailWent
	mailMissing
	mailPresent
	mailWant
	mailHeard
	mailOpened
	mailGranted
	mailRecheck
	mailMoved
	mailFailed
	mailPeerIs
	mailOver
	mailUndelivered
	mailTorn   // for the node itself: something could not be sent
	mailAttach // the rest are between the two ends of a pipe, see pipe.go
	mailUp
	mailDown
	mailEnd
	mailGone
	mailEnded // for the node itself: a call is over, so its relay serves it no more
	mailCome  // the rest are of private rooms
	mailAdmits
	mailTurns
	mailWelcomed
	mailWaits
	mailTurned
	mailKnocked
	mailMemberIs
	mailDoorIs
	mailAstray
)

// errMail says that mail could not be read: its sender is another parley, or broken.
var errMail = errors.New("mail of another node is not understood")

// mailToRoom writes a letter to room id.
func mailToRoom(id string, l ToRoom) []byte {
	switch l := l.(type) {
	case *Say:
		return sayOf(mailSay, id, l)
	case Enter:
		return mailOf(mailEnter, id, l)
	case Reenter:
		return mailOf(mailReenter, id, l)
	case Went:
		return mailOf(mailWent, id, l)
	case Missing:
		return mailOf(mailMissing, id, l)
	case Present:
		return mailOf(mailPresent, id, l)
	case Want:
		return mailOf(mailWant, id, l)
	case Come:
		return mailOf(mailCome, id, l)
	case Admits:
		return mailOf(mailAdmits, id, l)
	case Turns:
		return mailOf(mailTurns, id, l)
	case roomTick, kept, homeIs, held, released, fallen, torn: // never leave the node
	}
	panic(fmt.Sprintf("signaling: %T does not leave the node", l))
}

// mailToSession writes a letter to session id.
func mailToSession(id string, l ToSession) []byte {
	switch l := l.(type) {
	case Heard:
		return sayOf(mailHeard, id, l.Say)
	case Opened:
		return mailOf(mailOpened, id, l)
	case Granted:
		return mailOf(mailGranted, id, l)
	case Recheck:
		return mailOf(mailRecheck, id, l)
	case Moved:
		return mailOf(mailMoved, id, l)
	case Failed:
		return mailOf(mailFailed, id, l)
	case PeerIs:
		return mailOf(mailPeerIs, id, l)
	case Over:
		return mailOf(mailOver, id, l)
	case Undelivered:
		return mailOf(mailUndelivered, id, l)
	case Welcomed:
		return mailOf(mailWelcomed, id, l)
	case Waits:
		return mailOf(mailWaits, id, l)
	case Turned:
		return mailOf(mailTurned, id, l)
	case Knocked:
		return mailOf(mailKnocked, id, l)
	case MemberIs:
		return mailOf(mailMemberIs, id, l)
	case DoorIs:
		return mailOf(mailDoorIs, id, l)
	case Astray:
		return mailOf(mailAstray, id, l)
	}
	panic(fmt.Sprintf("signaling: %T does not leave the node", l))
}

// kindOf begins mail.
func kindOf(kind byte, id string) []byte {
	return appendText([]byte{kind}, id)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func sayOf(kind byte, id string, s *Say) []byte {
	b := kindOf(kind, id)
	for _, text := range [...]string{s.Room, s.Sender.Node, s.Sender.ID, s.From, s.To} {
		b = appendText(b, text)
	}
	b = binary.AppendUvarint(b, s.C)
	return append(b, s.Tail...)
}

func mailOf(kind byte, id string, letter any) []byte {
	body, err := json.Marshal(letter)
	if err != nil {
		panic(fmt.Sprintf("signaling: encode %T: %v", letter, err)) // our own types always marshal
	}
	return append(kindOf(kind, id), body...)
}

// mail is what came from another node, half read.
type mail struct {
	kind byte
	id   string // of the room, session or pipe that it is for
	rest []byte
}

func openMail(b []byte) (mail, error) {
	if len(b) == 0 {
		return mail{}, errMail
	}
	id, rest, err := cutText(b[1:])
	return mail{b[0], id, rest}, err
}

// maxText is longer than any name in mail.
const maxText = 256

// cutText reads what appendText wrote.
func cutText(b []byte) (text string, rest []byte, err error) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > maxText || n+int(length) > len(b) {
		return "", nil, errMail
	}
	end := n + int(length)
	return string(b[n:end]), b[end:], nil
}

func (m mail) say() (*Say, error) {
	s, rest := new(Say), m.rest
	for _, text := range [...]*string{&s.Room, &s.Sender.Node, &s.Sender.ID, &s.From, &s.To} {
		var err error
		if *text, rest, err = cutText(rest); err != nil {
			return nil, err
		}
	}
	c, n := binary.Uvarint(rest)
	if n <= 0 {
		return nil, errMail
	}
	s.C, s.Tail = c, rest[n:]
	return s, nil
}

// read reads the JSON of a letter.
func read[L any](m mail) (L, error) {
	var l L
	if err := json.Unmarshal(m.rest, &l, json.RejectUnknownMembers(true)); err != nil {
		return l, errMail
	}
	return l, nil
}

// toRoom returns nil when the mail is not for a room.
func (m mail) toRoom() (ToRoom, error) {
	switch m.kind {
	case mailSay:
		return m.say()
	case mailEnter:
		return read[Enter](m)
	case mailReenter:
		return read[Reenter](m)
	case mailWent:
		return read[Went](m)
	case mailMissing:
		return read[Missing](m)
	case mailPresent:
		return read[Present](m)
	case mailWant:
		return read[Want](m)
	case mailCome:
		return read[Come](m)
	case mailAdmits:
		return read[Admits](m)
	case mailTurns:
		return read[Turns](m)
	default:
		return nil, nil //nolint:nilnil // a closed set: nil is "another kind"
	}
}

// toSession returns nil when the mail is not for a session.
func (m mail) toSession() (ToSession, error) {
	switch m.kind {
	case mailHeard:
		s, err := m.say()
		return Heard{s}, err
	case mailOpened:
		return read[Opened](m)
	case mailGranted:
		return read[Granted](m)
	case mailRecheck:
		return read[Recheck](m)
	case mailMoved:
		return read[Moved](m)
	case mailFailed:
		return read[Failed](m)
	case mailPeerIs:
		return read[PeerIs](m)
	case mailOver:
		return read[Over](m)
	case mailUndelivered:
		return read[Undelivered](m)
	case mailWelcomed:
		return read[Welcomed](m)
	case mailWaits:
		return read[Waits](m)
	case mailTurned:
		return read[Turned](m)
	case mailKnocked:
		return read[Knocked](m)
	case mailMemberIs:
		return read[MemberIs](m)
	case mailDoorIs:
		return read[DoorIs](m)
	case mailAstray:
		return read[Astray](m)
	default:
		return nil, nil //nolint:nilnil // a closed set: nil is "another kind"
	}
}
