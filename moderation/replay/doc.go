// Package replay judges a history of calls and reports with the code that judges devices in the
// running service, package score, and answers the bands that devices would have had. Time comes from
// the history alone, records live in memory, nothing goes over a network.
//
// The history is read as JSON lines. Each line gets exactly one answer line, in order; callers may
// work in lock step. A line that is not understood is answered {"ok":false,"err":"..."} and changes
// nothing. Fields that are not named here are ignored.
//
//	{"op":"policy","preset":"strict","set":{...}}               empty the store and start anew
//	{"op":"report","t":T,"target":D,"reporter":D,"reason":"spam","sec":12.5}
//	{"op":"end","t":T,"a":D,"b":D,"sec":12.5}                   once for each call, after its reports
//	{"op":"band","t":T,"d":D}                                   as the device would join a queue
//
// T is a time in Unix seconds. A line that is late is taken at the newest time so far. D is a device,
//
//	{"inst":"00112233aabbccdd","fp":"...","net":"...","new":false}
//
// with opaque 64-bit names of its install token, the digest of its browser and its network, and
// whether the token was first seen less than 24 hours before.
//
// Memory: a device has at most one record for its token and one for its digest, each bounded, and a
// window of four numbers. All are dropped when nothing in them says anything any more.
package replay
