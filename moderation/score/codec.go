package score

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// Sizes of what the codec writes, in bytes. A full record with its reports takes
// MaxRecordSize + MaxSumSize + MaxEvents * EventSize, which is less than 4 KiB.
const (
	EventSize     = 35
	MaxRecordSize = headSize + MaxDays*daySize + (MaxPeers+MaxCrowd)*seenSize

	headSize = 18
	daySize  = 12
	seenSize = 12
)

// The first byte of all that the codec writes.
const (
	eventVersion  = 1
	recordVersion = 1
	withSum       = 2 // is still read; in it the sum stood in the record
)

// ErrCodec says that bytes are no report or record of this version.
var ErrCodec = errors.New("not a report or record of this version of parley")

// The flags of an event.
const (
	flagNew = 1 << iota
	flagShort
	flagPool
	flagSameNet
	flagsEnd
)

// AppendEvent appends a report to b. Its time is kept in whole hours, its slot not at all.
func AppendEvent(b []byte, e Event) []byte {
	var flags byte
	for i, set := range [...]bool{e.New, e.Short, e.Pool, e.SameNet} {
		if set {
			flags |= 1 << i
		}
	}
	b = append(b, eventVersion)
	b = appendHour(b, e.At)
	b = append(b, codeOf(e.Reason), flags)
	for _, f := range [...]float32{e.Rate, e.DayUsed, e.NetUsed} {
		b = binary.BigEndian.AppendUint32(b, math.Float32bits(f))
	}
	b = append(b, e.Pair[:]...)
	return append(b, e.Net[:]...)
}

// ParseEvent returns the report that AppendEvent wrote into b.
func ParseEvent(b []byte) (Event, error) {
	if len(b) != EventSize || b[0] != eventVersion || int(b[5]) >= len(Reasons()) || b[6] >= flagsEnd {
		return Event{}, ErrCodec
	}
	flags := b[6]
	e := Event{
		At:     parseHour(b[1:]),
		Reason: Reasons()[b[5]],
		Factors: Factors{
			Rate: parseFloat(b[7:]), New: flags&flagNew != 0, Short: flags&flagShort != 0,
			Pool: flags&flagPool != 0, SameNet: flags&flagSameNet != 0,
		},
		DayUsed: parseFloat(b[11:]), NetUsed: parseFloat(b[15:]),
		Pair: ID(b[19:27]), Net: ID(b[27:35]),
	}
	for _, f := range [...]float32{e.Rate, e.DayUsed, e.NetUsed} {
		if !(f >= 0 && f <= math.MaxFloat32) || math.Signbit(float64(f)) { // not so: NaN
			return Event{}, ErrCodec
		}
	}
	if e.Rate > 1 {
		return Event{}, ErrCodec
	}
	return e, nil
}

// codeOf is a reason as the codec writes it.
func codeOf(r Reason) byte { return byte(max(0, slices.Index(Reasons(), r))) } //nolint:gosec // fewer than 256

// AppendRecord appends a record to b, without its reports and without anything that says how many
// there are: it outlives them. Times are kept in whole hours.
func AppendRecord(b []byte, r *Record) []byte {
	b = append(b, recordVersion, byte(r.Band), byte(min(max(0, r.Spells), maxSpells)))
	b = appendHour(b, r.SpellEnd)
	b = binary.BigEndian.AppendUint64(b, 0) // the slots of its reports stood here
	days, peers, crowd := last(r.Clean, MaxDays), last(r.Peers, MaxPeers), last(r.Crowd, MaxCrowd)
	b = append(b, byte(len(days)), byte(len(peers)), byte(len(crowd))) //nolint:gosec // at most 64
	for _, d := range days {
		b = binary.BigEndian.AppendUint16(b, uint16(d.Day))                             //nolint:gosec // until the year 2149
		b = binary.BigEndian.AppendUint16(b, uint16(min(d.Count, math.MaxUint16)))      //nolint:gosec // bounded
		b = binary.BigEndian.AppendUint32(b, uint32(min(d.Sum/hour, math.MaxUint32)))   //nolint:gosec // bounded
		b = binary.BigEndian.AppendUint32(b, uint32(min(d.Squares/hour/hour, 1<<32-1))) //nolint:gosec // bounded
	}
	for _, s := range slices.Concat(peers, crowd) {
		b = append(b, s.Who[:]...)
		b = appendHour(b, s.At)
	}
	return b
}

// ParseRecord returns the record that AppendRecord wrote into b, without reports. It also reads the
// shape that held a sum, and leaves that out.
func ParseRecord(b []byte) (*Record, error) {
	if len(b) < headSize || b[0] != recordVersion && b[0] != withSum || b[1] > byte(Cooldown) || b[2] > maxSpells {
		return nil, ErrCodec
	}
	days, peers, crowd := int(b[15]), int(b[16]), int(b[17])
	if days > MaxDays || peers > MaxPeers || crowd > MaxCrowd {
		return nil, ErrCodec
	}
	r := &Record{Band: Band(b[1]), Spells: int(b[2]), SpellEnd: parseHour(b[3:])}
	summed, ok := b[0] == withSum, true
	if b = b[headSize:]; summed {
		_, b, ok = parseSum(b)
	}
	if !ok || len(b) != days*daySize+(peers+crowd)*seenSize {
		return nil, ErrCodec
	}
	for range days {
		r.Clean = append(r.Clean, Day{
			Day:     int64(binary.BigEndian.Uint16(b)),
			Count:   int(binary.BigEndian.Uint16(b[2:])),
			Sum:     int64(binary.BigEndian.Uint32(b[4:])) * hour,
			Squares: int64(binary.BigEndian.Uint32(b[8:])) * hour * hour,
		})
		b = b[daySize:]
	}
	r.Peers, b = parseSeen(b, peers)
	r.Crowd, _ = parseSeen(b, crowd)
	return r, nil
}

func parseSeen(b []byte, n int) ([]Seen, []byte) {
	if n == 0 {
		return nil, b
	}
	all := make([]Seen, 0, n)
	for range n {
		all = append(all, Seen{Who: ID(b[:8]), At: parseHour(b[8:])})
		b = b[seenSize:]
	}
	return all, b
}

func last[T any](all []T, most int) []T { return all[max(0, len(all)-most):] }

func appendHour(b []byte, unix int64) []byte {
	return binary.BigEndian.AppendUint32(b, uint32(min(max(0, unix/hour), math.MaxUint32)))
}

func parseHour(b []byte) int64 { return int64(binary.BigEndian.Uint32(b)) * hour }

func parseFloat(b []byte) float32 { return math.Float32frombits(binary.BigEndian.Uint32(b)) }
