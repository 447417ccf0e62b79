package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// route is one line of the table of what browsers may ask for.
type route struct {
	path  string
	serve http.HandlerFunc
}

// routes is the whole table, without /ws: see [Server.Public].
func (s *Server) routes() []route {
	all := []route{
		{"/", s.site.index.ServeHTTP},
		{"/room", s.site.index.ServeHTTP}, // where a link leads; its words are behind the # and never come here
		{"/a/:hash/*", s.asset},
		{"/catalogue.json", s.serveCatalogue},
		{"/privacy", s.privacy.ServeHTTP},
		{"/privacy/now", s.serveNow},
		{"/privacy/processors", s.serveProcessors},
		{"/privacy/processors.atom", s.feed.ServeHTTP},
		{"/integrity", s.integrity.ServeHTTP},
		{"/integrity.txt", s.sums.ServeHTTP},
		{"/404", s.missingHere},
	}
	if s.relay != nil {
		all = append(all, route{"/check", s.check.ServeHTTP}, route{"/check.json", s.try})
	}
	return all
}

// Public returns what browsers see. The socket is not a route of the framework, so that nothing
// wraps a connection that is taken over and lives for hours.
func (s *Server) Public() http.Handler {
	e := echo.New()
	e.IPExtractor = s.address // explicit: the default believes any X-Forwarded-For
	e.SchemeExtractor = func(*http.Request) string { return "http" }
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.refuse
	e.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			guard(c.Response().Header())
			return next(c)
		}
	})
	for _, r := range s.routes() {
		e.Match([]string{http.MethodGet, http.MethodHead}, r.path, echo.WrapHandler(r.serve))
	}
	return s.below(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ws" {
			s.enter(w, r)
			return
		}
		e.ServeHTTP(w, r)
	}))
}

// below serves all below the base path. The page's own addresses are relative, so that it works
// there as it does at the root.
func (s *Server) below(all http.Handler) http.Handler {
	if s.site.base == "" {
		return all
	}
	inside := http.StripPrefix(s.site.base, all)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == s.site.base: // relative addresses would lead beside it
			guard(w.Header())
			w.Header().Set("Cache-Control", never)
			http.Redirect(w, r, s.site.base+"/", http.StatusSeeOther)
		case strings.HasPrefix(r.URL.Path, s.site.base+"/"):
			inside.ServeHTTP(w, r)
		default:
			guard(w.Header())
			s.missing.answer(w, r, http.StatusNotFound)
		}
	})
}

// asset serves a file of the page. The name is looked up in a map, so that no path leads out.
func (s *Server) asset(w http.ResponseWriter, r *http.Request) {
	const prefix = "/a/"
	name := r.URL.Path[len(prefix):]
	if len(name) > len(s.site.hash) && name[:len(s.site.hash)+1] == s.site.hash+"/" {
		if f, ok := s.site.files[name[len(s.site.hash)+1:]]; ok {
			f.ServeHTTP(w, r)
			return
		}
	}
	plain(w, http.StatusNotFound)
}

// refuse answers what no route serves.
func (s *Server) refuse(err error, c echo.Context) {
	code := http.StatusInternalServerError
	if known, ok := errors.AsType[*echo.HTTPError](err); ok {
		code = known.Code
	} else {
		s.log.LogAttrs(c.Request().Context(), slog.LevelError, "request failed", slog.Any("error", err))
	}
	switch {
	case c.Response().Committed:
	case code == http.StatusNotFound:
		s.missing.answer(c.Response(), c.Request(), code)
	default:
		plain(c.Response(), code)
	}
}

// plain answers with the status as one line of text.
func plain(w http.ResponseWriter, code int) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", never)
	w.WriteHeader(code)
	fmt.Fprintln(w, http.StatusText(code))
}

// enter lets a browser through to signaling if the limits allow it.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) {
	guard(w.Header())
	address := s.address(r)
	why, wait := s.limit.admit(address, time.Now())
	if why == admitted {
		c := &counted{ResponseWriter: w, release: sync.OnceFunc(func() { s.limit.release(address) })}
		s.socket.ServeHTTP(c, s.strip(r, address))
		if !c.taken {
			c.release()
		}
		return
	}
	s.turnAway(w, r, why, wait)
}

// turnAway tells a browser that the limits do not let it in.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, why refusal, wait time.Duration) {
	code, says := http.StatusTooManyRequests, "Too many connections from your address: try again later."
	if why == houseFull {
		code, says = http.StatusServiceUnavailable, "This server is full: try again later."
	}
	s.log.LogAttrs(r.Context(), slog.LevelDebug, "socket refused", slog.Int("status", code))
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	http.Error(w, says, code)
}

// answer writes v as JSON, for the operator's listener.
func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", never)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // a reader that went away is nobody's fault
}
