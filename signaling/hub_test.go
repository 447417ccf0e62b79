package signaling_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/signaling"
)

// TestDrainStays: a node that stops stays until its calls are over, if there is another node.
func TestDrainStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.play("testdata/transcripts/parts/apart.txt")
		var drained sync.WaitGroup
		over := make(chan struct{})
		drained.Go(func() { s.node.hub.Drain(t.Context()); close(over) })
		s.redis.Pass(20 * time.Second)
		stays := func(want bool) {
			t.Helper()
			select {
			case <-over:
				if want {
					t.Error("it did not wait for the call")
				}
			default:
				if !want {
					t.Error("it waits for nobody")
				}
			}
		}
		for _, line := range []string{"ana at 2", "ana resumes", `ana < {"t":"drain","...":"*"}`, `ana < {"t":"welcome","resumed":true,"...":"*"}`} {
			if err := s.line(line); err != nil {
				t.Fatal(line, err)
			}
		}
		s.redis.Pass(time.Minute)
		stays(true)
		if err := s.line(`bo > {"t":"leave","c":3,"a":2}`); err != nil {
			t.Fatal(err)
		}
		s.redis.Pass(2 * time.Second)
		stays(true) // somebody may be between two sockets, and has not heard that the call is over
		s.redis.Pass(2 * time.Second)
		stays(false)
		drained.Wait()
	})
}

// TestDrain: a node that stops takes nobody new, tells everybody, and closes the sockets one by one.
// Who was searching has left the queue.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		lines := func(lines ...string) {
			t.Helper()
			for _, l := range lines {
				if err := s.line(l); err != nil {
					t.Fatal(l, err)
				}
			}
		}
		s.play("testdata/transcripts/parts/pair.txt")
		lines("cy arrives", "di arrives",
			`cy > {"t":"find","c":1,"a":0,"languages":["de"],"interests":[],"widen":true,"avoid":[],"place":""}`,
			`cy < {"t":"queued","...":"*"}`)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var drained sync.WaitGroup
		drained.Go(func() { s.node.hub.Drain(ctx) })
		for _, name := range []string{"ana", "bo", "cy", "di"} {
			lines(name + ` < {"t":"drain","within_ms":"*"}`)
		}
		di := s.browser("di")
		if _, err := di.end(); err != nil { // it may be the first to be closed
			lines(`di > {"t":"find","c":1,"a":0,"languages":["en"],"interests":[],"widen":true,"avoid":[],"place":""}`,
				`di < {"t":"error","of":1,"code":"unavailable","...":"*"}`)
		}
		if err := s.browser("ed").open(dialing{origin, "parley.v1"}); err == nil {
			t.Error("a node that stops took a new socket")
		}
		if b := s.browser("ed"); b.status != http.StatusServiceUnavailable {
			t.Errorf("status %d", b.status)
		}
		s.redis.Pass(20 * time.Second)
		drained.Wait()
		for _, name := range []string{"ana", "bo", "cy", "di"} {
			lines(name + " closed 4001")
		}
		if c := s.node.hub.Counts(); c.Sockets != 0 || c.InCall != 2 || c.Searching != 1 {
			t.Errorf("after the drain: %+v", c)
		}
		for _, key := range s.redis.Keys() {
			if strings.Contains(key, ":pool:") && s.redis.Client.ZLexCount(t.Context(), key, "-", "(~").Val() > 0 {
				t.Errorf("somebody still stands in %s", key)
			}
		}
	})
}

func TestCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.play("testdata/transcripts/parts/pair.txt")
		want := signaling.Counts{Sockets: 2, Sessions: 2, InCall: 2, Rooms: 1}
		if got := s.node.hub.Counts(); got != want {
			t.Errorf("in the call: %+v", got)
		}
		for _, b := range s.cast {
			b.drop()
		}
		s.redis.Pass(31 * time.Second)
		want = signaling.Counts{Calls: 1}
		if got := s.node.hub.Counts(); got != want {
			t.Errorf("after it: %+v", got)
		}
	})
}

// TestStops: Run ends every socket and goroutine; the bubble would not end otherwise.
func TestStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		if err := s.browser("mute").open(dialing{origin, "parley.v1"}); err != nil { // never says hello
			t.Fatal(err)
		}
		s.play("testdata/transcripts/parts/pair.txt")
		began := time.Now()
		s.node.stop()
		s.node.server.Close()
		s.node.done.Wait()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("Run took %v to end", took)
		}
		if code, err := s.browser("ana").end(); code != int(signaling.CloseDrain) {
			t.Error(code, err)
		}
		if err := s.node.hub.Run(t.Context()); err == nil {
			t.Error("a hub ran twice")
		}
		s.start()
	})
}

func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.kill()
		s.most = 2
		s.start()
		s.play("testdata/transcripts/parts/pair.txt")
		cy := s.browser("cy")
		if err := cy.open(dialing{origin, "parley.v1"}); err == nil || cy.status != http.StatusServiceUnavailable {
			t.Errorf("the third of two was let in: %v, status %d", err, cy.status)
		}
		s.browser("ana").drop()
		if err := s.line("ana resumes"); err != nil {
			t.Error(err)
		}
	})
}

func TestNoWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		w := httptest.NewRecorder()
		s.node.hub.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/ws", nil))
		if w.Code != http.StatusUpgradeRequired {
			t.Error(w.Code)
		}
	})
}
