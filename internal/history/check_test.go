package history_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/history"
)

// broken is one promise of the good history that is not kept.
type broken struct {
	swap     []string // lines changed in their place, old and new in turns
	cut, add []string // lines removed; lines added at their time
	rule     history.Rule
	who      string
	names    []string // lines that the sentence must name
}

// lines returns the changed history.
func (b broken) lines(t *testing.T) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(good), "\n")
	find := func(l string) int {
		i := slices.Index(lines, l)
		if i < 0 {
			t.Fatalf("no line %q", l)
		}
		return i
	}
	for pair := range slices.Chunk(b.swap, 2) {
		lines[find(pair[0])] = pair[1]
	}
	for _, c := range b.cut {
		i := find(c)
		lines = slices.Delete(lines, i, i+1)
	}
	for _, a := range b.add {
		i := slices.IndexFunc(lines, func(l string) bool { return when(t, l) > when(t, a) })
		if i < 0 {
			i = len(lines)
		}
		lines = slices.Insert(lines, i, a)
	}
	return lines
}

func when(t *testing.T, line string) float64 {
	t.Helper()
	at, err := strconv.ParseFloat(strings.Fields(line)[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestEachRule breaks one promise at a time.
func TestEachRule(t *testing.T) {
	for _, table := range []map[string]broken{meetings(), searches(), envelopes(), calls()} {
		for name, b := range table {
			t.Run(name, func(t *testing.T) {
				lines := b.lines(t)
				found := check(t, strings.Join(lines, "\n")).Violations
				if !slices.ContainsFunc(found, func(v history.Violation) bool {
					return v.Rule == b.rule && v.Who == b.who && namesAll(v, lines, b.names)
				}) {
					t.Errorf("found %v", found)
				}
			})
		}
	}
}

// namesAll tells whether the sentence names the person and all of these lines.
func namesAll(v history.Violation, lines, want []string) bool {
	for _, w := range want {
		at := slices.Index(lines, w) + 1
		if at == 0 || !slices.Contains(v.Lines, at) || !strings.Contains(v.String(), strconv.Itoa(at)) {
			return false
		}
	}
	return strings.Contains(v.String(), v.Who)
}

func meetings() map[string]broken {
	return map[string]broken{
		"another call": {
			add:  []string{"49 ana got connected room=r9 me=x peer=z match=m9 token=9"},
			rule: history.TwoCalls, who: "ana",
			names: []string{"0.8 ana got connected room=r1 me=x peer=y match=m1 token=1", "49 ana got connected room=r9 me=x peer=z match=m9 token=9"},
		},
		"a match in a call": {
			add:  []string{"1 ana got matched match=m1"},
			rule: history.TwoCalls, who: "ana", names: []string{"1 ana got matched match=m1"},
		},
		"a third in a match": {
			add: []string{
				"61 eve did came device=d5", "61 eve did hello", "61 eve got welcome", "61 eve did find",
				"62.1 eve got matched match=m2", "66.2 eve got aborted why=late match=m2", "66.9 eve did went",
			},
			rule: history.TwoCalls, who: "eve", names: []string{"62.1 eve got matched match=m2"},
		},
		"the same device": {
			swap: []string{"60 cem did came device=d3", "60 cem did came device=d1"},
			rule: history.Itself, who: "ana",
			names: []string{"62.1 cem got matched match=m2", "62.1 ana got matched match=m2"},
		},
		"an avoided device": {
			swap: []string{"60 cem did came device=d3", "60 cem did came device=d2"},
			rule: history.Avoided, who: "ana",
			names: []string{"62 ana did find avoid=1", "62.1 ana got matched match=m2"},
		},
		"a reported device": {
			swap: []string{"60 cem did came device=d3", "60 cem did came device=d1", "52 bo did went", "59 bo did find avoid=3", "62.1 ana got matched match=m2", "62.1 bo got matched match=m2"},
			cut: []string{
				"62 ana did find avoid=1", "66.2 ana got aborted why=late match=m2", "66.4 ana did find place=true", "66.4 ana got queued since_ms=4400",
				"67 ana did cancel", "67 ana got cancelled",
			},
			rule: history.Avoided, who: "bo", names: []string{"59 bo did find avoid=3"},
		},
		"told of a match alone": {
			cut: []string{
				"62.1 ana got matched match=m2", "66.2 cem got aborted why=peer match=m2", "66.2 ana got aborted why=late match=m2",
				"66.3 cem got queued since_ms=6300", "70.1 cem got matched match=m3", "70.1 cem did confirm match=m3",
				"70.2 cem got connected room=r2 me=x peer=y match=m3 token=1", "71 cem did relay room=r2 seq=1",
				"110 cem got ended why=peer_lost room=r2", "111 cem did find avoid=1",
			},
			rule: history.Alone, who: "cem", names: []string{"62.1 cem got matched match=m2"},
		},
		"told of a call alone": {
			swap: []string{"70 dia did came device=d4", "64 dia did came device=d4", "70 dia did hello", "64 dia did hello", "70 dia got welcome", "64 dia got welcome"},
			cut:  []string{"70.2 dia got connected room=r2 me=y peer=x match=m3 token=1", "71.1 dia got relay room=r2 seq=1", "80 dia got closed code=1006"},
			rule: history.Alone, who: "cem",
			names: []string{"70.2 cem got connected room=r2 me=x peer=y match=m3 token=1"},
		},
	}
}

func searches() map[string]broken {
	return map[string]broken{
		"a later place after a failed match": {
			swap: []string{"66.3 cem got queued since_ms=6300", "66.3 cem got queued since_ms=100"},
			rule: history.LaterPlace, who: "cem",
			names: []string{"60 cem got queued", "66.3 cem got queued since_ms=100"},
		},
		"a later place after another": {
			swap: []string{"170 cem got queued since_ms=59000", "170 cem got queued since_ms=50000"},
			rule: history.LaterPlace, who: "cem",
			names: []string{"140 cem got queued since_ms=29000", "170 cem got queued since_ms=50000"},
		},
		"a later place than the one shown": {
			swap: []string{"66.4 ana got queued since_ms=4400", "66.4 ana got queued since_ms=0", "62 ana did find avoid=1", "50 ana did find avoid=1"},
			cut:  []string{"66.2 ana got aborted why=late match=m2"},
			add:  []string{"61 ana got queued since_ms=10900"},
			rule: history.LaterPlace, who: "ana", names: []string{"66.4 ana got queued since_ms=0"},
		},
		"a search of which nothing is heard": {
			cut:  []string{"140 cem got queued since_ms=29000", "170 cem got queued since_ms=59000", "171 cem did cancel", "171 cem got cancelled", "172 - did end", "172 cem did went"},
			add:  []string{"190 - did end"},
			rule: history.LostSearch, who: "cem", names: []string{"111 cem did find avoid=1"},
		},
		"queued without a search": {
			add:  []string{"51.5 ana got queued"},
			rule: history.NoSearch, who: "ana", names: []string{"51.5 ana got queued"},
		},
		"matched without a search": {
			add:  []string{"67.5 ana got matched match=m7"},
			rule: history.NoSearch, who: "ana", names: []string{"67.5 ana got matched match=m7"},
		},
		"connected without a search": {
			add:  []string{"67.5 ana got connected room=r7 me=x peer=y match=m7 token=7"},
			rule: history.NoSearch, who: "ana", names: []string{"67.5 ana got connected room=r7 me=x peer=y match=m7 token=7"},
		},
		"expired without a search": {
			add:  []string{"67.5 ana got expired"},
			rule: history.NoSearch, who: "ana", names: []string{"67.5 ana got expired"},
		},
		"aborted without a search": {
			add:  []string{"67.5 ana got aborted why=peer"},
			rule: history.NoSearch, who: "ana", names: []string{"67.5 ana got aborted why=peer"},
		},
		"nobody came, who was heard": {
			add:  []string{"50.5 ana got aborted why=peer room=r1"},
			rule: history.EndedByUs, who: "ana", names: []string{"50.5 ana got aborted why=peer room=r1"},
		},
		"nobody came, who was heard long ago": {
			cut:  []string{"80 dia got closed code=1006"},
			add:  []string{"135 dia got aborted why=peer room=r2"},
			rule: history.EndedByUs, who: "dia", names: []string{"135 dia got aborted why=peer room=r2"},
		},
		"a later place after a call to which nobody came": {
			add:  []string{"70.3 cem got aborted why=peer room=r2", "70.4 cem got queued since_ms=100"},
			cut:  []string{"71 cem did relay room=r2 seq=1", "71.1 dia got relay room=r2 seq=1", "110 cem got ended why=peer_lost room=r2", "111 cem did find avoid=1"},
			rule: history.LaterPlace, who: "cem", names: []string{"70.4 cem got queued since_ms=100"},
		},
		"cancelled without a wish": {
			add:  []string{"67.5 ana got cancelled"},
			rule: history.NoSearch, who: "ana", names: []string{"67.5 ana got cancelled"},
		},
	}
}

func envelopes() map[string]broken {
	return map[string]broken{
		"lost": {
			cut:  []string{"1.1 bo got relay room=r1 seq=1"},
			rule: history.Envelopes, who: "bo",
			names: []string{"1 ana did relay room=r1 seq=1", "1.4 bo got relay room=r1 seq=3"},
		},
		"the last one lost": {
			cut:  []string{"50.1 ana got relay room=r1 seq=1"},
			swap: []string{"50 bo did relay room=r1 seq=1", "45 bo did relay room=r1 seq=1"},
			rule: history.Envelopes, who: "ana", names: []string{"45 bo did relay room=r1 seq=1"},
		},
		"lost before an absence, which is no reset": {
			cut:  []string{"1.1 bo got relay room=r1 seq=1"},
			add:  []string{"1.2 ana got peer why=away room=r1", "1.25 ana got peer why=back room=r1"},
			rule: history.Envelopes, who: "bo", names: []string{"1 ana did relay room=r1 seq=1"},
		},
		"twice": {
			add:  []string{"1.15 bo got relay room=r1 seq=1"},
			rule: history.Envelopes, who: "bo", names: []string{"1.15 bo got relay room=r1 seq=1"},
		},
		"out of order": {
			swap: []string{"1.1 bo got relay room=r1 seq=1", "1.1 bo got peer why=away"},
			add:  []string{"1.5 bo got relay room=r1 seq=1"},
			rule: history.Envelopes, who: "bo", names: []string{"1 ana did relay room=r1 seq=1", "1.5 bo got relay room=r1 seq=1"},
		},
		"that nobody sent": {
			add:  []string{"1.5 bo got relay room=r1 seq=77"},
			rule: history.Envelopes, who: "bo", names: []string{"1.5 bo got relay room=r1 seq=77"},
		},
		"that does not open": {
			swap: []string{"1.1 bo got relay room=r1 seq=1", "1.1 bo got relay room=r1 seq=1 why=bad"},
			rule: history.Envelopes, who: "bo", names: []string{"1.1 bo got relay room=r1 seq=1 why=bad"},
		},
	}
}

func calls() map[string]broken {
	return map[string]broken{
		"left by nobody": {
			cut:  []string{"51 bo did leave room=r1", "51.1 bo got ended why=left room=r1"},
			rule: history.EndedByUs, who: "ana", names: []string{"51.1 ana got ended why=peer_left room=r1"},
		},
		"left without a wish": {
			cut:  []string{"51 bo did leave room=r1"},
			rule: history.EndedByUs, who: "bo", names: []string{"51.1 bo got ended why=left room=r1"},
		},
		"a peer lost who is there": {
			cut:  []string{"80 dia got closed code=1006"},
			rule: history.EndedByUs, who: "cem", names: []string{"110 cem got ended why=peer_lost room=r2"},
		},
		"ended for no known reason": {
			swap: []string{"51.1 ana got ended why=peer_left room=r1", "51.1 ana got ended why=closed room=r1"},
			rule: history.EndedByUs, who: "ana", names: []string{"51.1 ana got ended why=closed room=r1"},
		},
		"hello without an answer": {
			add:  []string{"41 eve did came device=d9", "41 eve did hello"},
			rule: history.Unresumed, who: "eve", names: []string{"41 eve did hello"},
		},
		"told before welcome": {
			cut:  []string{"40 bo got welcome"},
			rule: history.Unresumed, who: "bo", names: []string{"40.1 bo got connected room=r1 me=y peer=x match=m1 token=2"},
		},
		"resumed what was not shown": {
			swap: []string{"0.1 ana got welcome", "0.1 ana got welcome resumed=true"},
			rule: history.Unresumed, who: "ana", names: []string{"0.1 ana got welcome resumed=true"},
		},
		"welcomed twice": {
			add:  []string{"0.15 ana got welcome resumed=true"},
			rule: history.Unresumed, who: "ana", names: []string{"0.15 ana got welcome resumed=true"},
		},
	}
}

// TestStillGood are changes that break nothing.
func TestStillGood(t *testing.T) {
	for name, b := range map[string]broken{
		"a leave on the way back is answered after the next find": {
			cut: []string{
				"40.1 bo got connected room=r1 me=y peer=x match=m1 token=2", "41.1 bo got relay room=r1 seq=5", "50 bo did relay room=r1 seq=1",
				"50.1 ana got relay room=r1 seq=1", "51 bo did report room=r1", "51 bo did leave room=r1", "51.1 bo got reported token=3", "51.1 bo got ended why=left room=r1",
			},
			add: []string{"40.05 bo did leave room=r1", "40.05 bo did find", "40.1 bo got cancelled", "40.2 bo got queued", "51 bo did cancel", "51.1 bo got cancelled"},
		},
		"a leave that crosses a call to which nobody came is answered after the next find": {
			cut: []string{
				"71 cem did relay room=r2 seq=1", "71.1 dia got relay room=r2 seq=1", "110 cem got ended why=peer_lost room=r2", "111 cem did find avoid=1",
			},
			swap: []string{
				"140 cem got queued since_ms=29000", "140 cem got queued since_ms=68000", "170 cem got queued since_ms=59000", "170 cem got queued since_ms=98000",
			},
			add: []string{"72 cem did leave room=r2", "72 cem did find avoid=1", "76 cem got aborted why=peer", "76 cem got queued since_ms=16000", "76 cem got cancelled", "76 cem got queued since_ms=4000"},
		},
		"a leave that crosses a call to which nobody came, of somebody who wants no other": {
			cut: []string{"71 cem did relay room=r2 seq=1", "71.1 dia got relay room=r2 seq=1", "110 cem got ended why=peer_lost room=r2"},
			add: []string{"72 cem did leave room=r2", "76 cem got aborted why=peer", "76 cem got cancelled"},
		},
		"a call in which one side alone was heard turns back into two searches": {
			cut: []string{"110 cem got ended why=peer_lost room=r2", "111 cem did find avoid=1"},
			swap: []string{
				"140 cem got queued since_ms=29000", "140 cem got queued since_ms=80000", "170 cem got queued since_ms=59000", "170 cem got queued since_ms=110000",
			},
			add: []string{
				"75.2 cem got aborted why=peer room=r2", "75.2 dia got aborted why=peer room=r2",
				"75.3 cem got queued since_ms=15300", "75.3 dia got queued since_ms=5300",
			},
		},
		"a rejoin that comes too late": {
			swap: []string{"40.1 bo got connected room=r1 me=y peer=x match=m1 token=2", "40.1 bo got error code=bad_value about=rejoin"},
			cut: []string{
				"41.1 bo got relay room=r1 seq=5", "50 bo did relay room=r1 seq=1", "50.1 ana got relay room=r1 seq=1",
				"51 bo did report room=r1", "51 bo did leave room=r1", "51.1 bo got reported token=3", "51.1 bo got ended why=left room=r1",
			},
		},
		"a place that was not shown in time": {
			swap: []string{"66.4 ana got queued since_ms=4400", "66.4 ana got queued since_ms=0"},
		},
		"an envelope lost before a reset": {
			cut: []string{"1.1 bo got relay room=r1 seq=1"},
			add: []string{"1.15 bo got peer why=back room=r1"},
		},
		"a store that is away": {
			swap: []string{"140 cem got queued since_ms=29000", "112 cem got notice code=store_away"},
			cut:  []string{"170 cem got queued since_ms=59000", "171 cem did cancel", "171 cem got cancelled", "172 cem did went", "172 - did end"},
			add:  []string{"290 - did end"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range check(t, strings.Join(b.lines(t), "\n")).Violations {
				t.Error(v)
			}
		})
	}
}

// TestHeldPlace: where nodes cannot always reach one another, what queued says may be old when it
// arrives. Who has lost a place all the same is told so at once after a find, or again.
func TestHeldPlace(t *testing.T) {
	told := func(swap ...string) bool {
		b := broken{swap: swap, add: []string{"112 cem got queued since_ms=1000"}}
		r, err := history.CheckHeld(bytes.NewReader(parse(t, strings.Join(b.lines(t), "\n"))), 35*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(r.Violations, func(v history.Violation) bool { return v.Rule == history.LaterPlace && v.Who != "" })
	}
	if told("140 cem got queued since_ms=29000", "140 cem got queued since_ms=15000") {
		t.Error("what was held for 14 s is taken for a lost place")
	}
	if !told("140 cem got queued since_ms=29000", "140 cem got queued since_ms=15000", "170 cem got queued since_ms=59000", "170 cem got queued since_ms=45000") {
		t.Error("a place that stays lost is not found")
	}
	if !told("170 cem got queued since_ms=59000", "170 cem got queued since_ms=15000") {
		t.Error("nothing is held for so long")
	}
	if !told("66.4 ana got queued since_ms=4400", "66.4 ana got queued since_ms=0", "62 ana did find avoid=1", "50 ana did find avoid=1", "66.2 ana got aborted why=late match=m2", "61 ana got queued since_ms=10900") {
		t.Error("a place lost at the find is not found")
	}
}

func TestNoHistory(t *testing.T) {
	whole := string(parse(t, good))
	for name, text := range map[string]string{
		"empty":         "",
		"cut off":       strings.TrimSuffix(whole, "{\"at\":172000000,\"did\":\"end\"}\n"),
		"goes on":       whole + "{\"at\":172000000,\"did\":\"end\"}\n",
		"unknown field": `{"at":1,"who":"a","did":"came","x":1}` + "\n",
		"nobody":        `{"at":1,"who":"a","did":"find"}` + "\n",
		"unknown deed":  `{"at":1,"who":"a","did":"came"}` + "\n" + `{"at":1,"who":"a","did":"fly"}` + "\n",
		"unknown word":  `{"at":1,"who":"a","did":"came"}` + "\n" + `{"at":1,"who":"a","got":"fly"}` + "\n",
		"not JSON":      "hello\n",
		"after the end": strings.Replace(whole, `"did":"find"`, `"did":"went"`, 1),
	} {
		if r, err := history.Check(strings.NewReader(text)); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestRecorderWritesWhatCheckReads(t *testing.T) {
	var file bytes.Buffer
	r := history.NewRecorder(&file)
	r.Write(history.Event{At: 1, Who: "ana", Did: history.Came, Device: "d1"})
	r.Write(history.Event{At: 2, Who: "ana", Did: history.Went})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := history.Check(&file); err != nil || got.Events != 3 || got.People != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestThird: a store that lost its last writes may make a match once more. Who was told of the
// first one must be out of it at once; where nothing is ever lost, there is no third.
func TestThird(t *testing.T) {
	for name, c := range map[string]struct {
		held time.Duration
		add  []string
		want int
	}{
		"out of it in a second":      {35 * time.Second, []string{"71 eve got aborted why=peer match=m3", "71.1 eve got queued since_ms=2000"}, 0},
		"held by it":                 {35 * time.Second, nil, 1},
		"comes into the call":        {35 * time.Second, []string{"70.3 eve got connected room=r2 me=z peer=x match=m3 token=1"}, 1},
		"where nothing is ever lost": {5 * time.Second, []string{"71 eve got aborted why=peer match=m3", "71.1 eve got queued since_ms=2000"}, 1},
	} {
		b := broken{add: append([]string{
			"69 eve did came device=d9", "69 eve did hello", "69.1 eve got welcome", "69.1 eve did find", "69.2 eve got queued",
			"70.15 eve got matched match=m3", "70.15 eve did confirm match=m3", "90 eve did cancel", "90 eve got cancelled", "91 eve did went",
		}, c.add...)}
		r, err := history.CheckHeld(bytes.NewReader(parse(t, strings.Join(b.lines(t), "\n"))), c.held)
		if err != nil {
			t.Fatal(err)
		}
		found := slices.DeleteFunc(r.Violations, func(v history.Violation) bool { return v.Rule != history.TwoCalls })
		if len(found) != c.want {
			t.Errorf("%s: %v, want %d", name, r.Violations, c.want)
		}
	}
}
