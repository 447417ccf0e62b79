package office

import (
	"strconv"

	"parley/moderation/score"
)

// Floors below which people are not told a number, so that none is about one person.
const (
	FewRecords = 5
	FewCalls   = 10
)

// bins of the histogram of scores.
const (
	binWidth = 0.01
	binCount = 100
)

// day is a day in seconds.
const day = 24 * 3600

// bands is how many there are.
const bands = int(score.Cooldown) + 1

// Matrix counts records by the band that they have and the one that they would have.
type Matrix [bands][bands]int

// Preview is what another policy would change, counted over every record.
type Preview struct {
	Bands     Matrix // [before][after]
	Touched   int    // calls of the last day that the records which change band took part in
	Calls     int    // all calls of the last day
	Histogram Histogram
}

// Histogram counts records by the score that they would have.
type Histogram struct {
	Bins    [binCount]int // those of one bin reach from i to i+1 hundredths
	Records int
}

// bandOf returns band and score of a record as a search that begins now would find it. The record
// stays as it is.
func bandOf(p score.Policy, now int64, c *Case) (score.Band, float64) {
	r := c.Record // judging keeps band and spell; what it refers to is only read
	s := score.Subject{Token: &r}
	if c.Digest {
		s = score.Subject{Digest: &r, Fresh: true}
	}
	v := score.Judge(p, now, s)
	return v.Band, v.Score
}

// Compare judges every record by both policies. It is exact: [score.Judge] is what judges devices too.
func Compare(now int64, before, after score.Policy, all []Case) Preview {
	now = score.Hour(now)
	var p Preview
	for i := range all {
		c := &all[i]
		was, _ := bandOf(before, now, c)
		will, points := bandOf(after, now, c)
		p.count(was, will)
		p.Histogram.add(points)
		if was != will {
			p.Touched += calls(now, &c.Record)
		}
	}
	return p
}

func (p *Preview) count(was, will score.Band) { p.Bands[was][will]++ }

func (h *Histogram) add(points float64) {
	h.Bins[min(binCount-1, int(points/binWidth))]++
	h.Records++
}

// calls is how many calls of a device of the last day its record tells of: the clean ones, of which it
// counts one for each peer, and those that were reported.
func calls(now int64, r *score.Record) int {
	n := 0
	for _, s := range r.Peers {
		if now-s.At < day {
			n++
		}
	}
	for i := range r.Events {
		if now-r.Events[i].At < day {
			n++
		}
	}
	return n
}

// Moves sums up a matrix: how many records there are, and how many go to a harder or milder band.
func (m Matrix) Moves() (records, harder, milder int) {
	for from, row := range m {
		for to, n := range row {
			records += n
			switch {
			case to > from:
				harder += n
			case to < from:
				milder += n
			}
		}
	}
	return records, harder, milder
}

// Count is a number as people are told it: "few" stands for one that is above 0 and below a floor.
type Count struct{ N, Floor int }

// Few returns n as told to people, by the floor for records.
func Few(n int) Count { return Count{n, FewRecords} }

// String says the number in words.
func (c Count) String() string {
	if c.hidden() {
		return "fewer than " + strconv.Itoa(c.Floor)
	}
	return strconv.Itoa(c.N)
}

func (c Count) hidden() bool { return c.N > 0 && c.N < c.Floor }

// MarshalJSON fits json.Marshaler.
func (c Count) MarshalJSON() ([]byte, error) {
	if c.hidden() {
		return []byte(`"few"`), nil
	}
	return strconv.AppendInt(nil, int64(c.N), 10), nil
}

// PublicMatrix is a matrix as told to people.
type PublicMatrix [bands][bands]Count

// Public returns the matrix as told to people.
func (m Matrix) Public() PublicMatrix {
	var all PublicMatrix
	for i, row := range m {
		for j, n := range row {
			all[i][j] = Few(n)
		}
	}
	return all
}

// PublicPreview is a preview as told to people, in the trail too.
type PublicPreview struct {
	Bands   PublicMatrix `json:"bands"`
	Records Count        `json:"records"`
	Changed Count        `json:"changed"`
	Harder  Count        `json:"harder"`
	Milder  Count        `json:"milder"`
	Matches Count        `json:"matches"`
	Touched *float64     `json:"touched"` // share of the last day's calls; null when there were too few
}

// Public returns the preview as told to people.
func (p Preview) Public() PublicPreview {
	records, harder, milder := p.Bands.Moves()
	all := PublicPreview{
		Bands: p.Bands.Public(), Records: Few(records),
		Changed: Few(harder + milder), Harder: Few(harder), Milder: Few(milder),
		Matches: Count{p.Calls, FewCalls},
	}
	if p.Calls >= FewCalls {
		share := min(1, float64(p.Touched)/float64(p.Calls))
		all.Touched = &share
	}
	return all
}

// PublicHistogram is a histogram as told to people.
type PublicHistogram struct {
	Width   float64 `json:"width"`
	Bins    []Count `json:"bins"`
	Records Count   `json:"records"`
}

// Public returns the histogram as told to people.
func (h Histogram) Public() PublicHistogram {
	all := PublicHistogram{Width: binWidth, Records: Few(h.Records), Bins: make([]Count, binCount)}
	for i, n := range h.Bins {
		all.Bins[i] = Few(n)
	}
	return all
}
