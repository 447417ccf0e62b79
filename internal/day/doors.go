package day

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// request is one that a browser or a script sends.
type request struct {
	method, url string
	header      map[string]string
	body        string
	want        int // the status; 0 for any
}

// mostAnswer is how much of an answer is kept.
const mostAnswer = 4 << 20

// ask sends a request and keeps the answer, with its headers, under a name.
func (v *visitors) ask(ctx context.Context, name string, q request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, q.method, q.url, strings.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	for k, value := range q.header {
		r.Header.Set(k, value)
	}
	answer, err := http.DefaultTransport.RoundTrip(r) // no redirects: each answer is looked at
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer func() { _ = answer.Body.Close() }() // read to its end or of no use
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if q.want != 0 && answer.StatusCode != q.want {
		return nil, fmt.Errorf("%s: it answered %s: %.200s", name, answer.Status, body)
	}
	var head bytes.Buffer
	if err := answer.Header.Write(&head); err != nil {
		return nil, err
	}
	v.pages[name] = append(head.Bytes(), body...)
	v.did("requests")
	return body, nil
}

// doors: visitors who open pages, good and wrong ones, and say things that must not come back nor be
// written down.
func (v *visitors) doors(ctx context.Context, n int) error {
	page := strings.TrimSuffix(v.cfg.Target.Page.String(), "/")
	address := fmt.Sprintf("198.51.%d.%d", 100+n/250%150, 1+n%250)
	agent, phrase, referrer := "Doorbell/2.0 "+rand.Text(), "a phrase in a query "+rand.Text(), "https://nosy.example/"+rand.Text()
	for kind, text := range map[string]string{"address": address, "browser": agent, "phrase": phrase, "referrer": referrer} {
		v.canaries.Plant(kind, text)
	}
	with := map[string]string{"X-Forwarded-For": address, "User-Agent": agent, "Referer": referrer, "Cookie": "who=" + agent}
	query := "?phrase=" + strings.ReplaceAll(phrase, " ", "+")
	for _, q := range []request{
		{http.MethodGet, page + "/" + query, with, "", http.StatusOK},
		{http.MethodGet, page + "/privacy" + query, with, "", http.StatusOK},
		{http.MethodGet, page + "/privacy/now", with, "", 0},
		{http.MethodGet, page + "/privacy/processors", with, "", 0},
		{http.MethodGet, page + "/integrity", with, "", 0},
		{http.MethodGet, page + "/check", with, "", 0},
		{http.MethodGet, page + "/catalogue.json", with, "", http.StatusOK},
		{http.MethodGet, page + "/" + strings.ReplaceAll(phrase, " ", "%20"), with, "", http.StatusNotFound},
		{http.MethodPost, page + "/" + query, with, phrase, 0},
		{http.MethodGet, page + "/ws" + query, with, "", http.StatusUpgradeRequired},
	} {
		name := q.method + " " + strings.Replace(strings.TrimPrefix(q.url, page), query, "", 1)
		if strings.Contains(name, "%20") {
			name = "GET nowhere"
		}
		if _, err := v.ask(ctx, name, q); err != nil {
			return err
		}
	}
	return v.foreign(ctx, page, with)
}

// foreign asks for a socket as the page of another site does, and as no browser would.
func (v *visitors) foreign(ctx context.Context, page string, with map[string]string) error {
	socket := map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "parley.v1",
	}
	maps.Copy(socket, with)
	socket["Origin"] = "https://" + strings.ToLower(rand.Text()) + ".example"
	v.canaries.Plant("origin", socket["Origin"])
	if _, err := v.ask(ctx, "socket for another site", request{http.MethodGet, page + "/ws", socket, "", http.StatusForbidden}); err != nil {
		return err
	}
	socket["Origin"], socket["Sec-WebSocket-Protocol"] = page, "parley.v0"
	_, err := v.ask(ctx, "socket of another protocol", request{http.MethodGet, page + "/ws", socket, "", http.StatusBadRequest})
	return err
}

