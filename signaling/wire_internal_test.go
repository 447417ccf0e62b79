package signaling

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/keyring"
	"parley/moderation"
)

type goldenLetter struct {
	toRoom    ToRoom
	toSession ToSession
	text      string
}

// golden returns all letters that leave a node, as bytes. Nodes that run at the same time, the older
// and the newer in an upgrade, must agree on them: who changes one raises the version of the link. A
// new kind goes to the end, and an older node drops it.
func golden() []goldenLetter {
	d, pd := moderation.Device{Token: "d", Digest: "g", Net: "w", Fresh: true}, moderation.Device{Token: "pd"}
	me := pass{"r", "n", "m", "p", pd, d, Answer, []string{"x"}, "en", 2, 9, "", "", 0}
	const text = `"room":"r","node":"n","member":"m","peer":"p","peer_device":{"Token":"pd","Digest":"","Net":"","Fresh":false},"device":{"Token":"d","Digest":"g","Net":"w","Fresh":true},"role":"answer","shared":["x"],"language":"en","turn":2,"until":9`
	return []goldenLetter{
		{toRoom: &Say{"r", Address{"n", "s"}, 300, "a", "b", []byte(`"tail"`)}, text: "\x01\x02id\x01r\x01n\x01s\x01a\x01b\xac\x02" + `"tail"`},
		{toRoom: Enter{Address{"n", "s"}, "m", d, Offer, []string{"x"}, "en"}, text: "\x02\x02id" +
			`{"From":{"Node":"n","ID":"s"},"Member":"m","Device":{"Token":"d","Digest":"g","Net":"w","Fresh":true},"Role":"offer","Shared":["x"],"Language":"en"}`},
		{toRoom: Reenter{Address{"n", "s"}, me, true, false}, text: "\x03\x02id" + `{"From":{"Node":"n","ID":"s"},` + text + `,"Met":true}`},
		{toRoom: Went{Address{"n", "s"}, "m", EndLeft}, text: "\x04\x02id" + `{"From":{"Node":"n","ID":"s"},"Member":"m","Why":"left"}`},
		{toRoom: Missing{Address{"n", "s"}, "m"}, text: "\x05\x02id" + `{"From":{"Node":"n","ID":"s"},"Member":"m"}`},
		{toRoom: Present{Address{"n", "s"}, "m"}, text: "\x06\x02id" + `{"From":{"Node":"n","ID":"s"},"Member":"m"}`},
		{toRoom: Want{Address{"n", "s"}, "m", 7}, text: "\x07\x02id" + `{"From":{"Node":"n","ID":"s"},"Member":"m","C":7}`},
		{toSession: Heard{&Say{"r", Address{"n", "s"}, 7, "a", "b", []byte("t")}}, text: "\x08\x02id\x01r\x01n\x01s\x01a\x01b\x07t"},
		{toSession: Opened{me, Ice{[]IceServer{{[]string{"turn:x"}, "u", "c"}}, 5}, true}, text: "\x09\x02id" + `{` + text +
			`,"ice":{"servers":[{"urls":["turn:x"],"username":"u","credential":"c"}],"ttl_ms":5},"back":true}`},
		{toSession: Granted{"r", Ice{[]IceServer{}, 5}}, text: "\x0a\x02id" + `{"Room":"r","Ice":{"servers":[],"ttl_ms":5}}`},
		{toSession: Recheck{Address{"n", "s"}, Address{"o", "r"}, "m"}, text: "\x0b\x02id" +
			`{"To":{"Node":"n","ID":"s"},"Room":{"Node":"o","ID":"r"},"Member":"m"}`},
		{toSession: Moved{Address{"o", "r"}}, text: "\x0c\x02id" + `{"To":{"Node":"o","ID":"r"}}`},
		{toSession: Failed{"r"}, text: "\x0d\x02id" + `{"Room":"r"}`},
		{toSession: PeerIs{"r", PeerAway}, text: "\x0e\x02id" + `{"Room":"r","State":"away"}`},
		{toSession: Over{"r", EndPeerLost}, text: "\x0f\x02id" + `{"Room":"r","Why":"peer_lost"}`},
		{toSession: Undelivered{"r", 7, PeerBusy}, text: "\x10\x02id" + `{"Room":"r","C":7,"Code":"peer_busy"}`},
	}
}

