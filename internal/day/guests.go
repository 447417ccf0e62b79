package day

import (
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"

	"parley/internal/envelope"
	"parley/internal/simulate"
)

// visitors are all but the crowd.
type visitors struct {
	cfg      Config
	canaries *Canaries
	run      string
	acts     map[string]int
	pages    map[string][]byte
	codes    []string // of reviews that wait for an operator
}

// did counts what was done.
func (v *visitors) did(acts ...string) {
	for _, act := range acts {
		v.acts[act]++
	}
}

// all lets the guests come, and then the operators and those at the wrong door.
func (v *visitors) all(ctx context.Context) error {
	for round := range v.cfg.Rounds {
		n := firstGuest + 6*round
		for _, play := range []struct {
			what string
			with func(context.Context, int) error
		}{{"strangers", v.strangers}, {"a link", v.link}, {"a channel", v.channel}, {"doors", v.doors}, {"console", func(ctx context.Context, _ int) error { return v.console(ctx, round) }}} {
			if err := play.with(ctx, n); err != nil {
				return fmt.Errorf("%s, round %d: %w", play.what, round, err)
			}
			n += 2
		}
	}
	return nil
}

// two lets two guests in.
func (v *visitors) two(ctx context.Context, n int) (a, b *simulate.Guest, err error) {
	if a, err = simulate.Enter(ctx, v.cfg.Target, v.run, n, v.canaries.Plant); err != nil {
		return nil, nil, err
	}
	if b, err = simulate.Enter(ctx, v.cfg.Target, v.run, n+1, v.canaries.Plant); err != nil {
		a.Leave()
		return nil, nil, err
	}
	return a, b, nil
}

// strangers meet, say something in sealed envelopes, and part badly: one reports and blocks the other,
// who asks what is stored, wants it reviewed, and in every other round erases it.
func (v *visitors) strangers(ctx context.Context, n int) error {
	a, b, err := v.two(ctx, n)
	if err != nil {
		return err
	}
	defer a.Leave()
	defer b.Leave()
	tongue := tongues()[n/6%len(tongues())]
	met := make(chan simulate.Fields, 1)
	failed := make(chan error, 1)
	go func() { // read below, whatever comes of it
		f, err := b.Find(ctx, tongue)
		met <- f
		failed <- err
	}()
	mine, err := a.Find(ctx, tongue)
	theirs, other := <-met, <-failed
	if err != nil || other != nil {
		return fmt.Errorf("find: %w", firstOf(err, other))
	}
	if err := v.seal(a, b, mine, theirs); err != nil {
		return err
	}
	b2 := []act{
		{b, "report", simulate.Fields{"handle": theirs.Text("handle"), "reason": "hate"}, "reported"},
		{b, "block", simulate.Fields{"handle": theirs.Text("handle")}, "blocked"},
		{b, "relays", nil, "relays"},
		{b, "leave", nil, "ended"},
		{a, "standing", nil, "standing"},
		{a, "review", nil, "review"},
	}
	answers, err := v.perform(b2)
	if err != nil {
		return err
	}
	code := answers[len(answers)-1].Text("code")
	if _, err := v.perform([]act{{a, "answer", simulate.Fields{"code": code}, "answer"}}); err != nil {
		return err
	}
	if n/6%2 == 0 {
		v.codes = append(v.codes, code)
		return nil
	}
	_, err = v.perform([]act{{a, "erase", nil, "erased"}})
	return err
}

func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// act is one frame of a guest and the answer that it waits for.
type act struct {
	who    *simulate.Guest
	says   string
	fields simulate.Fields
	hears  string
}

// perform does one thing after the other.
func (v *visitors) perform(all []act) (answers []simulate.Fields, err error) {
	for _, a := range all {
		if err := a.who.Say(a.says, a.fields); err != nil {
			return nil, err
		}
		f, err := a.who.Await(a.hears)
		if err != nil {
			return nil, err
		}
		v.did(a.says)
		answers = append(answers, f)
	}
	return answers, nil
}

