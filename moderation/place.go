package moderation

import (
	"strconv"
	"time"

	"parley/internal/keyring"
	"parley/moderation/score"
)

// kind tells the record of a token from that of a digest.
type kind byte

const (
	ofToken  kind = 't'
	ofDigest kind = 'd'
	// givenUp tells that there is no record of a token but the mark that erasing it left.
	givenUp kind = 'g'
)

func (k kind) purpose() string { return "device " + string(rune(k)) }

// place is where the record of one token or digest lies while one epoch lasts.
type place struct {
	kind kind
	week int64
	mark string // the keyed hash that names it
}

// person is a device with all the names that it may have in Redis now.
type person struct {
	Device
	live             keyring.Live
	places           []place // token and digest by turns, the newest epoch first
	aside            []place // of its digest, which has a say only if its token was given up
	today, yesterday string  // marks of its windows
}

// known gives a device its names at now.
func (d *Desk) known(live keyring.Live, dev Device, now time.Time) person {
	if d.tokenOnly {
		dev.Digest = ""
	}
	p := person{Device: dev, live: live, places: make([]place, 0, 2*len(live))}
	for _, e := range live {
		p.places = append(p.places, place{ofToken, e.Week, e.Name(ofToken.purpose(), dev.Token)})
		if dev.Digest != "" {
			p.places = append(p.places, place{ofDigest, e.Week, e.Name(ofDigest.purpose(), dev.Digest)})
		}
	}
	p.today, p.yesterday = p.windowOf(now), p.windowOf(now.Add(-24*time.Hour))
	return p
}

// placesOf returns where the record of one token or digest may lie, the newest epoch first.
func placesOf(live keyring.Live, k kind, name string) []place {
	all := make([]place, len(live))
	for i, e := range live {
		all[i] = place{k, e.Week, e.Name(k.purpose(), name)}
	}
	return all
}

// markOf is the mark of its token or digest under the key of a week; "" where there is none.
func (p *person) markOf(k kind, week int64) string {
	for _, at := range p.places {
		if at.kind == k && at.week == week {
			return at.mark
		}
	}
	return ""
}

// at returns one of its places, those aside after the others.
func (p *person) at(n int) place {
	if n < len(p.places) {
		return p.places[n]
	}
	return p.aside[n-len(p.places)]
}

// windowOf names the window that began on the day of t, under a key of that day.
func (p *person) windowOf(t time.Time) string {
	epoch, there := p.live.Current(t)
	if !there {
		epoch = p.live[len(p.live)-1]
	}
	day := keyring.DayOf(t)
	return epoch.Name("window "+strconv.FormatInt(day, 10), p.Token)
}

// name returns the token or the digest.
func (p *person) name(k kind) string {
	if k == ofDigest {
		return p.Digest
	}
	return p.Token
}

// id cuts a mark to the length in which records keep it.
func id(mark []byte) score.ID { return score.ID(mark[:8]) }

// alias returns the pseudonyms of a reporter for whoever is reported, and of its network. The
// former is of both together, so that nobody sees who reported several.
func alias(e keyring.Epoch, k kind, target *person, reporter Device) score.Alias {
	a := score.Alias{Pair: id(e.Mark("pair", string(rune(k)), target.name(k), reporter.Token))}
	if reporter.Net != "" {
		a.Net = id(e.Mark("net", reporter.Net))
	}
	return a
}

// aliases returns those under week first, then those under all other live keys.
func aliases(week int64, k kind, target *person, reporter Device) (now score.Alias, older []score.Alias) {
	for _, e := range target.live {
		if a := alias(e, k, target, reporter); e.Week == week {
			now = a
		} else {
			older = append(older, a)
		}
	}
	return now, older
}

// seenAs returns the pseudonym of somebody that a record of p remembers, in the same way.
func (p *person) seenAs(week int64, k kind, who string) (now score.ID, older []score.ID) {
	for _, e := range p.live {
		if i := id(e.Mark("seen", string(rune(k)), p.name(k), who)); e.Week == week {
			now = i
		} else {
			older = append(older, i)
		}
	}
	return now, older
}
