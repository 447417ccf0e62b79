package retention

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Outline is what anybody may know of a census. It is all of it that nodes share through Redis: a
// number that is not told is not stored either.
type Outline struct {
	When    time.Time // the count ended, by the clock of Redis
	Took    time.Duration
	Faulty  int             // keys that break the catalogue
	Classes map[Class]Known // a class that the program which counted did not know is missing
}

// Known is what anybody may know of one class.
type Known struct {
	Records int           // as [Public] tells them: rounded down, and 1 for any number below [Floor]
	Oldest  time.Duration // [Tally.Oldest] in whole seconds; 0 below [Floor]
}

// outline leaves out of a census what is not told, and the time, which Redis adds.
func (c Census) outline() Outline {
	o := Outline{Took: c.Took.Truncate(time.Millisecond), Faulty: c.Faulty, Classes: make(map[Class]Known, len(c.Classes))}
	for _, t := range c.Classes {
		k := Known{Records: rounded(t.Records)}
		if t.Records >= Floor {
			k.Oldest = t.Oldest.Truncate(time.Second)
		}
		o.Classes[t.Class] = k
	}
	return o
}

// text is what is stored of an outline behind its time: how many milliseconds the count took and how
// many keys were at fault, then for each class a line with its name, how many records there are, and
// how many seconds old the oldest is.
func (o Outline) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "took %d faulty %d\n", o.Took.Milliseconds(), o.Faulty)
	for _, it := range catalogue() {
		if k, counted := o.Classes[it.Class]; counted {
			fmt.Fprintf(&b, "%s %d %d\n", it.Name, k.Records, int64(k.Oldest/time.Second))
		}
	}
	return b.String()
}

// parseOutline reads what [Outline.text] has written, behind "at", the seconds of its time, and a
// blank. Classes that this program does not know are left out: a newer one has counted.
func parseOutline(text string) (Outline, error) {
	head, rest, _ := strings.Cut(text, "\n")
	var at, took int64
	o := Outline{Classes: make(map[Class]Known, len(catalogue()))}
	if _, err := fmt.Sscanf(head, "at %d took %d faulty %d", &at, &took, &o.Faulty); err != nil || int64(len(text)) > Counts.item().Size {
		return Outline{}, errors.New("what was counted is stored in a shape that this program does not know")
	}
	o.When, o.Took = time.Unix(at, 0), time.Duration(took)*time.Millisecond
	for line := range strings.Lines(rest) {
		var name string
		var records, oldest int
		if _, err := fmt.Sscanf(line, "%s %d %d", &name, &records, &oldest); err != nil || records < 0 || oldest < 0 {
			return Outline{}, fmt.Errorf("what was counted is stored with the line %q", line)
		}
		for _, it := range catalogue() {
			if it.Name == name {
				o.Classes[it.Class] = Known{records, time.Duration(oldest) * time.Second}
			}
		}
	}
	return o, nil
}