// goldenRooms are those that only private rooms write; the first has kind 0x18.
func goldenRooms() []goldenLetter {
	d := moderation.Device{Token: "d", Net: "w"}
	at := Address{"n", "s"}
	me := pass{Room: "r", Node: "n", Member: "m", Device: d, Until: 9, Kind: LinkRoom, Life: "l", Capacity: 3}
	return []goldenLetter{
		{toRoom: Come{at, "m", d, ChannelRoom}, text: "\x18\x02id" +
			`{"From":{"Node":"n","ID":"s"},"Member":"m","Device":{"Token":"d","Digest":"","Net":"w","Fresh":false},"Kind":"channel"}`},
		{toRoom: Admits{at, "m", 7, "o", true}, text: "\x19\x02id" + `{"From":{"Node":"n","ID":"s"},"Member":"m","C":7,"Who":"o","Yes":true}`},
		{toRoom: Turns{at, "m", 7, true}, text: "\x1a\x02id" + `{"From":{"Node":"n","ID":"s"},"Member":"m","C":7,"Knock":true}`},
		{toSession: Welcomed{me, Ice{[]IceServer{}, 5}, true, true, 4, []JoinedMember{{"o", true}}}, text: "\x1b\x02id" +
			`{"room":"r","node":"n","member":"m","peer":"","peer_device":{"Token":"","Digest":"","Net":"","Fresh":false},` +
			`"device":{"Token":"d","Digest":"","Net":"w","Fresh":false},"role":"","shared":[],"language":"","turn":0,"until":9,` +
			`"kind":"link","life":"l","capacity":3,"ice":{"servers":[],"ttl_ms":5},"back":true,"knock":true,"left_ms":4,"members":[{"id":"o","away":true}]}`},
		{toSession: Waits{"r"}, text: "\x1c\x02id" + `{"Room":"r"}`},
		{toSession: Turned{"r", ShutFull}, text: "\x1d\x02id" + `{"Room":"r","Why":"full"}`},
		{toSession: Knocked{"r", "o", KnockGone}, text: "\x1e\x02id" + `{"Room":"r","Who":"o","State":"gone"}`},
		{toSession: MemberIs{"r", "o", MemberLost}, text: "\x1f\x02id" + `{"Room":"r","Member":"o","State":"lost"}`},
		{toSession: DoorIs{"r", true}, text: "\x20\x02id" + `{"Room":"r","Knock":true}`},
		{toSession: Astray{"r"}, text: "\x21\x02id" + `{"Room":"r"}`},
	}
}

// again reads a letter, which must be the same when it is written again.
func again(t *testing.T, text string) {
	t.Helper()
	m, err := openMail([]byte(text))
	if err != nil || m.id != "id" {
		t.Error(m, err)
	}
	room, err := m.toRoom()
	session, other := m.toSession()
	var again []byte
	switch {
	case err != nil || other != nil:
	case room != nil:
		again = mailToRoom("id", room)
	case session != nil:
		again = mailToSession("id", session)
	}
	if string(again) != text {
		t.Errorf("%q is read as %q, %v, %v", text, again, err, other)
	}
}

func TestMailGolden(t *testing.T) {
	for i, c := range golden() {
		var got []byte
		if c.toRoom != nil {
			got = mailToRoom("id", c.toRoom)
		} else {
			got = mailToSession("id", c.toSession)
		}
		if string(got) != c.text {
			t.Errorf("%T%T is\n%q, was\n%q", c.toRoom, c.toSession, got, c.text)
		}
		if int(got[0]) != i+1 {
			t.Errorf("kind %d is not here", i+1)
		}
		again(t, c.text)
	}
	for i, c := range goldenRooms() {
		var got []byte
		if c.toRoom != nil {
			got = mailToRoom("id", c.toRoom)
		} else {
			got = mailToSession("id", c.toSession)
		}
		if string(got) != c.text || int(got[0]) != 0x18+i {
			t.Errorf("%T%T is\n%q, was\n%q", c.toRoom, c.toSession, got, c.text)
		}
		again(t, c.text)
	}
	for kind, want := range map[byte]int{mailTorn: 0x11, mailAttach: 0x12, mailUp: 0x13, mailDown: 0x14, mailEnd: 0x15, mailGone: 0x16} {
		if int(kind) != want {
			t.Errorf("kind %#x was %#x", kind, want)
		}
	}
	const asks = "\x12\x01s" + `{"Pipe":"p","Hello":{"t":"hello","token":"k","last":3,"device":"d","digest":"g","age":"t"}}`
	if got := mailOf(mailAttach, "s", attach{"p", Hello{"hello", "k", 3, "d", "g", "t"}}); string(got) != asks {
		t.Errorf("a pipe is asked for with\n%q, was\n%q", got, asks)
	}
}

// TestSealGolden: the seal of a packet, which no version may change: nodes of two versions must know
// each other as such.
func TestSealGolden(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(strings.Repeat("07", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	packet := append([]byte(strings.Repeat("h", sealHead)), "\x00\x00\x00\x00\x00\x00\x00\x00body"...)
	const want = "0000000000000001826b1a98b8d0b62b2d9a0a60a8acc0f6dc2fab60"
	if got := hex.EncodeToString(newSeals(ring, "node").seal("other", packet, 0)[sealHead:]); got != want {
		t.Errorf("%s, was %s", got, want)
	}
}
