package metrics

import "parley/signaling"

// family is one name with its values.
type family struct {
	name, help string
	now        bool   // it goes up and down; otherwise it only grows
	label      string // "" when there is one value
	points     []point
}

// point is one value of a family.
type point struct {
	of    string // of the label
	value func(*View) int64
}

// families is the whole table but the waits, which have classes: see [collector].
func families() []family {
	var all []family
	for _, part := range [][]family{people(), turnedAway(), mail(), store(), relays(), packets(), refusals(), strangers()} {
		all = append(all, part...)
	}
	return all
}

// fives tells how many people are somewhere: one of them more or less does not show, and fewer than
// five are told as none. The privacy page promises it of those who wait.
func fives(value func(*View) int64) func(*View) int64 {
	return func(v *View) int64 { return coarse(value(v), 5) }
}

// tens counts what one person may have caused, so that who keeps each answer does not have the minute
// of each call and of each report, and no number below ten.
func tens(value func(*View) int64) func(*View) int64 {
	return func(v *View) int64 { return coarse(value(v), fullStep) }
}

// fullStep is the step of [tens].
const fullStep = 10

// coarse is the last full step.
func coarse[N int64 | uint64](n, step N) N { return n - n%step }

func one(value func(*View) int64) []point { return []point{{"", value}} }

// people is what browsers do.
func people() []family {
	return []family{
		{"parley_sockets", "WebSockets that are open on this node.", true, "", one(fives(func(v *View) int64 { return v.Now.Sockets }))},
		{"parley_sessions", "Sessions of this node, those whose socket is away for up to 30 s among them.", true, "", one(fives(func(v *View) int64 { return v.Now.Sessions }))},
		{"parley_searching", "Sessions of this node that wait in a queue; over all nodes it is how many wait.", true, "", one(fives(func(v *View) int64 { return v.Now.Searching }))},
		{"parley_in_room", "Sessions of this node that are in a call or a private room.", true, "", one(fives(func(v *View) int64 { return v.Now.InCall }))},
		{"parley_rooms", "Calls and private rooms that this node carries.", true, "", one(fives(func(v *View) int64 { return v.Now.Rooms }))},
		{"parley_searches_total", "Searches that were begun.", false, "", one(tens(func(v *View) int64 { return v.Did.Searches }))},
		{"parley_offers_total", "Times that a session was told that somebody was found.", false, "", one(tens(func(v *View) int64 { return v.Did.Offers }))},
		{"parley_searches_found_total", "Searches that led to a call.", false, "", one(tens(func(v *View) int64 { return v.Did.Found }))},
		{"parley_searches_expired_total", "Searches to which nobody came in ten minutes.", false, "", one(tens(func(v *View) int64 { return v.Did.Expired }))},
		{"parley_puzzles_total", "Searches that had to cost work first.", false, "", one(tens(func(v *View) int64 { return v.Did.Puzzles }))},
		{"parley_calls_total", "Calls between strangers that ended on this node.", false, "", one(tens(func(v *View) int64 { return v.Now.Calls }))},
		{"parley_reports_total", "Reports that were taken.", false, "", one(tens(func(v *View) int64 { return v.Did.Reports }))},
		{"parley_resumed_total", "Sessions that came back with another socket.", false, "", one(tens(func(v *View) int64 { return v.Now.Resumed }))},
		{"parley_sockets_closed_total", "Sockets that this node closed, because the browser read too slowly or answered no ping.", false, "cause", []point{
			{"slow", tens(func(v *View) int64 { return v.Now.Slow })},
			{"silent", tens(func(v *View) int64 { return v.Now.Silent })},
		}},
	}
}

