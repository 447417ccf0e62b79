package replay

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"parley/moderation/score"
)

// Check says whether a policy may be used.
type Check func(score.Policy) error

// Replay is a history being judged. Not safe for concurrent use.
type Replay struct {
	base  score.Policy // where a line "policy" without a preset starts
	check Check
	line  line // the one that is being answered
	store
}

// store is what a history has led to so far.
type store struct {
	policy   score.Policy
	now      int64
	sweep    int64 // when to look for what can be dropped
	installs map[score.ID]*install
	digests  map[score.ID]*score.Record
	marks    map[mark]int64 // when
}

// install is what is known of a token.
type install struct {
	record score.Record // none if it is not alive
	window score.Window
}

// mark remembers that a report was made in a call that has not ended.
type mark struct{ target, reporter score.ID }

// How often what is over is dropped, and when a call that never ended is given up, in seconds of the
// history.
const (
	sweepEvery = 24 * 3600
	longestAgo = 7 * 24 * 3600
)

// New returns an empty replay under a policy. check is asked about every policy that a line brings.
func New(p score.Policy, check Check) *Replay {
	return &Replay{base: p, check: check, store: empty(p)}
}

func empty(p score.Policy) store {
	return store{
		policy:   p,
		installs: map[score.ID]*install{},
		digests:  map[score.ID]*score.Record{},
		marks:    map[mark]int64{},
	}
}

// Answer takes one line into account and appends the answer to b, with a newline.
func (r *Replay) Answer(b, text []byte) []byte {
	r.line = line{}
	l := &r.line
	if err := l.parse(text); err != nil {
		return refuse(b, err)
	}
	switch l.Op {
	case "policy":
		if err := r.start(l); err != nil {
			return refuse(b, err)
		}
	case "band":
		v := r.band(l.at(&r.store), &l.D)
		b = append(b, `{"ok":true,"band":"`...)
		b = append(b, v.Band.String()...)
		b = append(b, `","score":`...)
		b = strconv.AppendFloat(b, v.Score, 'g', -1, 64)
		return append(b, "}\n"...)
	case "report":
		r.report(l.at(&r.store), l)
	case "end":
		r.end(l.at(&r.store), l)
	}
	return append(b, `{"ok":true}`+"\n"...)
}

func refuse(b []byte, err error) []byte {
	b = append(b, `{"ok":false,"err":`...)
	says := strings.ToValidUTF8(strings.ReplaceAll(err.Error(), "\n", "; "), "?")
	b, _ = jsontext.AppendQuote(b, says) // fails on invalid UTF-8 only
	return append(b, "}\n"...)
}

// at returns the time of a line, moves the store on to it and drops what is over by then.
func (l *line) at(s *store) int64 {
	s.now = max(s.now, l.T)
	if s.now >= s.sweep {
		s.sweep = s.now + sweepEvery
		s.drop()
	}
	return s.now
}

// start empties the store.
func (r *Replay) start(l *line) error {
	p := r.base
	var err error
	if l.Preset != "" {
		if p, err = score.Preset(l.Preset); err != nil {
			return err
		}
	}
	if len(l.Set) > 0 {
		if p, err = score.Parse(p, l.Set); err != nil {
			return err
		}
	}
	if err := r.check(p); err != nil {
		return err
	}
	r.store = empty(p)
	return nil
}

// band judges a device that wants to join.
func (s *store) band(now int64, d *device) score.Verdict {
	who := score.Subject{Fresh: d.New}
	if i := s.installs[d.Inst.id]; i != nil {
		who.Token = &i.record
	}
	if who.Digest = s.digest(d); !d.New && who.Digest.Alive(s.policy, now) {
		who.Digest.Saw(s.policy, now, d.Inst.id)
	}
	return score.Judge(s.policy, now, who)
}

// look tells the band of a device and changes nothing.
func (s *store) look(now int64, d *device) score.Band {
	who := score.Subject{Fresh: d.New}
	if i := s.installs[d.Inst.id]; i != nil {
		token := i.record
		who.Token = &token
	}
	if r := s.digest(d); r != nil {
		digest := *r
		who.Digest = &digest
	}
	return score.Judge(s.policy, now, who).Band
}

func (s *store) digest(d *device) *score.Record {
	if !d.FP.given {
		return nil
	}
	return s.digests[d.FP.id]
}

func (s *store) install(id score.ID) *install {
	i := s.installs[id]
	if i == nil {
		i = &install{}
		s.installs[id] = i
	}
	return i
}

// report puts a report into the records of its target.
func (s *store) report(now int64, l *line) {
	reporter := s.install(l.Reporter.Inst.id)
	e := score.Event{
		At: now, Reason: reason(l.Reason), Pair: l.Reporter.Inst.id, Net: l.Reporter.Net.id,
		Factors: score.Weigh(s.policy, now, score.Testimony{
			Window: reporter.window, Seconds: l.Sec,
			Reporter: s.look(now, &l.Reporter), SameNet: l.Target.Net.same(l.Reporter.Net),
		}),
	}
	reporter.window = reporter.window.Reported(now)
	s.marks[mark{l.Target.Inst.id, l.Reporter.Inst.id}] = now
	if s.policy.IDMode != score.DigestOnly {
		s.install(l.Target.Inst.id).record.Add(s.policy, e)
	}
	if s.policy.IDMode == score.TokenOnly || !l.Target.FP.given {
		return
	}
	r := s.digests[l.Target.FP.id]
	if r == nil {
		r = &score.Record{}
		s.digests[l.Target.FP.id] = r
	}
	r.Add(s.policy, e)
	if !l.Target.New {
		r.Saw(s.policy, now, l.Target.Inst.id)
	}
}

// reason reads a word; all words that are not in the protocol mean other.
func reason(word string) score.Reason {
	switch r := score.Reason(word); r {
	case score.Sexual, score.Hate, score.Threat, score.Spam, score.Other:
		return r
	case score.Minor: // the service knows it, the protocol does not
		return score.Other
	}
	return score.Other
}

// end takes a call that ended into account on both sides.
func (s *store) end(now int64, l *line) {
	s.expose(now, l, &l.A, &l.B)
	s.expose(now, l, &l.B, &l.A)
	for _, d := range [...]*device{&l.A, &l.B} {
		i := s.install(d.Inst.id)
		i.window = i.window.Talked(s.policy, now, l.Sec)
	}
}

// expose counts the call for d if its peer did not report it, and forgets whether it did.
func (s *store) expose(now int64, l *line, d, peer *device) {
	m := mark{d.Inst.id, peer.Inst.id}
	_, reported := s.marks[m]
	if reported {
		delete(s.marks, m)
	}
	x := score.Exposure{
		At: now, Seconds: l.Sec, Peer: peer.Inst.id,
		Reported: reported, Fresh: peer.New, SameNet: d.Net.same(peer.Net),
	}
	if i := s.installs[d.Inst.id]; i != nil {
		i.record.Exposed(s.policy, x)
	}
	if r := s.digest(d); r != nil {
		r.Exposed(s.policy, x)
	}
}

// drop forgets what says nothing any more.
func (s *store) drop() {
	for id, i := range s.installs {
		alive := i.record.Alive(s.policy, s.now)
		switch {
		case !alive && i.window.Over(s.now):
			delete(s.installs, id)
		case !alive && len(i.record.Events) > 0:
			i.record = score.Record{}
		}
	}
	for id, r := range s.digests {
		if !r.Alive(s.policy, s.now) {
			delete(s.digests, id)
		}
	}
	for m, at := range s.marks {
		if s.now-at >= longestAgo {
			delete(s.marks, m)
		}
	}
}
