// Package signaling carries sealed envelopes between browsers and runs the life of a search and of
// a room. It never reads an envelope: SDP, candidates, keys and text are sealed by the browsers.
//
// # The protocol parley.v1
//
// One WebSocket for each browser at /ws, subprotocol "parley.v1", JSON text frames, one object a
// frame with its type in "t". Unknown types, unknown or repeated fields and wrong types are an
// error; nothing is guessed. Times are in milliseconds unless the name says otherwise.
//
//	browser                        server
//	  | hello ------------------------> |   first frame, within 10 s
//	  | <-------------------- welcome   |   first answer; after a resume the missed frames follow
//	  | find -------------------------> |   a puzzle may come first: find again with the proof
//	  | <--------------------- queued   |   schedule and honest estimate
//	  | <-------------------- matched   |   both browsers have 4 s to confirm
//	  | confirm ----------------------> |
//	  | <------------------ connected   |   only after both confirmed
//	  | relay <-----------------> relay |   sealed envelopes: key, offer, answer, candidates
//	  | leave ------------------------> |
//	  | <------------------------ ended |   to both, with the reason
//	  | report -----------------------> |   up to 10 minutes after the call
//	  | <--------------------- reported |
//
// # Numbers, acknowledgement, resume
//
// Every frame of a browser but hello, ack and pong carries "c", its number, 1, 2, 3, ... (any number
// above the last is taken); every
// frame of the server but welcome, ack, ping, drain and notice carries "n" likewise. Any numbered
// frame may carry the highest number received from the other side: "a" from the browser, "c" from
// the server. Who has nothing to say sends ack{a} or ack{c} after 8 unacknowledged frames; a
// browser also after 1 s. Unacknowledged frames are kept for 30 s after the socket was lost.
// hello{token, last} on a new socket resumes: the server answers welcome{resumed: true, c}, then
// sends every frame after last; the browser sends again its own frames after c. Each side drops
// numbers that it has already. So nothing is lost, doubled or reordered. welcome{resumed: false}
// says that the session is gone and starts a new one: a browser that was searching sends find with
// its place, one in a call sends rejoin with its pass.
//
// A session stays on the node that made it. A browser may come back to any node: one that is not
// its home brings the socket there, through a pipe, and nothing else is different.
// welcome{resumed: false} comes when the home is dead, does not answer within 3 s, or stops and
// the browser is in no call.
//
// A room is carried by the node of whoever arrived first, and both browsers use that node's relay.
// When that node dies, the room is made anew on another: a browser whose session was elsewhere
// hears relays with credentials of the new node's relay, unasked, and peer "back", then peer
// "away" until the other has come back with its pass. When frames between two nodes were lost for
// ever, both browsers hear peer "back" without an "away" before it: each says again what the other
// may have missed. A browser whose socket went through the link that broke is closed with 4008 and
// resumes.
//
// Two nodes may not hear of a call at the same time, and one of them may die in between. So the room
// waits 5 s for a member's session on another node to say that it knows of the call, and 5 s for one
// whose node died before its browser had said a word there. Then nobody came, and likewise when the
// session of one who never said a word is given up: the others hear aborted "peer" in place of ended,
// and search on where they stood. So does one who has heard the peer, in the first minute of the call:
// it may have been heard by nobody. Who comes back to that call within 30 s more is told at once: by
// ended "peer_lost" in answer to rejoin. A room that was made anew cannot know who was there. It waits
// for 30 s; or for 10 s when the session that made it has heard nothing of the peer, who may never
// have been told of the call.
//
// A place counts for its own device, 90 s after it was told and 10 minutes after the search began;
// in the session that was told of it until that is in a call, and in another once that session is
// gone, or at once when it was on another node. A place that does not count is no error: the
// search begins now. The server keeps no list of used places, so a changed client can use one
// again only this far: who drops its session, waits for the 30 s of grace to end and finds within
// the 90 s stands where it stood, even if it talked meanwhile.
//
// # Private rooms
//
//	browser                        server
//	  | make or enter --------------> |   a tag: 32 bytes that the page derives from a phrase or a channel
//	  | <-------------------- knocking |   only at a link whose members let people in
//	  | <---------------------- joined |   who is there; each of them hears member "joined"
//	  | relay <-----------------> relay|   sealed envelopes, from one member to one other
//	  | leave ------------------------> |
//	  | <------------------------ ended |   the others hear member "left"
//
// A room is found by its tag, on whatever node a browser is. The store knows the node that carries
// it under a keyed hash of the tag. Of a link the server learns nothing about the phrase: it could
// only try all of them. A channel has one of 1,000 numbers, so a tag that was derived from the
// number alone would tell it. Our page derives it from (number - 1) mod 250, so that four numbers
// share a tag: the server knows that it is one of those four, and may guess that people like small
// numbers. The password is in no tag. Whoever runs the server, like any visitor, can try one
// password with each member who answers; the members' browsers count. The server sees who is in a
// room, as random ids and keyed marks, when, and how much goes from whom to whom. There is no
// report, no block and no record of the call.
//
// A link is for 2 to 8, as its maker says. It is good for 24 h, and its maker may go away and come
// back. Once two have been in its room at once it is used: then the room ends when the last member
// leaves or is lost, and the link opens nothing any more. It is known for 24 h that it is burnt;
// after that, as of a link that was never made, it is only known that there is none: enter never
// makes one. Who comes into an empty room that is not used does not knock.
//
// A channel is there while somebody is in it, for up to 64 visitors, of whom 16 may be of one
// network and one of a device. Groups of up to 8, passwords, the lock and "Allow joining" are an
// affair of the browsers. Until a member has sent two envelopes to another, that one may send no
// more than 8 to it, each with a box of at most 4,096 characters: room for a key exchange, and not
// for a flood.
//
// When the node that carries a room dies, the first member who comes back makes it anew on
// another, and each hears joined again; who had a session elsewhere hears it unasked. For 30 s
// only those come in who were there before, others wait, at the door of a channel too; then, if
// nobody came back, a used link is burnt. joined may say at first that one knocks: door corrects
// it. When letters between two nodes were lost, joined comes likewise, and the others hear member
// "back". Who was lost and has a pass comes back with it while the room is there and has a place.
//
// # Work
//
// A find costs work when the device is fresh, which is: without a valid age ticket, first seen less
// than 24 h ago, or going on with a token that it gave up by erase less than 30 days ago. When more
// than 500 searches a second begin on a node, it costs everybody work. The answer to such a find is
// puzzle: the browser looks for a nonce, of 1 to 32 characters of base64url, such that
// SHA-256(challenge "." nonce) begins with as many zero bits as the puzzle says, and sends the same
// find under a new number with proof = challenge "." nonce. 16 bits for a fresh device, one more
// each time the searches on the node double beyond 500 a second, 20 at the most; a solved puzzle
// pays for 8 searches of the session. A challenge belongs to one session, is good for 2 minutes and
// for one find, and only the last one that was sent counts. A session stays on its node, so nobody
// else needs to know what was solved.
//
// # Bands
//
// What was reported about a device decides whom it meets: package moderation says how. A device in
// cooldown is answered held and stands in no queue. The band counts for a search from its beginning
// to its end. While the store is away the last band that the session heard of counts, for 10 minutes.
//
// # Frames of the browser
//
//	hello     token last device digest age   token "" or that of welcome; last = highest n seen;
//	                                         device = base64url(SHA-256(install token)), 43 characters;
//	                                         digest "" or the same of coarse attributes of the browser;
//	                                         age "" or the last one that a welcome brought. Who resumes
//	                                         keeps the digest and the age of the session
//	find      c a languages interests widen avoid place proof
//	                                         1 to 5 languages in order, 0 to 5 interests (none: anything);
//	                                         widen false keeps to the chosen interests and first language;
//	                                         avoid = up to 128 tokens of connected and blocked;
//	                                         place "" or that of the last queued, good for 90 s;
//	                                         proof "" or the solution of the last puzzle
//	cancel    c a                            leaves the queue, or the match that was offered; without a
//	                                         search it is answered all the same
//	confirm   c a match                      here, and the microphone is open
//	decline   c a match                      does not want this match; leaves the queue
//	relay     c a to seq box                 to = member id; seq = the sender's envelope number;
//	                                         box = base64url, at most 32 KiB of text
//	leave     c a                            leaves the room; when the call is over already, it does nothing
//	rejoin    c a pass                       back into a running call after the session was lost; the answer
//	                                         is connected (joined, in a private room), with the same room, me,
//	                                         peer and role, and peer
//	                                         "away" behind it while the other is not there; ended when the
//	                                         others have given the call up; bad_value when
//	                                         the pass is not valid here or the call began over 24 h ago:
//	                                         the new pass and handle end when the first ones did. Costs
//	                                         as much as a search
//	relays    c a                            asks for fresh credentials of the relay, 4 times and then once in 2 s
//	report    c a handle reason              sexual hate threat minor spam other
//	block     c a handle                     never meet again
//	standing  c a                            asks for the band of this device and what is stored of it
//	erase     c a                            deletes what is stored under device, and leaves a mark for 30 days
//	                                         that this device was given up, if there was anything; what is
//	                                         stored under digest stays, because it is about many devices.
//	                                         The browser then makes a new install token and starts anew; one
//	                                         that keeps the old one is fresh whatever its age says. In
//	                                         a call or a search it is bad_state: leave or cancel first. In
//	                                         cooldown it is possible
//	review    c a                            asks that an operator look at what is stored; bad_state when
//	                                         that is nothing
//	answer    c a code                       asks what became of a review; any device may that has the code
//	make      c a tag capacity knock         makes a one-time link for so many, and goes into its room; knock
//	                                         true: members let people in
//	enter     c a kind tag                   goes to the room of a "link" or a "channel"
//	admit     c a member yes                 lets in who knocks, or turns it away
//	door      c a knock                      turns knocking on or off, for all; off lets in who stands there.
//	                                         A channel has none
//	ack       a
//	pong                                     answer to ping
//
// # Frames of the server
//
//	welcome   token resumed c grace_ms age   token is secret: whoever has it is this browser; age is to be
//	                                         kept beside the install token, "" when nothing is new: it proves
//	                                         since when the device is known, and is worth nothing to another
//	puzzle    n c of challenge bits within_ms
//	                                         the find numbered of needs work, and changed nothing: solve
//	                                         within that time, and send it again with the proof
//	held      n c of until_ms reasons        the find numbered of: this device is in cooldown for so many
//	                                         milliseconds more, and stands in no queue. reasons = what it was
//	                                         reported for, in words of report
//	queued    n c place since_ms widens_ms steps wait waiting
//	                                         sent again whenever one of them changes, and every 30 to 40 s
//	                                         for a fresh place. steps = [{at_ms, look}],
//	                                         look = "interests", "anything" or "languages", at_ms counted from
//	                                         the beginning of the search; since_ms = how long it has run;
//	                                         wait = {p50_ms, p90_ms}, who gave up counted as having waited so
//	                                         long, or null when too few were measured or too many gave up;
//	                                         waiting = how many wait for one of these choices, null below 5
//	cancelled n c                            answer to cancel and decline
//	expired   n c                            nobody came in 10 minutes; search again
//	matched   n c match role shared language within_ms
//	                                         role "offer" or "answer"; shared = common interests;
//	                                         within_ms = time left to confirm
//	aborted   n c why                        why "peer" (did not confirm or left) or "late" (you did not confirm).
//	                                         After "peer" the search goes on by itself with the old place: queued
//	                                         follows. After "late" it does not. After connected, "peer" says that
//	                                         nobody came to the call, which is over, and the search goes on likewise
//	connected n c room me peer role ice handle avoid pass shared language
//	                                         me, peer = member ids of this room; ice = {servers: [{urls,
//	                                         username, credential}], ttl_ms}; handle names the peer in report and
//	                                         block; avoid = token for find, good for 30 minutes; pass for rejoin
//	relay     n c from seq box
//	peer      n c state                      "away" (socket lost, may come back) or "back": say again what
//	                                         it may have missed. "back" also comes without an "away"
//	ended     n c why                        "left" (you), "peer_left", "peer_lost" (did not come back in 30 s);
//	                                         of a private room "left", "expired" (nobody came to the link), or
//	                                         "over" (it has ended meanwhile)
//	knocking  n c of within_ms               you stand at the door; cancel goes away again
//	shut      n c of why                     the make or enter numbered of is over: "full", "crowded" (64 visitors,
//	                                         or 16 of your network), "burnt", "unknown" (no such link: never made,
//	                                         not used in a day, or burnt over a day ago), "turned_away",
//	                                         "nobody_answered" in 2 minutes, "other_tab" (this device is in the
//	                                         room already; once its socket is lost the new one takes its place),
//	                                         "taken" (make: there is such a room)
//	joined    n c room kind me members capacity knock expires_ms ice pass
//	                                         members = [{id, away}] of the others, longest there first; expires_ms
//	                                         until a link that is not used ends, else 0; ice and pass as
//	                                         in connected, but this relay reaches others than those of the
//	                                         room too. It comes again, unasked, when the room was made anew or
//	                                         letters were lost: who is not in it has 30 s to come back
//	member    n c member state               "joined"; "away" and "back" as in peer, and back also of one who
//	                                         is not known: then as joined; "left" by wish; "lost" for good
//	knock     n c member state               "here": somebody stands at the door; "gone": went away, or was let in
//	                                         or turned away
//	door      n c knock                      knocking was turned on or off
//	relays    n c ice                        the answer, or unasked when the call has another relay now
//	reported  n c avoid next                 the report is stored; avoid = token for find, good for 30 days;
//	                                         next = "counted", or "counted_before" when this device has
//	                                         reported that one in the last 30 days, which counts once
//	blocked   n c avoid                      token for find, good until this device's token changes
//	standing  n c band until_ms reasons expires_ms records stored
//	                                         band "clear", "watch", "restricted" or "cooldown"; until_ms = left
//	                                         of a cooldown; reasons as in held; expires_ms = until the last
//	                                         of what is stored is deleted; 0 where there is none; records says
//	                                         whether anything is stored. stored = what of it there is: "own",
//	                                         about this device; "alike", about browsers of the same kind,
//	                                         which erase leaves; "gave_up", the mark that erase leaves
//	erased    n c                            what was stored of this device is deleted, but for that
//	review    n c code                       keep it: it is told once, and good for 7 days
//	answer    n c state                      "open", "expunged" (what was stored is deleted), "kept", or
//	                                         "unknown": no such code, or over 7 days old
//	error     n c of code text wait_ms       of = the c that was refused, 0 when unknown; nothing else changed;
//	                                         wait_ms with the code too_many only
//	ack       c
//	ping                                     every 25 s; answer pong
//	notice    code text                      not numbered, a hint: "slow_down" at most once a second;
//	                                         "store_away" once when a search or a confirmed match must wait for
//	                                         the store: it is kept and goes on by itself, and queued, matched,
//	                                         connected or aborted follows;
//	                                         "paused" once when it waits because operators have paused
//	                                         matching: the same follows when they let it go on
//	drain     within_ms                      this node stops: reconnect when the socket closes
//
// # Errors (code: what to do)
//
//	bad_frame      fix the client: not JSON, unknown or repeated field, wrong type
//	bad_value      a field has a value that is not allowed; text says which
//	bad_state      not possible now, for example find during a call; text says why
//	bad_match      no such match for this browser: it is over; wait for matched
//	bad_proof      the proof solves nothing: forged, wrong, used, over 2 minutes old, or of another session; a new puzzle follows
//	bad_handle     this report or block is not possible: the call is unknown, not yours, or ended over 10 minutes ago
//	no_member      the peer is not in this room, or not at its door any more
//	peer_busy      the peer does not keep up, or is not back yet; send the same frame again (new c) after 1 s
//	too_many       too many searches, private rooms, returns to a call, wishes for credentials, or questions, or envelopes to somebody who has not answered; wait_ms says how long to wait
//	unavailable    the store or the node of the call is away; nothing is lost, try again in a few seconds
//
// # Close codes
//
// 4000 to 4499: come back and resume. 4500 to 4999: do not come back by itself; show the reason.
//
//	1009  frame over 48 KiB, or envelope over 32 KiB   show
//	4001  drain: the node stops                         resume, after within_ms with jitter
//	4008  slow: you did not read fast enough            resume
//	4009  silent: no pong in 10 s, or a frame begun and not ended   resume
//	4500  bad hello: not the first frame, malformed, or not within 10 s   show
//	4501  replaced: the same token came on another socket                 stop
//	4510  binary frame                                  show
//	4526  version: subprotocol parley.v1 was not offered (HTTP 400 before the upgrade)   reload
//
// A browser whose socket is stuck sees no close frame, only its end (1006): the same as 4008.
// Other refusals before the upgrade: 403 for a page of another origin, 426 for a request that is
// no WebSocket, 503 with Retry-After from a node that stops, is full, or has more handshakes
// waiting than it lets in within 5 s, at 1,000 a second.
//
// # Limits
//
//	frame 48 KiB, envelope 32 KiB; hello within 10 s; frames 20/s with a burst of 240 and bytes
//	32 KiB/s with a burst of 512 KiB, beyond which the server reads more slowly (TCP pushes back) and
//	sends notice slow_down; unacknowledged or unwritten frames for a browser 512 and 256 KiB, beyond
//	which a peer's envelopes are refused to the peer with peer_busy, so that nobody can end the session
//	of another by sending; likewise beyond 512 events that wait for a session or a room; a browser is
//	cut with 4008 while 512 of its events, or 128 of its questions to the store, wait; a connected
//	reader that is behind for 5 s is cut with 4008; after 64 more frames of the server's own without an acknowledgement the session is given up; avoid 128 tokens;
//	searches and rejoins 40 with 2 more a minute in a session, searches 60 with 3 more a minute for a
//	device and 1,200 with 10 more a second for a network (an IPv4 /24 or an IPv6 /48); private rooms count
//	like searches in a session, and 30 with 3 more a minute for a device and 600 with 5 more a second for
//	a network; 8 at a door, for 2 minutes; standing, erase,
//	review and answer together 10 with 1 more in 5 s; resume within 30 s; compression is never negotiated.
package signaling
