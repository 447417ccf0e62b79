package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// year writes what a site of 150 calls a day sees in a year: each side asks for its band before a
// call, one call of a hundred is reported. Once a month somebody whom nobody else meets is reported
// by five in one hour, asks at once, and asks again when 31 days have gone.
type year struct {
	out   *bufio.Writer
	lines int
	asked map[int]string // by the line of a question, what the answer must hold
}

func (y *year) say(format string, args ...any) int {
	fmt.Fprintf(y.out, format+"\n", args...)
	y.lines++
	return y.lines - 1
}

func named(n int) string { return fmt.Sprintf(`{"inst":"%016x","net":"%016x","new":false}`, n, n) }

func (y *year) ask(at, who int, want string) {
	y.asked[y.say(`{"op":"band","t":%d,"d":%s}`, at, named(who))] = want
}

func (y *year) report(at, who, by int, reason string) {
	y.say(`{"op":"report","t":%d,"target":%s,"reporter":%s,"reason":%q,"sec":60}`, at, named(who), named(by), reason)
}

const (
	yearDays, yearCalls, yearPeople = 365, 150, 3000
	yearBegins                      = 1_800_000_000
	dayLong                         = 86400
	strangersFrom                   = 1 << 20
)

func (y *year) live() {
	random := rand.New(rand.NewPCG(3, 5))
	for day := range yearDays {
		at := yearBegins + day*dayLong
		if month := day / 31; day%31 == 0 {
			if month > 0 { // what was reported 31 days ago is gone without a trace
				y.ask(at, strangersFrom+100*(month-1), `"band":"clear","score":0}`)
			}
			y.storm(at, strangersFrom+100*month)
		}
		for range yearCalls {
			at += random.IntN(2 * dayLong / yearCalls * 9 / 10)
			a, b := random.IntN(yearPeople), random.IntN(yearPeople-1)
			if b >= a {
				b++
			}
			y.ask(at, a, `"band":"`)
			y.ask(at, b, `"band":"`)
			if random.IntN(100) == 0 {
				y.report(at+60, a, b, "spam")
			}
			y.say(`{"op":"end","t":%d,"a":%s,"b":%s,"sec":61.5}`, at+61, named(a), named(b))
		}
	}
}

// storm has five people who talk much report one.
func (y *year) storm(at, who int) {
	for i := range 5 {
		by := who + 1 + i
		for range 3 {
			y.say(`{"op":"end","t":%d,"a":%s,"b":%s,"sec":300}`, at, named(by), named(by+20))
		}
		y.report(at, who, by, "hate")
		if i == 0 { // a report of full weight: (0.2 + 1) / (10 + 1)
			y.ask(at, who, `"band":"watch","score":0.1090`)
		}
	}
	y.ask(at, who, `"band":"cooldown","score":0.24`) // three a day count: (0.2 + 3) / (10 + 3)
}

// TestReplayYear replays a year of a small site. Every line has its answer, and a storm of reports
// means in each month what it means in the first: nothing of the months before is left.
func TestReplayYear(t *testing.T) {
	from, into := io.Pipe()
	answers, out := io.Pipe()
	began := time.Now()
	go func() {
		code := riskCommand([]string{"replay"}, from, out, io.Discard)
		if code != exitDone {
			_ = out.CloseWithError(fmt.Errorf("it ended with %d", code))
		}
		_ = out.Close()
	}()
	y := &year{out: bufio.NewWriter(into), asked: map[int]string{}}
	heard := make(chan []string)
	go func() { // no answer waits for a line, so somebody must read while another writes
		var all []string
		for s := bufio.NewScanner(answers); s.Scan(); {
			all = append(all, s.Text())
		}
		heard <- all
	}()
	y.live()
	if err := y.out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := into.Close(); err != nil {
		t.Fatal(err)
	}
	all := <-heard
	t.Logf("%d lines of %d days in %v", y.lines, yearDays, time.Since(began).Round(time.Millisecond))
	if len(all) != y.lines || y.lines < 3*yearDays*yearCalls {
		t.Fatalf("%d answers to %d lines", len(all), y.lines)
	}
	bands := map[string]int{}
	for i, answer := range all {
		if want := y.asked[i]; !strings.HasPrefix(answer, `{"ok":true`) || !strings.Contains(answer, want) {
			t.Fatalf("line %d: %s, want %s", i, answer, want)
		}
		if _, band, is := strings.Cut(answer, `"band":"`); is {
			bands[band[:strings.IndexByte(band, '"')]]++
		}
	}
	if bands["cooldown"] < yearDays/31 || bands["clear"] < 50*bands["watch"] || bands["watch"] == 0 {
		t.Errorf("bands %v", bands)
	}
}
