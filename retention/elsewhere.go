package retention

// Place is somewhere outside the database where something is kept.
type Place struct {
	Name   string
	Holds  string
	Long   string // for how long
	Reader string // who can read it
}

// Elsewhere returns all places beside the database, in the order of the privacy page.
func Elsewhere() []Place {
	const host = "Whoever runs the server."
	return []Place{
		{
			"memory of the program",
			"While you are connected: the digests of your browser, a keyed mark of your network, your choices, and the network addresses between which the relay passes on your packets. After a call: which two digests talked and for how long, so that it can count as a call that nobody reported.",
			"Until 30 seconds after your connection ended; after a call ten and a half minutes. Counts of connections by address, of which only a keyed place in a table is kept, until the program ends.",
			"Whoever runs the server, by changing the program or reading its memory while it runs.",
		},
		{
			"log",
			"When the program started and stopped, and what failed. Nothing of visitors.",
			"As long as whoever runs the server keeps it.",
			host,
		},
		{
			"relay log",
			"Only if whoever runs the server has turned it on: the network address of each browser that used the relay, the hour in which it began, for how long, and how many bytes. Not whose call it was, nor with whom.",
			"Seven days, then the program deletes it, whether it is turned on or not.",
			"Operators, by a command that wants a reason and writes it to the audit file before anything is shown.",
		},
		{
			"monitoring",
			"Only if whoever runs the server collects the numbers that the program tells at /metrics: how many are connected, wait and talk, in steps of five; how many searches, calls and reports there were, in steps of ten; and how much the relay carries and how busy the machine is, and how many connections came through a proxy, from which one can see, when few are here, that somebody comes or talks. Nothing that names anybody.",
			"As long as whoever runs the server keeps it: the program keeps none of it beyond its end.",
			"Whoever runs the server, and whoever they let see it.",
		},
		{
			"key file",
			"A random secret, under which names in the database are made unreadable. Nothing of visitors.",
			"While this server is in use.",
			host,
		},
		{
			"weekly keys",
			"A random secret for each week, under which reports are kept. Nothing of visitors.",
			"Each until 30 days after its week, then it is destroyed.",
			host,
		},
		{
			"backups",
			"If whoever runs the server makes any: of the database the records about reports, the policy, and the counts of calls, each with the moment at which it ends. Nothing of who waits or talks, no keys, and never the relay log.",
			"As long as they are kept; what has ended is not brought back, and says nothing about a device once the weekly key is destroyed. Restoring one brings back, until its own end, what a device has erased or operators have undone since it was made.",
			host,
		},
		{
			"audit file",
			"What operators did: when, who, why, and the numbers that they changed; also each reading of the relay log. Nothing that names a device.",
			"For ever.",
			"Operators, in the console.",
		},
		{
			"operators' tokens",
			"The names that operators gave themselves, and hashes of their tokens.",
			"Until the token is removed.",
			host,
		},
	}
}
