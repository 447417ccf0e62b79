package moderation

import "parley/moderation/score"

// Reason is why somebody was reported.
type Reason = score.Reason

// The reasons, as they stand in the protocol.
const (
	Sexual = score.Sexual
	Hate   = score.Hate
	Threat = score.Threat
	Minor  = score.Minor // somebody seems to be under age
	Spam   = score.Spam
	Other  = score.Other
)

// Reasons returns all reasons, in the order in which a form lists them.
func Reasons() []Reason { return score.Reasons() }
