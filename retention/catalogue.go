package retention

import "time"

// Class is one kind of record. Its order is the order of the privacy page.
type Class int

// The classes. All keys of the matcher share the hash tag {m}, so that one script touches one Redis
// Cluster slot, and all that is kept about devices the hash tag {d}; a call and a private room each
// have a slot of their own.
const (
	Ticket     Class = iota // matcher: one search of one browser
	Pool                    // matcher: who waits for what, by arrival
	Occupied                // matcher: in which pools of a band somebody may wait
	Lease                   // matcher: which nodes are alive
	Relay                   // signaling: where the relay of a node is
	Inbox                   // matcher: what a node has yet to tell its browsers
	Waits                   // matcher: how long recent searches took
	Budget                  // signaling: how much somebody has searched, or opened private rooms, of late
	Call                    // moderation: a call exists, or ended less than 10 minutes ago
	Home                    // signaling: which node carries a call whose first node died
	Room                    // signaling: which node carries a private room
	Burnt                   // signaling: that a private room is over for ever
	Report                  // moderation: one report on one device
	Record                  // moderation: what else is kept about a device that was reported
	Sum                     // moderation: what the reports on a device come to, while all of them are there
	Window                  // moderation: what a device did as a reporter within 24 hours
	Review                  // moderation: a review that a device asked for
	Schema                  // migrations: the shape of the stored data
	SchemaLock              // migrations: which node changes that shape now
	Bus                     // link: the channel on which a node hears the others; nothing is stored
	Policy                  // office: by which numbers devices are judged, and whether matching is paused
	Hour                    // moderation: how many calls ended in an hour
	Rewrite                 // cmd/parley: that a server of Redis was told to rewrite its append-only file
	Counts                  // retention: how much there is of each class, as everybody is told
	Counting                // retention: which node counts that now
)

// Lifetimes that the rules of other packages share with the catalogue.
const (
	// LongestWait is how long a search may take before it expires with a message.
	LongestWait = 10 * time.Minute
	// Tombstone is how long a closed ticket or match answers late duplicates. It outlives every retry.
	Tombstone = time.Minute
	// LeaseTime is how long a silent node counts as alive. A ticket of a dead node is never matched.
	LeaseTime = 3 * time.Second
	// ReportWindow is how long after either side left a call the other may still be reported.
	ReportWindow = 10 * time.Minute
	// CallTime is how long a call record lives without being renewed by a node that carries the call.
	CallTime = 15 * time.Minute
	// ReportTime is how long a report is kept, and how long the pair does not meet again.
	ReportTime = 30 * 24 * time.Hour
	// MarkTime is how long it is kept that a token was given up: as long as the reports would have been.
	MarkTime = ReportTime
	// WindowTime is how long the counters of a reporter live after its first act.
	WindowTime = 24 * time.Hour
	// ReviewTime is how long a review can be answered and asked about.
	ReviewTime = 7 * 24 * time.Hour
	// RematchPause is how long two who have talked do not meet again.
	RematchPause = 30 * time.Minute
	// RelayLogTime is how long the relay log is kept, where there is one.
	RelayLogTime = 7 * 24 * time.Hour
	// RewriteTime is how long a server of Redis is not told again to rewrite its append-only file: less
	// than a day, so that it is told daily.
	RewriteTime = 23 * time.Hour
	// CountsTime is how long it is known what was counted if nobody counts again: longer than a count
	// takes, and than parley is down for an upgrade.
	CountsTime = 24 * time.Hour
	// HourTime is how long the counts of an hour are kept.
	HourTime = 400 * 24 * time.Hour
	// LinkTime is how long a one-time link waits for people, and how long it is known that it is burnt.
	LinkTime = 24 * time.Hour
	// BusTime is how long a node keeps a message for another one that does not answer.
	BusTime = 30 * time.Second
)

// Item is what the catalogue says about a class. The texts are shown to the public.
type Item struct {
	Class   Class
	Name    string        // stable, for commands and links
	Pattern string        // the key; <parts> are filled in by [Class.Key]
	Kind    string        // Redis type: string, hash, zset, set, stream, list; or channel
	TTL     time.Duration // longest lifetime; 0 means that it stays, which only Schema and Policy may
	Holds   string
	Why     string
	Reader  string // who can read it, besides whoever steals it
	Breach  string // what a thief of the whole database would learn
	// Keyed is what the thief would learn who also has the key files; "" for nothing more.
	Keyed string
	// Size is how many bytes one record has at the most: the value of a string, and of anything else what
	// Redis needs for it. 0 where nothing is stored.
	Size    int64
	Carried bool // kept across an upgrade that changes its shape
}

// Who reads most of it.
const (
	readNodes  = "The parley nodes, and whoever runs the server and has the password of its database."
	readCounts = " Operators see in the console how many wait, from 5 upward, and in monitoring in steps of five."
)

