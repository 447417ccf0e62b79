package moderation

// Reason is why somebody was reported.
type Reason string

// The reasons, as they stand in the protocol and in the record.
const (
	Sexual Reason = "sexual"
	Hate   Reason = "hate"
	Threat Reason = "threat"
	Minor  Reason = "minor" // somebody seems to be under age
	Spam   Reason = "spam"
	Other  Reason = "other"
)

// Reasons returns all reasons, in the order in which a form lists them.
func Reasons() []Reason { return []Reason{Sexual, Hate, Threat, Minor, Spam, Other} }
