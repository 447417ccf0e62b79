// Package score decides how far a device is trusted, from the reports of those who met it. It is
// pure: no clock, no store, no randomness. Times are Unix seconds, durations seconds unless a name
// says otherwise. Callers keep the records, derive the pseudonyms in them, and say what time it is.
//
// # The score
//
// A record exists only after a report. Its score is the share of bad calls that one should expect,
//
//	score = (a + W) / (a + b + W + C)
//
//	a, b  prior_a, prior_b: the calls that every record starts with. A share a/(a+b) of them is bad.
//	W     the sum over reports of w * 2^(-age/H), where H is half_life_days
//	C     the sum over clean calls of 2^(-age/H)
//	n     the sum over reports of min(1, w) * 2^(-age/H): how many independent reporters there are
//
// A device without a record has score 0.
//
// The weight w of a report is the product of what is known about it, then capped:
//
//	reason_weight  by the reason. Under-age weighs as much as sexual.
//	credibility    1 / (1 + max(0, r - free_reports - rho*c)), r and c the reports and calls of the
//	               reporter in a fixed window of 24 hours that begins with its first act, before this
//	               report and call: who reports everybody says little with each report
//	new_reporter   if fewer than two calls in that window lasted short_sec: installs made to report
//	short_factor   if the reported call was shorter than short_sec
//	pool_report    if the reporter is restricted or in cooldown itself
//	same_net       if both came from one network
//	net_cap        a record takes at most so much weight from one network within 7 days
//	daily_cap      and at most so much from all within 24 hours
//
// One pair of reporter and reported counts once in the life of a report. A report that a cap leaves
// nothing of stays in the record with weight 0. Reports of one time share the room that the caps
// leave in proportion to their weights, so that their order does not matter. Reports that came
// earlier go before later ones; the room that a report found is kept with it, so that it does not
// grow when earlier reports are gone.
//
// A call is clean if it ended after at least min_call_sec, the peer did not report it, the peer's
// install is not fresh, both are on different networks, and no call with that peer was counted within
// 24 hours. Clean calls are counted only while a record exists, by day. A reported call is never
// clean, even if the report counts for nothing.
//
// All reports fade by the same rule, so a record may be judged by what they come to together, its
// [Sum], until one of them is gone or is to be weighed by other numbers:
//
//	W  the sum's weight * 2^(-t/H), where t is the time since the newest report
//	n  the sum's reporters * 2^(-t/H)
//
// The sum holds both as they were at that time. It is kept apart from the record, so that it can go
// with the first report of which it speaks.
//
// # What follows from it
//
// Time alone never raises a score, except towards a/(a+b) from below, where only many clean calls
// bring it; that is under every threshold that [Policy.Check] passes. A report never lowers a score
// and a clean call never raises it. Reports are gone after expire_days, and a record with its last
// report, whatever else is in it.
//
// # Bands
//
// A record has the highest band whose threshold its score reaches and whose min_reporters its n
// reaches. A band that it had when it was last judged is kept until the score is hysteresis below the
// threshold. The floor for restricted is above 1 and above net_cap, so that neither one reporter nor
// one network within a week restricts anybody.
//
// A device is judged by the record of its token. The record of its digest, which other devices
// share, speaks only for a fresh install, first seen less than 24 hours ago, and only while at most
// crowd_max established installs were seen with that digest in 7 days. The higher band counts.
//
// Cooldown comes in spells. A spell begins when a device at cooldown wants to join and was reported
// since its last spell ended; it lasts cooldown_hours, and twice as long each further time, up to 7
// days. Who served a spell and was not reported since is restricted, not in cooldown.
//
// # Sources
//
// Score and defaults come from a simulation of people who never abuse, people with bad days,
// persistent abusers who clear their storage, and brigades. Its findings shaped the parts: dividing
// by exposure keeps heavy users, who meet more people who report, from being punished for talking;
// weighing the reporter halves the wrongly restricted, because people who abuse also report more;
// counting distinct reporters is more precise than counting reports; three reports on a fingerprint
// restrict four in ten people who did nothing, because phones are alike. Populations there are
// assumptions: docs/risk.md says how to try a policy on a history of one's own.
package score