// Catalogue returns all items, in the order of the privacy page.
func Catalogue() []Item {
	return []Item{
		{
			Class: Ticket, Name: "ticket", Pattern: "parley:{m}:ticket:<ticket>", Kind: "string",
			TTL:    LongestWait + Tombstone,
			Holds:  "One search: languages, interests, arrival time, node, a keyed tag of the device, keyed tags of the devices that it must not meet again. Once somebody is found, for a minute: the two tickets, their nodes, what they share, and which of them has confirmed.",
			Why:    "To find you somebody who fits, and so that nobody is told \"connected\" before both are there.",
			Breach: "Which unnamed devices were searching in the last minutes, for what, and which of them have met or blocked one another before. Which two tickets met in the last minute; not who held them.",
			Reader: readNodes,
			Keyed:  "Which tickets are of one device, if somebody has that device's token or guesses it. Its digest and address are not in a ticket.",
			Size:   4 << 10,
		},
		{
			Class: Pool, Name: "pool", Pattern: "parley:{m}:pool:<language>:<interest>:<band>", Kind: "zset",
			TTL:    LongestWait + 5*time.Minute,
			Holds:  "The tickets that wait for one language and interest, by arrival. When nobody does, only when it was last used.",
			Why:    "So that whoever has waited longest is found first.",
			Breach: "How many people were waiting for what.",
			Reader: readNodes + readCounts,
			Size:   256 << 20,
		},
		{
			Class: Occupied, Name: "occupied", Pattern: "parley:{m}:occupied:<band>", Kind: "set",
			TTL:    LongestWait + 5*time.Minute,
			Holds:  "For each band but that of people without reports: which languages and interests somebody in it waits for, or did a short while ago.",
			Why:    "So that a search need not look where nobody is.",
			Breach: "What people who were reported have waited for in the last minutes; not who.",
			Reader: readNodes,
			Size:   1 << 20,
		},
		{
			Class: Lease, Name: "lease", Pattern: "parley:{m}:leases", Kind: "hash",
			TTL:    10 * time.Minute,
			Holds:  "The random names of the parley nodes that run, and until when each counts as alive.",
			Why:    "So that nobody is matched with a browser whose node died.",
			Breach: "How many nodes there are.",
			Reader: readNodes,
			Size:   64 << 10,
		},
		{
			Class: Relay, Name: "relay", Pattern: "parley:{m}:relay:<node>", Kind: "string",
			TTL:    LeaseTime,
			Holds:  "Where browsers reach the relay of one parley node, and whether it takes new calls. No browser's address.",
			Why:    "So that two people on different nodes are told of the relays of both.",
			Breach: "The addresses of the relays, which every browser in a call is told.",
			Reader: readNodes,
			Size:   4 << 10,
		},
		{
			Class: Inbox, Name: "inbox", Pattern: "parley:{m}:inbox:<node>", Kind: "stream",
			TTL:    2 * time.Minute,
			Holds:  "Events for the browsers of one node: offered, confirmed, aborted; by ticket.",
			Why:    "So that both sides hear of a match.",
			Breach: "Which tickets were matched in the last two minutes.",
			Reader: readNodes,
			Size:   8 << 20,
		},
		{
			Class: Waits, Name: "waits", Pattern: "parley:{m}:waits:<language>:<interest>", Kind: "list",
			TTL:    time.Hour,
			Holds:  "How many milliseconds each of the last 100 searches took, and whether somebody was found.",
			Why:    "For an honest estimate of your wait.",
			Breach: "How long strangers waited, and how many gave up; not who.",
			Reader: readNodes + " Operators see the median in the console; whoever searches sees it as an estimate.",
			Size:   16 << 10,
		},
		{
			Class: Budget, Name: "budget", Pattern: "parley:{m}:budget:<whose>", Kind: "string",
			TTL:    20 * time.Minute,
			Holds:  "How much one device, or all from one network, have searched, or opened private rooms, of late: as the time at which that is forgotten. Device and network are keyed hashes, with another key each day.",
			Why:    "So that nobody can search for many at once, or try out channels, and spoil it for the others.",
			Breach: "How many unnamed devices and networks searched or opened private rooms in the last minutes, and how often.",
			Reader: readNodes,
			Keyed:  "Whether a device of which somebody has the token, or a network that they try, searched in the last minutes.",
			Size:   64,
		},
		{
			Class: Call, Name: "call", Pattern: "parley:{c:<call>}:call", Kind: "string",
			TTL:    CallTime,
			Holds:  "That a call with this random number runs, or ended less than 10 minutes ago. Not who takes part.",
			Why:    "So that only a call that took place can be reported, and only for 10 minutes after it.",
			Breach: "How many calls ran in the last minutes.",
			Reader: readNodes,
			Size:   64,
		},
		{
			Class: Home, Name: "home", Pattern: "parley:{c:<call>}:home", Kind: "string",
			TTL:    2 * time.Minute,
			Holds:  "The random name of the parley node that carries a running call, after the node that did so died.",
			Why:    "So that both sides of a call find each other again.",
			Breach: "How many calls outlived their node in the last two minutes.",
			Reader: readNodes,
			Size:   128,
		},
		{
			Class: Room, Name: "room", Pattern: "parley:{r:<room>}:room", Kind: "hash",
			TTL:    LinkTime,
			Holds:  "A private room: the random name of the parley node that carries it, a random number, how many it is for, whether one knocks, whether two have been in it. The room is a keyed hash; not who is in it, and neither the phrase nor the number of the channel. Two minutes after its node has gone it is deleted; the link that nobody has used yet after a day.",
			Why:    "So that people who know each other meet, whatever node they come to.",
			Breach: "How many private rooms there were in the last minutes, and how many links that nobody has used in the last day.",
			Reader: readNodes,
			Keyed:  "Which channels may have been in use in the last minutes, by trying the 1,000 numbers, of which four share a mark. No phrase of a link can be found so.",
			Size:   4 << 10,
		},
		{
			Class: Burnt, Name: "burnt", Pattern: "parley:{r:<room>}:burnt", Kind: "string",
			TTL:    LinkTime,
			Holds:  "That the private room of a one-time link is over. The room is a keyed hash.",
			Why:    "So that the link opens nothing any more, and whoever opens it again is told so.",
			Breach: "How many one-time links were used up in the last day.",
			Reader: readNodes,
			Size:   128,
		},
		{
			Class: Report, Name: "report", Pattern: "parley:{d}:report:<device>:<slot>", Kind: "string",
			TTL:     ReportTime,
			Holds:   "One report on a device: the hour, the reason, how far the reporter could be relied on, how much weight other reports had in the 24 hours before it, and in the 7 days before it those of the same network, a keyed mark of reporter and reported together, and one of the reporter's network. The device is a keyed hash.",
			Why:     "To hold those to account who abuse strangers, without knowing who they are.",
			Breach:  "How many unnamed devices were reported in the last 30 days, and for what; which reports came from one unnamed network.",
			Reader:  readNodes + " Operators see how many there are for which reason, and undo those of one unnamed network; the device sees its own in My standing.",
			Keyed:   "Whether a device of which somebody has the token, or a set of coarse classes that they guess, was reported in the last 30 days, by trying, with that week's key. Who reported, only by trying tokens of both.",
			Size:    256,
			Carried: true,
		},
		{
			Class: Record, Name: "record", Pattern: "parley:{d}:record:<device>", Kind: "string",
			TTL:     ReportTime,
			Holds:   "About a device that was reported: how many calls it had each day since the first report that nobody reported, keyed marks of up to 64 devices that it met in 24 hours, its band, when its last cooldown ends, and the code, as a hash, of a review that it asked for. About what browsers of one kind have in common the same, with keyed marks of up to 16 devices that share it. After a device had erased what was stored about it: only that its token was given up, for 30 days; that mark moves to the place of a report if the device goes on with the token and is reported again.",
			Why:     "So that many good calls weigh against few reports, and nobody is judged by a browser that others have too. The mark, so that nobody can lose the reports and keep the trust that a device gains with time.",
			Breach:  "How trusted unnamed devices are, and how many calls they had each day; how many of them gave their token up in the last 30 days.",
			Reader:  readNodes + " Operators see how many there are with which score, and one record when its device asks for a review; the device sees its own in My standing.",
			Keyed:   "As with a report: what is kept about a device whose token they have or guess.",
			Size:    4 << 10,
			Carried: true,
		},
		{
			Class: Sum, Name: "sum", Pattern: "parley:{d}:sum:<device>", Kind: "string",
			TTL:    ReportTime,
			Holds:  "Which reports on a device there are, what they weigh together, and how many are of each reason. It is gone with the first of these reports.",
			Why:    "So that a look at a device need not read each report on it.",
			Breach: "Nothing that the reports do not say.",
			Reader: readNodes,
			Keyed:  "Nothing that the reports do not say.",
			Size:   128,
		},
		{
			Class: Window, Name: "window", Pattern: "parley:{d}:window:<device>", Kind: "hash",
			TTL:    WindowTime,
			Holds:  "How many calls a device had within 24 hours, how many of them lasted, how many reports it made, and random-looking marks of up to 16 of these, by which a repeated report is recognised. The device is a keyed hash that changes every day.",
			Why:    "So that who reports everybody, or has come only to report, counts for less.",
			Breach: "How many calls and reports unnamed devices had in a day.",
			Reader: readNodes,
			Keyed:  "How many calls and reports a device had in a day, if somebody has its token or guesses it.",
			Size:   4 << 10,
		},
		{
			Class: Review, Name: "review", Pattern: "parley:{d}:review:<code>", Kind: "string",
			TTL:    ReviewTime,
			Holds:  "Whether an operator has answered the review of a device: open, expunged or kept; while it is open, under which keyed names the records lie. The code that the device was given is a hash.",
			Why:    "So that a person can have a look taken at reports without having an account.",
			Breach: "How many reviews were asked for in the last week, and how they were answered.",
			Reader: readNodes + " Operators, who answer it; and whoever has the code.",
			Size:   1 << 10,
		},
		{
			Class: Schema, Name: "schema", Pattern: "parley:{meta}:schema", Kind: "hash",
			Holds:   "The number of the data's shape, when it was reached, a keyed mark of the key file, and a fingerprint of each week's key, from which nothing about the keys follows.",
			Why:     "So that an old program refuses data of a newer one, and a program with another key file refuses data that it could not read.",
			Breach:  "Which version of parley ran, and whether two copies of the data were made with one key file.",
			Reader:  readNodes,
			Size:    16 << 10,
			Carried: true,
		},
		{
			Class: SchemaLock, Name: "schema-lock", Pattern: "parley:{meta}:lock", Kind: "string",
			TTL:    time.Minute,
			Holds:  "A random number of the parley node that is changing the shape of the data.",
			Why:    "So that two nodes that start at once do not change it twice.",
			Breach: "That a node started in the last minute.",
			Reader: readNodes,
			Size:   128,
		},
		{
			Class: Bus, Name: "bus", Pattern: "parley:{b:<node>}:bus", Kind: "channel",
			TTL:    BusTime,
			Holds:  "Nothing: it is a channel. Sealed envelopes and events pass over it from one parley node to another; the sender keeps them in its memory until the other has them.",
			Why:    "So that two people on different nodes can talk.",
			Breach: "Nothing; who listens to the database while it runs sees sizes and times of sealed mail.",
			Reader: "The two nodes; and, sealed, whoever listens to the database.",
		},
		{
			Class: Policy, Name: "policy", Pattern: "parley:{meta}:policy", Kind: "hash",
			Holds:   "The numbers by which reports are judged, the name of the operator who set them, when and why; whether matching is paused, by whom and why; number and hash of the last line of the operators' audit file.",
			Why:     "So that all nodes judge alike, two operators do not overwrite one another, and an audit file that lost its end is noticed.",
			Breach:  "How reports are judged, and the names that operators gave their tokens.",
			Reader:  readNodes + " Operators see all of it.",
			Size:    64 << 10,
			Carried: true,
		},
		{
			Class: Hour, Name: "hour", Pattern: "parley:{hours}:hour:<hour>", Kind: "hash",
			TTL:     HourTime,
			Holds:   "How many calls ended in one hour, by how long they lasted, in four classes. Operators see a number below ten as \"fewer than 10\".",
			Why:     "To see whether the service works, and how much of it a change of the rules would touch.",
			Breach:  "How many calls there were in each hour; not whose.",
			Reader:  readNodes + " Operators see it in the console and by parley hours, as said above.",
			Size:    2 << 10,
			Carried: true,
		},
		{
			Class: Rewrite, Name: "rewrite", Pattern: "parley:{meta}:rewrite:<server>", Kind: "string",
			TTL:    RewriteTime,
			Holds:  "That one server of the database, under the random number that it gave itself, was told within the last day to write its file anew.",
			Why:    "So that what has ended leaves the disk too, every day, and only one parley node has it done.",
			Breach: "When the file was last written anew.",
			Reader: readNodes,
			Size:   64,
		},
		{
			Class: Counts, Name: "counts", Pattern: "parley:{meta}:counts", Kind: "string",
			TTL:    CountsTime,
			Holds:  "How many records of each class there were when they were last counted, and how old the oldest was, as How much there is now tells everybody: rounded down, and of fewer than ten only that there are some; and how many records were not as declared.",
			Why:    "So that one parley node counts for all of them, and nobody who looks at that page makes the database work.",
			Breach: "Nothing that is not on that page.",
			Reader: "Everybody.",
			Size:   8 << 10,
		},
		{
			Class: Counting, Name: "counting", Pattern: "parley:{meta}:counting", Kind: "string",
			TTL:    30 * time.Second,
			Holds:  "A random number of the parley node that is counting the records.",
			Why:    "So that two nodes do not count at once, and another one does when that one dies.",
			Breach: "That the records are being counted.",
			Reader: readNodes,
			Size:   128,
		},
	}
}
