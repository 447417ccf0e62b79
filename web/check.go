package web

import (
	"encoding/json"
	"net/http"
	"time"
)

// Relay is what a browser needs to try the relay: the fields of an RTCIceServer.
type Relay struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// newCheck makes the page on which a visitor's browser tries every way to the relay. Its modules,
// below app/check, are loaded on it alone.
func newCheck(s *site) (*file, error) { return s.still("check.html", "") }

// try gives a visitor what the check needs, for each way a credential of its own: several addresses
// of a browser would use up one. It counts like a socket that is opened, so that nobody collects
// credentials faster than by calling.
func (s *Server) try(w http.ResponseWriter, r *http.Request) {
	address := s.address(r)
	why, wait := s.limit.admit(address, time.Now())
	if why != admitted {
		s.turnAway(w, r, why, wait)
		return
	}
	s.limit.release(address)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", never)
	_ = json.NewEncoder(w).Encode([]Relay{s.relay(), s.relay(), s.relay()}) // a reader that went away is nobody's fault
}
