// Package link carries messages between nodes: in order, each once, or with a reset that says that
// some were lost.
//
// Redis Pub/Sub brings a message at most once, and to those only who listen at that moment. A link
// makes it reliable for each pair of nodes: messages are numbered, kept until the other node has
// acknowledged them, and published again when it misses some. What cannot be made good is told: both
// nodes get a reset before anything newer.
//
// Each direction between two nodes is a stream of its own with an epoch. Numbers begin at 1 with
// each epoch, and epochs only rise, so what belongs to a stream that was given up is known as such.
// A node's name is random for each process, so it stands for the life of that process.
//
//	sender                                   receiver
//	mail epoch=7 first=1 [a b c]  -------->  delivers a b c
//	               <--------  mail ack=7/4   4 is the next that it wants; goes along with its own messages
//	mail epoch=7 first=4 [d]      --x        lost
//	mail epoch=7 first=5 [e]      -------->  a gap: nothing is delivered
//	               <--------  mail ack=7/4 again
//	mail epoch=7 first=4 [d e]    -------->  delivers d e
//
// The last message of all may be lost without a gap: the sender publishes it again after a while.
// A stream is given up when its oldest message found no acknowledgement for [retention.BusTime],
// when the receiver has forgotten it, or when the other node speaks another version. The sender
// then calls Reset and begins the next epoch with a mark, at which the receiver calls Reset too.
//
// What is unacknowledged is bounded for each pair of nodes, and many share it. Who sends on
// somebody's behalf says so, and nobody may hold more of it than is left free: one who floods gets
// half, ten get an eleventh each, and as much remains for others. What a node sends on its own behalf
// is refused only when nothing is left.
//
// A link guards against loss. Against malice its owner seals the packets, whole, so that whoever may
// publish in Redis can neither read them nor make some: not mail, no acknowledgement, no probe, no
// word about versions. Such a one can still keep packets from arriving.
//
// A subscription can be dead while its connection looks alive, after a failover for example, so a
// link that hears nothing publishes to its own channel, and subscribes anew when that does not come
// back.
package link