// turnedAway is what was refused to browsers.
func turnedAway() []family {
	frames := family{"parley_frames_refused_total", "Frames of browsers that were answered with an error, by its code.", false, "code", nil}
	for _, code := range signaling.ErrorCodes() {
		frames.points = append(frames.points, point{string(code), tens(func(v *View) int64 { return v.Did.Refused[code] })})
	}
	away := family{"parley_handshakes_refused_total", "WebSockets that were not opened: a page of another origin, a node that is full or stops, too many at once, and by the limits of an address or of the whole node.", false, "cause", nil}
	for _, why := range signaling.Rebuffs() {
		away.points = append(away.points, point{string(why), func(v *View) int64 { return v.Did.TurnedAway[why] }})
	}
	away.points = append(
		away.points,
		point{"address_many", func(v *View) int64 { return v.Door.TooMany }},
		point{"address_often", func(v *View) int64 { return v.Door.TooOften }},
		point{"sockets", func(v *View) int64 { return v.Door.HouseFull }},
	)
	said := family{"parley_forwarded_total", "WebSockets by what a proxy said of the visitor's address: believed, because it is in trusted-proxies; doubted, because it is not; missing, though it is; made up, because nobody has that address; inside, because it is that of a trusted proxy itself.", false, "how", []point{
		{"believed", func(v *View) int64 { return v.Door.Believed }},
		{"doubted", func(v *View) int64 { return v.Door.Doubted }},
		{"missing", func(v *View) int64 { return v.Door.Missing }},
		{"made_up", func(v *View) int64 { return v.Door.MadeUp }},
		{"inside", func(v *View) int64 { return v.Door.Inside }},
	}}
	return []family{frames, away, said}
}

// mail is how nodes hear each other.
func mail() []family {
	number := map[bool]int64{true: 1}
	return []family{
		{"parley_nodes", "Nodes that are alive, as this one sees it.", true, "", one(func(v *View) int64 { return v.Did.Nodes })},
		{"parley_mail_up", "1 while what this node publishes comes back, else 0.", true, "", one(func(v *View) int64 { return number[v.Did.MailUp] })},
		{"parley_mail_total", "What the mail between nodes went through: gaps that were noticed, messages sent again, resets because some were lost for ever, subscriptions made anew, calls to Redis that failed, messages not taken, arrivals without room, arrivals not understood, nodes of another version, letters not understood.", false, "event", []point{
			{"gap", func(v *View) int64 { return v.Did.Mail.Gaps }},
			{"resend", func(v *View) int64 { return v.Did.Mail.Resends }},
			{"reset", func(v *View) int64 { return v.Did.Mail.Resets }},
			{"rebuild", func(v *View) int64 { return v.Did.Mail.Rebuilds }},
			{"failure", func(v *View) int64 { return v.Did.Mail.Failures }},
			{"refused", func(v *View) int64 { return v.Did.Mail.Refused }},
			{"dropped", func(v *View) int64 { return v.Did.Mail.Dropped }},
			{"garbage", func(v *View) int64 { return v.Did.Mail.Garbage }},
			{"alien", func(v *View) int64 { return v.Did.Mail.Aliens }},
			{"garbled", func(v *View) int64 { return v.Did.Garbled }},
		}},
	}
}

// store is how this node stands with Redis.
func store() []family {
	number := map[bool]int64{true: 1}
	return []family{
		{"parley_store_up", "1 while Redis takes writes, else 0.", true, "", one(func(v *View) int64 { return number[v.Store.Takes] })},
		{"parley_store_unanswered_total", "Questions that Redis did not answer.", false, "", one(func(v *View) int64 { return v.Did.Unanswered })},
		{"parley_store_backlog", "Questions to Redis that wait or are under way.", true, "", one(func(v *View) int64 { return v.Did.Backlog })},
		{"parley_store_connections", "Connections to Redis, and those of them that nobody uses.", true, "which", []point{
			{"open", func(v *View) int64 { return v.Store.Open }},
			{"idle", func(v *View) int64 { return v.Store.Idle }},
		}},
		{"parley_store_pool_timeouts_total", "Waits for a connection to Redis that were in vain.", false, "", one(func(v *View) int64 { return v.Store.Timeouts })},
		{"parley_events_dropped_total", "Events of the matcher that came faster than they were taken; each is found out again.", false, "", one(func(v *View) int64 { return v.Store.Dropped })},
		{"parley_records_damaged_total", "Records in Redis that are not what parley writes.", false, "", one(func(v *View) int64 { return v.Store.Damaged })},
	}
}