// guesses is in how many rounds somebody tries a wrong token: one address may not do so often.
const guesses = 4

// wrongToken: somebody guesses a token, in the first rounds.
func (v *visitors) wrongToken(ctx context.Context, round int) error {
	if round >= guesses {
		return nil
	}
	guess := rand.Text()
	v.canaries.Plant("guessed token", guess)
	_, err := v.order(ctx, "overview", guess, nil, http.StatusUnauthorized)
	return err
}

// console: an operator looks at everything, previews and sets a policy, answers a review, looks for a
// brigade and takes it back, pauses matching for a moment; and somebody may guess a token.
func (v *visitors) console(ctx context.Context, round int) error {
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/console/", "/nowhere"} {
		if _, err := v.ask(ctx, "operators' "+path, request{http.MethodGet, v.cfg.Operator + path, nil, "", 0}); err != nil {
			return err
		}
	}
	if v.cfg.Token == "" {
		return nil
	}
	v.canaries.Plant("operator token", v.cfg.Token)
	if err := v.wrongToken(ctx, round); err != nil {
		return err
	}
	var overview struct {
		Holding struct {
			Revision int64 `json:"revision"`
		} `json:"holding"`
	}
	if err := v.told(ctx, "overview", nil, &overview); err != nil {
		return err
	}
	now := time.Now()
	span := map[string]any{"from": now.Add(-24 * time.Hour), "to": now.Add(time.Hour)}
	var networks struct {
		Networks []struct {
			Name string `json:"name"`
		} `json:"networks"`
	}
	draft := map[string]any{"hysteresis": 0.02}
	for _, o := range []struct {
		path string
		body any
		into any
	}{
		{"history", nil, nil},
		{"reviews", nil, nil},
		{"preview", map[string]any{"policy": draft}, nil},
		{"policy", map[string]any{"policy": draft, "revision": overview.Holding.Revision, "reason": "a quiet day"}, nil},
		{"networks", span, &networks},
		{"pause", map[string]any{"paused": true, "reason": "a look at the relay"}, nil},
		{"pause", map[string]any{"paused": false, "reason": "it is well"}, nil},
	} {
		if err := v.told(ctx, o.path, o.body, o.into); err != nil {
			return err
		}
	}
	if len(networks.Networks) > 0 {
		span["network"] = networks.Networks[0].Name
		if err := errors.Join(v.told(ctx, "void/preview", span, nil)); err != nil {
			return err
		}
		span["reason"] = "they came together"
		if err := v.told(ctx, "void", span, nil); err != nil {
			return err
		}
	}
	return v.reviews(ctx)
}

// reviews answers those that wait.
func (v *visitors) reviews(ctx context.Context) error {
	for _, code := range v.codes {
		var found struct {
			ID string `json:"id"`
		}
		if err := v.told(ctx, "review/find", map[string]any{"code": code}, &found); err != nil {
			return err
		}
		answer := map[string]any{"id": found.ID, "verdict": "kept", "reason": "it stands"}
		if err := v.told(ctx, "review/answer", answer, nil); err != nil {
			return err
		}
	}
	v.codes = nil
	return nil
}

// told orders something and reads the answer.
func (v *visitors) told(ctx context.Context, path string, body, into any) error {
	answer, err := v.order(ctx, path, v.cfg.Token, body, http.StatusOK)
	if err != nil || into == nil {
		return err
	}
	v.did("console " + path)
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("console %s: %w", path, err)
	}
	return nil
}

// order sends a request of the console's page.
func (v *visitors) order(ctx context.Context, path, token string, body any, want int) ([]byte, error) {
	q := request{http.MethodGet, v.cfg.Operator + "/console/api/" + path, map[string]string{"Authorization": "Bearer " + token, "X-Parley-Console": "1"}, "", want}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		q.method, q.body, q.header["Content-Type"] = http.MethodPost, string(text), "application/json"
	}
	name := "console " + path
	if want != http.StatusOK {
		name += ", refused"
	}
	return v.ask(ctx, name, q)
}
