package web

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"parley/matcher"
	"parley/moderation/office"
)

//go:embed console
var consoleFiles embed.FS

// Console is what the operators' console needs.
type Console struct {
	Office *office.Office
	Tokens *office.Tokens
	// Queues lists the queues in which somebody waits or waited lately.
	Queues func(context.Context) ([]matcher.Line, error)
}

// console serves the pages of the operators, below /console/ on their listener.
type console struct {
	office  *office.Office
	tokens  *office.Tokens
	queues  func(context.Context) ([]matcher.Line, error)
	site    *site
	guesses *guesses
	address echo.IPExtractor
	log     *slog.Logger
}

func newConsole(cfg Config) (*console, error) {
	tree, err := fs.Sub(consoleFiles, "console")
	if err != nil {
		return nil, err
	}
	files, err := readTree(tree)
	if err != nil {
		return nil, err
	}
	site, err := newSite(files, nil)
	if err != nil {
		return nil, err
	}
	return &console{
		office: cfg.Console.Office, tokens: cfg.Console.Tokens, queues: cfg.Console.Queues,
		site: site, guesses: newGuesses(), address: addressOf(cfg.Proxies), log: cfg.Log,
	}, nil
}

// consoleHeader is what the console's own pages send with each request, and what no form and no link
// of another page can send.
const consoleHeader = "X-Parley-Console"

// call is one question of the console: who asks, and when.
type call struct {
	who  string
	when time.Time
	r    *http.Request
	w    http.ResponseWriter
}

// order is what the call orders, for a reason.
func (c call) order(reason string) office.Order {
	return office.Order{Who: c.who, When: c.when, Reason: reason}
}

// serve adds the console to the operators' listener.
func (c *console) serve(mux *http.ServeMux) {
	mux.HandleFunc("GET /console", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "console/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /console/{$}", c.guarded(c.site.index.ServeHTTP))
	mux.HandleFunc("GET /console/a/{hash}/{name}", c.guarded(c.asset))
	for _, q := range c.questions() {
		mux.HandleFunc(q.method+" /console/api/"+q.path, c.guarded(c.ask(q)))
	}
}

// guarded sets the headers of every answer. Nothing of the console may be shown inside another page.
func (c *console) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		guard(w.Header())
		w.Header().Set("Content-Security-Policy", consolePolicy)
		w.Header().Set("Permissions-Policy", "microphone=(), camera=(), geolocation=(), display-capture=(), browsing-topics=()")
		w.Header().Set("X-Frame-Options", "DENY")
		next(w, r)
	}
}

// consolePolicy lets the console load its own files and nothing else.
const consolePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

func (c *console) asset(w http.ResponseWriter, r *http.Request) {
	if f, ok := c.site.files[r.PathValue("name")]; ok && r.PathValue("hash") == c.site.hash {
		f.ServeHTTP(w, r)
		return
	}
	plain(w, http.StatusNotFound)
}

// maxQuestion is how long a question may be.
const maxQuestion = 64 << 10

// consoleTime is how long one question may take. A preview reads every record.
const consoleTime = 25 * time.Second

// ask lets a question through that comes from our own page and from somebody with a token.
func (c *console) ask(q question) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		if says := foreign(r); says != "" {
			answer(w, http.StatusForbidden, refused{Error: says})
			return
		}
		who, code, err := c.who(w, r, now)
		if err != nil {
			answer(w, code, refused{Error: err.Error()})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), consoleTime)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, maxQuestion)
		v, err := q.answer(call{who, now, r, w})
		if err != nil {
			c.refuse(w, r, err)
			return
		}
		answer(w, http.StatusOK, v)
	}
}

// foreign says why a request cannot come from the console's own page; "" if it may. A browser tells
// where a request comes from; what is no browser has no operator's session to abuse.
func foreign(r *http.Request) string {
	const says = "this request does not come from the console"
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return says
	}
	for _, origin := range r.Header.Values("Origin") {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
			return says
		}
	}
	if r.Header.Get(consoleHeader) != "1" {
		return says + ": it lacks the header " + consoleHeader
	}
	if kind := r.Header.Get("Content-Type"); r.Method == http.MethodPost && kind != "application/json" {
		return says + ": it is not JSON"
	}
	return ""
}

// errGuesses says that somebody at this address has tried too many tokens.
var errGuesses = errors.New("too many wrong tokens came from your address: try again later")

// who returns the name behind the token of a request, or the status of the refusal. Whoever has tried
// too many is not even looked at, so that a right one among them is not learnt.
func (c *console) who(w http.ResponseWriter, r *http.Request, now time.Time) (string, int, error) {
	address := c.address(r)
	mark, wait := c.guesses.take(address, now)
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		return "", http.StatusTooManyRequests, errGuesses
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		token = ""
	}
	who, err := c.tokens.Who(token)
	switch {
	case errors.Is(err, office.ErrNoTokens):
		c.guesses.give(address, mark)
		return "", http.StatusServiceUnavailable, err
	case errors.Is(err, office.ErrToken):
		c.log.LogAttrs(r.Context(), slog.LevelWarn, "a wrong token was tried at the console")
		w.Header().Set("WWW-Authenticate", "Bearer")
		return "", http.StatusUnauthorized, err
	case err != nil:
		c.guesses.give(address, mark)
		c.log.LogAttrs(r.Context(), slog.LevelError, "the tokens of the console cannot be read", slog.Any("error", err))
		return "", http.StatusServiceUnavailable, errors.New("the tokens cannot be read: see the log")
	}
	c.guesses.give(address, mark)
	return who, 0, nil
}

// refused is what the console is told instead of an answer.
type refused struct {
	Error   string   `json:"error"`
	Holding *holding `json:"holding,omitempty"` // what another operator set meanwhile
}

// refuse answers an error of the office.
func (c *console) refuse(w http.ResponseWriter, r *http.Request, err error) {
	code := http.StatusInternalServerError
	for _, one := range []struct {
		is   error
		code int
	}{
		{errQuestion, http.StatusBadRequest},
		{office.ErrReason, http.StatusBadRequest},
		{office.ErrPolicy, http.StatusBadRequest},
		{office.ErrWindow, http.StatusBadRequest},
		{office.ErrNetwork, http.StatusBadRequest},
		{office.ErrCode, http.StatusNotFound},
		{office.ErrTrail, http.StatusConflict},
		{office.ErrUnavailable, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, one.is) {
			code = one.code
			break
		}
	}
	says := refused{Error: err.Error()}
	if conflict, is := errors.AsType[*office.ConflictError](err); is {
		code, says = http.StatusConflict, refused{Error: conflict.Error(), Holding: &conflict.Holding}
	}
	switch code {
	case http.StatusServiceUnavailable: // the cause is the store's, and may hold its address
		says.Error = office.ErrUnavailable.Error()
	case http.StatusInternalServerError:
		c.log.LogAttrs(r.Context(), slog.LevelError, "the console could not be answered", slog.Any("error", err))
		says.Error = "that did not work: see the log"
	}
	answer(w, code, says)
}
