package history_test

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"parley/internal/history"
)

// good is a history that keeps every promise: ana and bo talk, bo drops its socket in the call, the
// session is forgotten and the call rejoined; cem is matched with ana, who does not come, and gets
// back to its place; then cem and dia talk until dia is lost.
//
//	seconds who did|got what field=value ...
const good = `
0 ana did came device=d1
0 ana did hello
0.1 ana got welcome
0.2 ana did find
0.3 ana got queued
0 bo did came device=d2
0.5 bo did hello
0.6 bo got welcome
0.6 bo did find
0.7 ana got matched match=m1
0.7 ana did confirm match=m1
0.7 bo got matched match=m1
0.7 bo did confirm match=m1
0.8 ana got connected room=r1 me=x peer=y match=m1 token=1
0.8 bo got connected room=r1 me=y peer=x match=m1 token=1
1 ana did relay room=r1 seq=1
1 ana did relay room=r1 seq=2
1.1 bo got relay room=r1 seq=1
1.2 ana got error code=peer_busy about=relay room=r1 seq=2
1.3 ana did relay room=r1 seq=3
1.4 bo got relay room=r1 seq=3
1.5 ana did heard room=r1
2.2 ana did relay room=r1 seq=2
2.3 bo got relay room=r1 seq=2
3 bo did cut
4 ana did relay room=r1 seq=4
6 ana got peer why=away
40 bo did hello resumed=true
40 bo got welcome
40 bo did rejoin room=r1
40.1 bo got connected room=r1 me=y peer=x match=m1 token=2
40.1 ana got peer why=back
41 ana did relay room=r1 seq=5
41.1 bo got relay room=r1 seq=5
50 bo did relay room=r1 seq=1
50.1 ana got relay room=r1 seq=1
51 bo did report room=r1
51 bo did leave room=r1
51.1 bo got reported token=3
51.1 bo got ended why=left room=r1
51.1 ana got ended why=peer_left room=r1
52 bo did went
60 cem did came device=d3
60 cem did hello
60 cem got welcome
60 cem did find
60 cem got queued
62 ana did find avoid=1
62.1 cem got matched match=m2
62.1 ana got matched match=m2
62.1 cem did confirm match=m2
66.2 cem got aborted why=peer match=m2
66.2 ana got aborted why=late match=m2
66.3 cem got queued since_ms=6300
66.4 ana did find place=true
66.4 ana got queued since_ms=4400
67 ana did cancel
67 ana got cancelled
68 ana did went
70 dia did came device=d4
70 dia did hello
70 dia got welcome
70 dia did find
70.1 dia got matched match=m3
70.1 cem got matched match=m3
70.1 cem did confirm match=m3
70.1 dia did confirm match=m3
70.2 cem got connected room=r2 me=x peer=y match=m3 token=1
70.2 dia got connected room=r2 me=y peer=x match=m3 token=1
71 cem did relay room=r2 seq=1
71.1 dia got relay room=r2 seq=1
80 dia got closed code=1006
110 cem got ended why=peer_lost room=r2
111 cem did find avoid=1
140 cem got queued since_ms=29000
170 cem got queued since_ms=59000
171 cem did cancel
171 cem got cancelled
172 cem did went
172 dia did went
172 - did end
`

// parse turns the notation into a history file.
func parse(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		at, err := strconv.ParseFloat(f[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		e := map[string]any{"at": int64(at * 1e6), "who": f[1], f[2]: f[3]}
		if f[1] == "-" {
			delete(e, "who")
		}
		for _, field := range f[4:] {
			k, v, _ := strings.Cut(field, "=")
			switch n, err := strconv.Atoi(v); {
			case k == "avoid":
				e[k] = []int{n}
			case err == nil && k != "code":
				e[k] = n
			case v == "true":
				e[k] = true
			default:
				e[k] = v
			}
		}
		b, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(append(b, '\n'))
	}
	return out.Bytes()
}

func check(t *testing.T, text string) *history.Result {
	t.Helper()
	r, err := history.Check(bytes.NewReader(parse(t, text)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestGoodHistory(t *testing.T) {
	r := check(t, good)
	for _, v := range r.Violations {
		t.Error(v)
	}
	if r.People != 4 || r.Calls != 2 || r.Envelopes != 8 {
		t.Errorf("%+v", r)
	}
}
