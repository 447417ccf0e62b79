package simulate

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
)

// guestWaits is how long a guest waits for a frame.
const guestWaits = 15 * time.Second

// Guest is a visitor who does, word for word, what a caller says: what a crowd does not do, such as
// private rooms and questions about its own device. It is used by one goroutine.
type Guest struct {
	conn     *socket
	c, heard uint64
	secret   func(kind, text string)
}

// Fields are a frame of the server, with its fields.
type Fields map[string]any

// Text returns a field of text; empty when there is none.
func (f Fields) Text(name string) string {
	text, _ := f[name].(string)
	return text
}

// Enter lets the n-th guest of a run come in at a target, from an address of its own as a proxy would
// say it, and with a browser and a device of its own. secret is told what nobody else may learn.
func Enter(ctx context.Context, t Target, run string, n int, secret func(kind, text string)) (*Guest, error) {
	d := newDoor(run, "", true, false)
	conn, err := d.dial(ctx, t, n)
	if err != nil {
		return nil, fmt.Errorf("guest %d: %w", n, err)
	}
	g, who := &Guest{conn: conn, secret: secret}, deviceOf(run, fmt.Sprint("guest ", n))
	secret("address", d.address(n))
	secret("browser", d.agent(n))
	secret("device", who.token)
	secret("digest", who.digest)
	conn.write(hello("", 0, who))
	_, err = g.Await("welcome")
	return g, err
}

// Leave ends the socket.
func (g *Guest) Leave() { g.conn.hangUp() }

// Say sends a frame of a kind with its fields.
func (g *Guest) Say(kind string, fields Fields) error {
	rest, err := json.Marshal(fields, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	o := outgoing{kind: kind}
	if len(fields) > 0 {
		o.rest = "," + string(rest[1:len(rest)-1])
	}
	g.c++
	g.conn.write(o.stamp(g.c, g.heard))
	return nil
}

// Await returns the next frame of one of some kinds. Others are passed over, an error ends it.
func (g *Guest) Await(kinds ...string) (Fields, error) {
	for {
		b, err := g.conn.next(guestWaits)
		if err != nil {
			return nil, fmt.Errorf("waiting for %v: %w", kinds, err)
		}
		var f Fields
		if err := json.Unmarshal(b, &f); err != nil {
			return nil, fmt.Errorf("waiting for %v: %w", kinds, err)
		}
		if n, is := f["n"].(float64); is {
			g.heard = uint64(n)
		}
		g.tell(f)
		for _, k := range kinds {
			if f.Text("t") == k {
				return f, nil
			}
		}
		switch f.Text("t") {
		case "ping":
			g.conn.write(pong())
		case "error":
			return nil, fmt.Errorf("waiting for %v: %s: %s", kinds, f.Text("code"), f.Text("text"))
		}
	}
}

// tell passes on what a frame says in confidence.
func (g *Guest) tell(f Fields) {
	for field, kind := range map[string]string{
		"token": "session", "age": "age ticket", "place": "place", "handle": "handle", "avoid": "avoid token", "pass": "pass",
	} {
		if text := f.Text(field); text != "" {
			g.secret(kind, text)
		}
	}
	if f.Text("t") == "review" {
		g.secret("review code", f.Text("code"))
	}
	relays, _ := f["ice"].(map[string]any)
	servers, _ := relays["servers"].([]any)
	for _, s := range servers {
		server, _ := s.(map[string]any)
		g.secret("relay user", Fields(server).Text("username"))
		g.secret("relay credential", Fields(server).Text("credential"))
	}
}

// Find searches in a language until somebody is there, and works for it where that is wanted.
func (g *Guest) Find(ctx context.Context, language string) (Fields, error) {
	find := Fields{
		"languages": []string{language}, "interests": []string{}, "widen": true, "avoid": []string{}, "place": "", "proof": "",
	}
	if err := g.Say("find", find); err != nil {
		return nil, err
	}
	for {
		f, err := g.Await("puzzle", "matched", "connected")
		if err != nil {
			return nil, err
		}
		switch f.Text("t") {
		case "puzzle":
			bits, _ := f["bits"].(float64)
			find["proof"] = Work{Challenge: f.Text("challenge"), Bits: int(bits)}.solve(ctx)
			err = g.Say("find", find)
		case "matched":
			err = g.Say("confirm", Fields{"match": f.Text("match")})
		case "connected":
			return f, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
