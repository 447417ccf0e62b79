package web

import (
	"fmt"
	"slices"
	"time"
)

// Noted is a change of who touches data that the list itself does not tell: an entry was edited, came
// with an earlier day, or is gone.
type Noted struct {
	Name  string    `json:"name"`
	Title string    `json:"title"`
	Says  string    `json:"says"`
	On    time.Time `json:"on"` // the day on which it was noticed
}

// Compare tells what became of a list that was shown before, besides what the new one says of itself
// with a day from today on. An entry is the same as long as its name and its first day are.
func Compare(before, now []Processor, today time.Time) []Noted {
	today = dayOf(today).begins()
	var all []Noted
	note := func(name, title, format string, args ...any) {
		all = append(all, Noted{name, name + " " + title, fmt.Sprintf(format, args...), today})
	}
	for _, was := range before {
		i := slices.IndexFunc(now, was.same)
		if i < 0 {
			note(was.Name, "was taken off the list", "%s was taken off the list. There stood: it %s, and sees %s.", was.Name, was.Does, was.Sees)
			continue
		}
		is := now[i]
		if was.Does != is.Does || was.Sees != is.Sees || was.Where != is.Where {
			note(is.Name, "has changed", "What stands here of %s has changed: it %s, and sees %s%s. Before: it %s, and sees %s%s.",
				is.Name, is.Does, is.Sees, is.country(), was.Does, was.Sees, was.country())
		}
		if !was.Until.Equal(is.Until) && (is.Until.IsZero() || !was.Until.IsZero() || is.Until.Before(today)) {
			note(is.Name, "has another last day", "The last day of %s has changed: %s. Before: %s.", is.Name, is.ends(), was.ends())
		}
	}
	for _, is := range now {
		if is.Since.Before(today) && !slices.ContainsFunc(before, is.same) {
			note(is.Name, "was added", "%s was added to the list, with an earlier day: %s. It %s, and sees %s%s.",
				is.Name, is.Since.Format("2 January 2006"), is.Does, is.Sees, is.country())
		}
	}
	return all
}

// same tells whether two entries are of the same processor.
func (p Processor) same(q Processor) bool { return p.Name == q.Name && p.Since.Equal(q.Since) }

func (p Processor) country() string {
	if p.Where == "" {
		return ""
	}
	return " (" + p.Where + ")"
}

func (p Processor) ends() string {
	if p.Until.IsZero() {
		return "none"
	}
	return p.Until.Format("2 January 2006")
}
