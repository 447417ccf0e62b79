package score

// Seconds.
const (
	hour = 3600
	day  = 24 * hour
	week = 7 * day
)

// Hour returns the beginning of the hour of a time. The live service passes every time to this package
// through Hour, so that nothing finer is ever stored; the codec keeps whole hours.
func Hour(unix int64) int64 { return unix - ((unix%hour)+hour)%hour }

// Band is how far a device is trusted.
type Band uint8

// The bands. What each does in matchmaking is the business of package moderation.
const (
	Clear Band = iota
	Watch
	Restricted
	Cooldown
)

// String returns the name of a band, as operators and the replay protocol know it.
func (b Band) String() string {
	switch b {
	case Clear:
		return "clear"
	case Watch:
		return "watch"
	case Restricted:
		return "restricted"
	case Cooldown:
		return "cooldown"
	}
	return "unknown"
}

// Reason is why somebody was reported.
type Reason string

// The reasons, spelled as in package moderation.
const (
	Sexual Reason = "sexual"
	Hate   Reason = "hate"
	Threat Reason = "threat"
	Minor  Reason = "minor"
	Spam   Reason = "spam"
	Other  Reason = "other"
)

// Reasons returns every reason, in the order of the codec.
func Reasons() []Reason { return []Reason{Sexual, Hate, Threat, Minor, Spam, Other} }

// ID is a pseudonym: of a pair of reporter and reported, of a network, of a peer, of an install. What
// it was derived from, and under which key, is the caller's business.
type ID [8]byte

// Event is one report.
type Event struct {
	At     int64 // Unix seconds
	Reason Reason
	Factors
	Pair ID // of reporter and reported
	Net  ID // of the reporter's network; the zero ID is the network of all whose network is unknown

	// DayUsed and NetUsed are the weights that already stood in the record when the report came: in the
	// 24 hours before, and from the same network in the 7 days before. The room that a report found
	// stays with it, so that it does not grow when the reports before it are gone. Add sets them.
	DayUsed, NetUsed float32

	Slot uint8 // a number below MaxEvents that no other event of the record has; Add sets it
}

// Factors is what is known about how far a report can be relied on. It keeps facts rather than their
// product, so that another policy can be tried on reports that are already there.
type Factors struct {
	Rate    float32 // 1 / (1 + max(0, reports - free - rho x calls)), of the reporter's last 24 hours
	New     bool    // the reporter had fewer than two finished calls in them
	Short   bool    // the reported call was short
	Pool    bool    // the reporter was restricted or in cooldown
	SameNet bool    // both came from one network
}

// Testimony is what a report says beside its reason.
type Testimony struct {
	Window   Window // the reporter's, without this report and this call
	Seconds  float64
	Reporter Band
	SameNet  bool
}

// Weigh returns the factors of a report made at now.
func Weigh(p Policy, now int64, t Testimony) Factors {
	w := t.Window.at(now)
	excess := max(0, float64(w.Reports)-p.Free-p.Rho*float64(w.Calls))
	return Factors{
		Rate:    float32(1 / (1 + excess)),
		New:     w.Finished < enoughCalls,
		Short:   t.Seconds < p.Short,
		Pool:    t.Reporter >= Restricted,
		SameNet: t.SameNet,
	}
}

// enoughCalls is how many finished calls in 24 hours make a reporter more than new.
const enoughCalls = 2

// weight is what e weighs before the caps.
func (e *Event) weight(p Policy) float64 {
	w := p.weight(e.Reason) * float64(e.Rate)
	if e.New {
		w *= p.NewTimes
	}
	if e.Short {
		w *= p.ShortTimes
	}
	if e.Pool {
		w *= p.PoolTimes
	}
	if e.SameNet {
		w *= p.NetTimes
	}
	return w
}

// Window counts what a device did as a reporter within 24 hours from its first act.
type Window struct {
	Start    int64 // Unix seconds of the first act; 0: none yet
	Calls    int   // calls that ended
	Finished int   // those of them that were not short
	Reports  int   // reports made, also such as did not count
}

// Over tells whether the window says nothing any more.
func (w Window) Over(now int64) bool { return w.Start == 0 || now-w.Start >= day }

func (w Window) at(now int64) Window {
	if w.Over(now) {
		return Window{}
	}
	return w
}

// Reported returns the window after one more report.
func (w Window) Reported(now int64) Window {
	w = w.begun(now)
	w.Reports++
	return w
}

// Talked returns the window after one more call that lasted so many seconds.
func (w Window) Talked(p Policy, now int64, seconds float64) Window {
	w = w.begun(now)
	w.Calls++
	if seconds >= p.Short {
		w.Finished++
	}
	return w
}

func (w Window) begun(now int64) Window {
	if w = w.at(now); w.Start == 0 {
		w.Start = now
	}
	return w
}
