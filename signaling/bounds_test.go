package signaling_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"parley/signaling"
)

func (s *stage) must(lines ...string) {
	s.t.Helper()
	for _, l := range lines {
		if err := s.line(l); err != nil {
			s.t.Fatal(l, err)
		}
	}
}

// TestMailboxIsBounded: nobody is at Ana's mailbox. Bo's envelopes wait up to the bound and are then
// refused to him; what was taken arrives.
func TestMailboxIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.play("testdata/transcripts/parts/pair.txt")
		release := s.node.hub.Hold(s.vars["$ana.token"].(string))
		last := 2 + signaling.MailboxLength
		s.must(fmt.Sprintf(`repeat 3 %d bo > {"t":"relay","c":"$i","a":2,"to":"$ana","seq":"$i","box":"AA"}`, last),
			"wait 30s")
		b := s.browser("bo")
		for _, m := range b.leftover() {
			if strings.Contains(string(m), "peer_busy") {
				t.Fatalf("refused too early: %s", m)
			}
		}
		b.heard = nil
		s.must(fmt.Sprintf(`bo > {"t":"relay","c":%d,"a":2,"to":"$ana","seq":1,"box":"AA"}`, last+1),
			fmt.Sprintf(`bo < {"t":"error","of":%d,"code":"peer_busy","...":"*"}`, last+1))
		release()
		s.must(`repeat 3 300 ana < {"t":"relay","seq":"$i","...":"*"}`)
	})
}

// TestLaneIsBounded: whoever goes on asking while the store does not answer is cut, may resume, and
// what was not heard counts for the next socket.
func TestLaneIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		free := make(chan struct{})
		s.must("ana arrives")
		s.node.hub.Burden(s.vars["$ana.token"].(string), signaling.LaneMost+1, free) // a worker takes one
		s.must(`ana > {"t":"cancel","c":1,"a":0}`, "ana closed 4008")
		close(free)
		s.must("ana resumes", `ana < {"t":"welcome","resumed":true,"c":0,"...":"*"}`,
			`ana > {"t":"cancel","c":1,"a":0}`, `ana < {"t":"cancelled","...":"*"}`)
	})
}

// TestStopLeavesTheQueue: who waits when the node stops does not wait in the store.
func TestStopLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.must("ana arrives",
			`ana > {"t":"find","c":1,"a":0,"languages":["de"],"interests":[],"widen":true,"avoid":[],"place":""}`,
			`ana < {"t":"queued","...":"*"}`)
		s.node.stop()
		s.node.server.Close()
		s.node.done.Wait()
		for _, key := range s.redis.Keys() {
			if strings.Contains(key, ":pool:") && s.redis.Client.ZLexCount(t.Context(), key, "-", "(~").Val() > 0 {
				t.Errorf("somebody still stands in %s", key)
			}
		}
		s.start()
	})
}