// seal has two guests in one room exchange keys, and a text in a sealed envelope.
func (v *visitors) seal(a, b *simulate.Guest, mine, theirs simulate.Fields) error {
	room, me, peer := mine.Text("room"), mine.Text("me"), theirs.Text("me")
	one, err := sealed(room, me, peer)
	if err != nil {
		return err
	}
	two, err := sealed(room, peer, me)
	if err != nil {
		return err
	}
	pass := func(from, to *simulate.Guest, whom string, seq uint64, box string) (string, error) {
		v.canaries.Plant("envelope", box)
		fields := simulate.Fields{"to": whom, "seq": seq, "box": box}
		if err := from.Say("relay", fields); err != nil {
			return "", err
		}
		f, err := to.Await("relay")
		return f.Text("box"), err
	}
	seq, box := one.Hello()
	heard, err := pass(a, b, peer, seq, box)
	if err != nil {
		return err
	}
	if _, err := two.Open(seq, heard); err != nil {
		return err
	}
	if seq, box = two.Hello(); !two.Ready() {
		return fmt.Errorf("no key: %q", heard)
	}
	if heard, err = pass(b, a, me, seq, box); err != nil {
		return err
	}
	if _, err := one.Open(seq, heard); err != nil {
		return err
	}
	said := "I tell you my name: " + rand.Text()
	v.canaries.Plant("text", said)
	if seq, box, err = one.Seal(said); err != nil {
		return err
	}
	if heard, err = pass(a, b, peer, seq, box); err != nil {
		return err
	}
	if got, err := two.Open(seq, heard); err != nil || got != said {
		return fmt.Errorf("the text did not come: %q, %w", got, err)
	}
	v.did("texts")
	return nil
}

// sealed begins a sealed conversation.
func sealed(room, me, peer string) (*envelope.Seal, error) {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails (crypto/rand)
	return envelope.New(room, me, peer, secret)
}

// tagOf is what the page makes of a phrase or of the number of a channel.
func tagOf(secret, kind string) (string, error) {
	tag, err := hkdf.Key(sha256.New, []byte(secret), []byte("parley/"+kind+"/v1"), "tag", 32)
	return base64.RawURLEncoding.EncodeToString(tag), err
}

// link: one makes a one-time link, the other knocks and is let in.
func (v *visitors) link(ctx context.Context, n int) error {
	a, b, err := v.two(ctx, n)
	if err != nil {
		return err
	}
	defer a.Leave()
	defer b.Leave()
	phrase := fmt.Sprint("seven words that nobody guesses ", rand.Text())
	tag, err := tagOf(phrase, "link")
	if err != nil {
		return err
	}
	v.canaries.Plant("phrase", phrase)
	v.canaries.Plant("room tag", tag)
	mine, err := v.perform([]act{
		{a, "make", simulate.Fields{"tag": tag, "capacity": 2, "knock": true}, "joined"},
		{b, "enter", simulate.Fields{"kind": "link", "tag": tag}, "knocking"},
	})
	if err != nil {
		return err
	}
	knock, err := a.Await("knock")
	if err != nil {
		return err
	}
	if _, err = v.perform([]act{{a, "admit", simulate.Fields{"member": knock.Text("member"), "yes": true}, "member"}}); err != nil {
		return err
	}
	theirs, err := b.Await("joined")
	if err != nil {
		return err
	}
	if err := v.seal(a, b, mine[0], theirs); err != nil {
		return err
	}
	_, err = v.perform([]act{{a, "leave", nil, "ended"}, {b, "leave", nil, "ended"}})
	return err
}

// channel: two come to the same one. The password never leaves the page: CPace goes in the envelopes.
func (v *visitors) channel(ctx context.Context, n int) error {
	a, b, err := v.two(ctx, n)
	if err != nil {
		return err
	}
	defer a.Leave()
	defer b.Leave()
	number := 1 + n%1000
	tag, err := tagOf(strconv.Itoa((number-1)%250), "channel")
	if err != nil {
		return err
	}
	v.canaries.Plant("channel", strconv.Itoa(number)) // the hashes of it
	v.canaries.Plant("password", fmt.Sprint("pass word ", rand.Text()))
	v.canaries.Plant("room tag", tag)
	both, err := v.perform([]act{
		{a, "enter", simulate.Fields{"kind": "channel", "tag": tag}, "joined"},
		{b, "enter", simulate.Fields{"kind": "channel", "tag": tag}, "joined"},
	})
	if err != nil {
		return err
	}
	if err := v.seal(a, b, both[0], both[1]); err != nil {
		return err
	}
	_, err = v.perform([]act{{a, "leave", nil, "ended"}, {b, "leave", nil, "ended"}})
	return err
}
