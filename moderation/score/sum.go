package score

import (
	"encoding/binary"
	"hash/fnv"
	"math"
)

// Sum is what the reports of a record come to, so that a device can be judged without reading each
// of them. All weights fall by the same rule, so a sum taken at one time gives that of any later
// one, until the first of the reports is gone or is to be weighed by other numbers. The zero Sum is
// none.
type Sum struct {
	rule      uint64 // of the numbers by which it was made
	until     int64  // when the first report is gone; 0: there is no sum
	at        int64  // the time of the newest report, for which weight and reporters hold
	weight    float64
	reporters float64
	grounds   []Count
}

// MaxSumSize is what a sum takes at most, in bytes.
const (
	MaxSumSize = sumHead + 2*reasons

	sumHead = 33
	reasons = 6
)

// rule names the numbers on which a sum depends.
func (p Policy) rule() uint64 {
	h := fnv.New64a()
	var b []byte
	for _, n := range [...]float64{
		p.HalfLife, p.Expire, p.Reasons.Sexual, p.Reasons.Hate, p.Reasons.Threat, p.Reasons.Spam, p.Reasons.Other,
		p.ShortTimes, p.DailyCap, p.NetCap, p.NewTimes, p.PoolTimes, p.NetTimes,
	} {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(n))
	}
	_, _ = h.Write(b) // never fails (hash.Hash)
	return h.Sum64()
}

// SumUp returns the sum of the reports that are alive at now; none for a record that is not.
func (r *Record) SumUp(p Policy, now int64) Sum {
	if !r.Alive(p, now) {
		return Sum{}
	}
	var counted [room]float64
	r.caps(p, &counted)
	s := Sum{rule: p.rule(), until: math.MaxInt64, at: r.Newest(), grounds: r.Grounds(p, now)}
	for i := range r.Events {
		e := &r.Events[i]
		if now-e.At >= p.expire() {
			continue
		}
		left := p.decay(s.at - e.At)
		s.weight += counted[i] * left
		s.reporters += min(1, counted[i]) * left
		s.until = min(s.until, e.At+p.expire())
	}
	return s
}

// Brief lets a record without its reports be judged by their sum. It answers false, and changes
// nothing, when the sum does not hold for p and now, so that the reports must be read.
func (r *Record) Brief(p Policy, now int64) bool {
	if len(r.Events) > 0 || now < r.Sum.at || now >= r.Sum.until || r.Sum.rule != p.rule() {
		return false
	}
	r.brief = true
	return true
}

// Rule names the numbers of a policy on which a sum depends, as the first bytes of a sum name them.
func (p Policy) Rule() string { return string(binary.BigEndian.AppendUint64(nil, p.rule())) }

// Until returns when the first of the reports is gone, in Unix seconds; 0 when there is no sum.
func (s Sum) Until() int64 { return s.until }

// AppendSum appends a sum to b. It is kept apart from its record, and no longer than the first of
// its reports: what it says of that must go with it.
func AppendSum(b []byte, s Sum) []byte {
	b = binary.BigEndian.AppendUint64(b, s.rule)
	b = appendHour(b, s.until)
	b = appendHour(b, s.at)
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(s.weight))
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(s.reporters))
	b = append(b, byte(len(s.grounds))) //nolint:gosec // at most six
	for _, g := range s.grounds {
		b = append(b, codeOf(g.Reason), byte(g.Reports)) //nolint:gosec // at most 64
	}
	return b
}

// ParseSum returns the sum that AppendSum wrote into b.
func ParseSum(b []byte) (Sum, error) {
	s, rest, ok := parseSum(b)
	if !ok || len(rest) > 0 {
		return Sum{}, ErrCodec
	}
	return s, nil
}

// parseSum reads what AppendSum wrote, and returns what follows.
func parseSum(b []byte) (s Sum, rest []byte, ok bool) {
	if len(b) < sumHead {
		return Sum{}, nil, false
	}
	s = Sum{
		rule: binary.BigEndian.Uint64(b), until: parseHour(b[8:]), at: parseHour(b[12:]),
		weight: math.Float64frombits(binary.BigEndian.Uint64(b[16:])), reporters: math.Float64frombits(binary.BigEndian.Uint64(b[24:])),
	}
	n := int(b[32])
	if b = b[sumHead:]; n > reasons || len(b) < 2*n || !some(s.weight) || !some(s.reporters) {
		return Sum{}, nil, false
	}
	for ; n > 0; n-- {
		if int(b[0]) >= reasons {
			return Sum{}, nil, false
		}
		s.grounds = append(s.grounds, Count{Reasons()[b[0]], int(b[1])})
		b = b[2:]
	}
	return s, b, true
}

// some tells whether x can be a sum of weights.
func some(x float64) bool { return x >= 0 && x <= math.MaxFloat32 && !math.Signbit(x) }
