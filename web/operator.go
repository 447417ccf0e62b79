package web

import (
	"context"
	"net/http"
	"time"
)

// readyWithin is how long the store may take to accept a write before the node counts as not ready.
const readyWithin = time.Second

// health is what /healthz and /readyz answer.
type health struct {
	OK      bool   `json:"ok"`
	Says    string `json:"says"`    // why not, or "ready"
	Sockets int    `json:"sockets"` // open on this node
}

// Operator returns what the second listener serves: whether the process lives, and whether it
// should be sent new visitors; how it does, in numbers; and the console.
func (s *Server) Operator() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, health{OK: true, Says: "alive", Sockets: s.limit.open()})
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		h := health{OK: true, Says: "ready", Sockets: s.limit.open()}
		code := http.StatusOK
		if why := s.unready(r.Context()); why != "" {
			h.OK, h.Says, code = false, why, http.StatusServiceUnavailable
		}
		answer(w, code, h)
	})
	if s.metrics != nil {
		mux.Handle("GET /metrics", s.metrics)
	}
	if s.console != nil {
		s.console.serve(mux)
	}
	return mux
}

// unready says why new visitors should go elsewhere, "" if they should not.
func (s *Server) unready(ctx context.Context) string {
	if s.draining.Load() {
		return "draining: this node stops"
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	if err := s.ready(ctx); err != nil {
		return "the store does not accept writes"
	}
	return ""
}
