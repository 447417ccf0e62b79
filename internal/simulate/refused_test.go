package simulate_test

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/internal/simulate"
)

// TestNoRun names in one sentence why nobody can come.
func TestNoRun(t *testing.T) {
	catalogue := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"languages":[{"tag":"en","name":"English"},{"tag":"es","name":"español"}],"interests":["music"]}`)
	}
	answer := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			http.Error(w, text, status)
		}
	}
	upgrade := func(protocol string, then func(*websocket.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			up := websocket.Upgrader{Subprotocols: []string{protocol}, CheckOrigin: func(*http.Request) bool { return true }}
			conn, err := up.Upgrade(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			then(conn)
		}
	}
	refuse := func(conn *websocket.Conn) {
		_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(4500, ""))
	}
	english := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"languages":[{"tag":"en","name":"E"}]}`) }
	for name, c := range map[string]struct {
		socket    http.HandlerFunc
		catalogue http.HandlerFunc
		want      string
	}{
		"no parley":        {nil, answer(404, "none"), "is not a parley: it has no catalogue of languages (404 Not Found)"},
		"another language": {nil, english, "languages: es is not in the catalogue of"},
		"foreign origin":   {answer(403, "not here"), catalogue, "give that one with --origin, or as --target (403: not here)"},
		"no protocol":      {answer(400, "reload"), catalogue, "speaks another protocol than parley.v1 (400 reload)"},
		"full":             {answer(503, "later"), catalogue, "it stops or is full; try again in 7s (503: later)"},
		"too many":         {answer(429, "slowly"), catalogue, "too many come from this address; try again in 7s"},
		"no socket":        {answer(404, ""), catalogue, "there is no socket at this address"},
		"other protocol":   {upgrade("chat", func(*websocket.Conn) {}), catalogue, "speaks another protocol than parley.v1: is it a parley?"},
		"refused hello":    {upgrade("parley.v1", refuse), catalogue, "does not answer hello as parley.v1 wants it (close code 4500)"},
	} {
		t.Run(name, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/catalogue.json", c.catalogue)
			if c.socket != nil {
				mux.HandleFunc("/ws", c.socket)
			}
			server := httptest.NewServer(mux)
			defer server.Close()
			wantNoRun(t, server.URL, c.want)
		})
	}
	wantNoRun(t, "http://127.0.0.1:1", "http://127.0.0.1:1/ cannot be reached")
}

func wantNoRun(t *testing.T, address, want string) {
	t.Helper()
	cfg := simulate.Config{Targets: target(t, address), Rate: 1, People: 1, For: time.Second, Seed: 1, Behaviour: busy()}
	_, err := simulate.Run(t.Context(), cfg, io.Discard, nil)
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "%!") {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestParseTarget(t *testing.T) {
	for v, want := range map[string]string{
		"http://localhost:8080":     "ws://localhost:8080/ws from http://localhost:8080/",
		"https://talk.example.org/": "wss://talk.example.org/ws from https://talk.example.org/",
		"ws://10.0.0.1:1/ws":        "ws://10.0.0.1:1/ws from http://10.0.0.1:1/",
		"localhost:8080":            "", "": "", "ftp://x": "", "http://a@b": "", "http://b?x": "",
	} {
		at, err := simulate.ParseTarget(v)
		if got := fmt.Sprintf("%s from %s", at.Socket, at.Page); want == "" && err == nil || want != "" && got != want {
			t.Errorf("%q: %s, %v", v, got, err)
		}
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	bad := simulate.Config{Ramp: -1, Behaviour: simulate.Behaviour{Drop: 2, Next: math.NaN()}}
	err := bad.Validate()
	for _, want := range []string{"target: ", "rate: ", "people: ", "for: ", "ramp: ", "talk: ", "patience: ", "languages: ", "drop: ", "next: "} {
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+want) {
			t.Errorf("%s is not named in: %v", want, err)
		}
	}
}

// TestLimits holds a summary to its limits.
func TestLimits(t *testing.T) {
	cfg := simulate.Config{
		Targets: target(t, startParley(t, relayless)), Rate: 30, People: 10, For: 1500 * time.Millisecond, Seed: 1, Behaviour: busy(),
		Limits: simulate.Limits{WaitP99: time.Nanosecond, HelloP99: time.Minute, ResumeP99: time.Minute, MinCalls: 100_000, MaxLost: -1},
	}
	cfg.Drop, cfg.Languages = 0, []string{"en"}
	s, err := simulate.Run(t.Context(), cfg, io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	var unmet []string
	for _, v := range s.Unmet() {
		unmet = append(unmet, v.Limit)
	}
	// Nothing was resumed, and what was never measured keeps no limit.
	if want := "max-wait-p99 max-resume-p99 min-calls"; strings.Join(unmet, " ") != want {
		t.Errorf("not kept: %v, want %s; %+v", unmet, want, s.Limits)
	}
}
