package simulate_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"parley/internal/simulate"
)

func TestFromArrivalToCall(t *testing.T) {
	s := enter(t, calm())
	if !has[simulate.Dial](s) {
		t.Fatal("does not come")
	}
	s.step(simulate.Opened{})
	s.want(`{"t":"hello","token":"","last":0,"device":"`)
	s.hears(welcomed)
	s.want(`{"t":"find","c":1,"a":0,"languages":["en"],"interests":[`, `"avoid":[],"place":"","proof":""}`)
	s.hears(waits, 1)
	s.wantSilence()
	s.hears(offer, 2)
	s.want(`{"t":"confirm","c":2,"a":2,"match":"m1"}`)
	s.hears(begins, 3)
	s.want(`{"t":"relay","c":3,"a":3,"to":"bo","seq":1,"box":"`)
	if !s.p.InCall() {
		t.Error("not in the call")
	}
	s.hears(`{"t":"ended","n":4,"why":"peer_left"}`)
	s.wantSilence()
	for s.writes() == "" || strings.HasPrefix(s.writes(), `{"t":"ack"`) {
		s.waits()
	}
	s.want(`{"t":"find",`, `"avoid":["a1"],"place":"","proof":""}`)
}

func TestAcknowledges(t *testing.T) {
	s := searches(t, calm())
	if d := s.waits(); d != time.Second {
		t.Errorf("acknowledged after %s", d)
	}
	s.want(`{"t":"ack","a":1}`)
	for n := range 7 {
		s.hears(waits, n+2)
		s.wantSilence()
	}
	s.hears(waits, 9)
	s.want(`{"t":"ack","a":9}`)
	s.hears(waits, 9) // a repetition
	s.wantSilence()
	s.hears(`{"t":"ping"}`)
	s.want(`{"t":"pong"}`)
}

func TestResumes(t *testing.T) {
	s := talks(t, calm())
	s.step(simulate.Lost{Code: 1006})
	if d := s.waits(); d > 0 || !has[simulate.Dial](s) {
		t.Errorf("came back after %s", d)
	}
	s.step(simulate.Refusal{Code: "unreachable"})
	if d := s.waits(); d < 200*time.Millisecond || d > 400*time.Millisecond {
		t.Errorf("came back after %s the second time", d)
	}
	s.step(simulate.Opened{})
	s.want(`{"t":"hello","token":"tok","last":3,`)
	s.hears(`{"t":"welcome","token":"tok","resumed":true,"c":2,"grace_ms":30000}`)
	s.want(`{"t":"relay","c":3,`)
	if strings.Contains(s.writes(), `"t":"confirm"`) {
		t.Error("sent again what the server has")
	}
	if !has[simulate.Took](s) {
		t.Error("the time was not measured")
	}
}

func TestForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(*testing.T, simulate.Behaviour) *stage
		want  string
	}{
		"in the queue": {searches, `"avoid":[],"place":"here","proof":""}`},
		"in a call":    {talks, `{"t":"rejoin","c":1,"a":0,"pass":"p1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.begin(t, calm())
			s.step(simulate.Lost{Code: 4001})
			s.waits()
			s.step(simulate.Opened{})
			s.hears(`{"t":"welcome","token":"new","resumed":false,"c":0,"grace_ms":30000}`)
			s.want(c.want)
			if s.sees["session forgotten"] != 1 {
				t.Error(s.sees)
			}
		})
	}
}

func TestRejoins(t *testing.T) {
	s := talks(t, calm())
	s.step(simulate.Lost{Code: 1006})
	s.waits()
	s.step(simulate.Opened{})
	s.hears(welcomed)
	s.hears(begins, 1)
	if s.sees["calls"] != 1 || s.sees["calls rejoined"] != 1 || !s.p.InCall() {
		t.Error(s.sees)
	}
	s.step(simulate.Lost{Code: 1006})
	s.waits()
	s.step(simulate.Opened{})
	s.hears(welcomed)
	s.hears(`{"t":"error","n":1,"of":1,"code":"bad_value","text":"too old"}`)
	if s.p.InCall() {
		t.Error("in a call that cannot be rejoined")
	}
}

func TestComesBackWhenTold(t *testing.T) {
	t.Run("Retry-After", func(t *testing.T) {
		s := enter(t, calm())
		s.step(simulate.Refusal{Code: "503", After: 4 * time.Second})
		if d := s.waits(); d < 4*time.Second || d > 6*time.Second {
			t.Errorf("came back after %s", d)
		}
	})
	t.Run("drain", func(t *testing.T) {
		pauses := map[int64]bool{}
		for seed := range uint64(20) {
			s := enterAs(t, calm(), seed)
			s.step(simulate.Opened{})
			s.hears(welcomed)
			s.hears(`{"t":"drain","within_ms":20000}`)
			s.step(simulate.Lost{Code: 4001})
			d := s.waits()
			if d > 20*time.Second || !has[simulate.Dial](s) {
				t.Fatalf("came back after %s", d)
			}
			pauses[int64(d)] = true
		}
		if len(pauses) < 15 {
			t.Errorf("all at the same time: %v", pauses)
		}
	})
	for _, code := range []int{1009, 4500, 4501, 4510} {
		s := searches(t, calm())
		s.step(simulate.Lost{Code: code})
		if !has[simulate.Gone](s) || s.p.Deadline() != 0 {
			t.Errorf("%d: does not stay away", code)
		}
	}
}

func TestNotices(t *testing.T) {
	t.Run("silence before welcome", func(t *testing.T) {
		s := enter(t, calm())
		if d := s.waits(); d != 10*time.Second || !has[simulate.HangUp](s) {
			t.Errorf("waited %s", d)
		}
	})
	t.Run("silence later", func(t *testing.T) {
		s := searches(t, calm())
		s.waits() // the acknowledgement
		if d := s.waits(); d != 39*time.Second || !has[simulate.HangUp](s) {
			t.Errorf("waited %s", d)
		}
	})
	t.Run("a gap", func(t *testing.T) {
		s := searches(t, calm())
		s.hears(waits, 3)
		if !has[simulate.HangUp](s) || s.sees["gap in the server's numbers"] != 1 {
			t.Error("goes on as if nothing were missing")
		}
	})
}

func TestMatchThatFails(t *testing.T) {
	s := searches(t, calm())
	s.hears(offer, 2)
	s.hears(`{"t":"aborted","n":3,"why":"peer"}`)
	s.wantSilence()
	if !s.p.Searches() {
		t.Error("does not search on")
	}
	s.hears(offer, 4)
	s.hears(`{"t":"aborted","n":5,"why":"late"}`)
	s.want(`{"t":"find",`, `"place":"here"`)
	s.hears(offer, 6)
	s.hears(`{"t":"error","n":7,"of":%d,"code":"bad_match","text":"over"}`, 5)
	if !s.p.Searches() || s.sees["error bad_match"] != 1 {
		t.Error(s.sees)
	}
}

func TestErrorsOfFind(t *testing.T) {
	for code, want := range map[string]time.Duration{"unavailable": 2500 * time.Millisecond, "too_many": 30 * time.Second} {
		s := enter(t, calm())
		s.step(simulate.Opened{})
		s.hears(welcomed)
		s.hears(`{"t":"error","n":1,"of":1,"code":%q,"text":"no"}`, code)
		from := s.now
		for !strings.Contains(s.writes(), `"t":"find"`) {
			s.waits()
		}
		if d := s.now - from; d != want {
			t.Errorf("%s: tried again after %s", code, d)
		}
	}
}

func TestBusyPeer(t *testing.T) {
	s := talks(t, calm())
	refuse := func(n, c int) { s.hears(`{"t":"error","n":%d,"of":%d,"code":"peer_busy","text":"wait"}`, n, c) }
	c := 3
	for i := range 5 {
		refuse(4+i, c)
		from := s.now
		for !strings.Contains(s.writes(), `"t":"relay"`) {
			s.waits()
		}
		c++
		s.want(fmt.Sprintf(`{"t":"relay","c":%d,`, c), `"seq":1,`)
		if d := s.now - from; d != time.Duration(i+1)*time.Second {
			t.Errorf("sent again after %s the %d. time", d, i+1)
		}
	}
	refuse(9, c)
	if s.sees["envelopes given up"] != 1 || s.sees["error peer_busy"] != 0 {
		t.Error(s.sees)
	}
}

func TestHabits(t *testing.T) {
	habit := func(change func(*simulate.Behaviour)) simulate.Behaviour {
		like := calm()
		change(&like)
		return like
	}
	// until lets time pass until something is counted.
	until := func(s *stage, what string) {
		s.t.Helper()
		for range 100 {
			if s.waits(); s.sees[what] > 0 {
				return
			}
		}
		s.t.Fatalf("%q never came: %v", what, s.sees)
	}
	t.Run("drops the socket", func(t *testing.T) {
		s := talks(t, habit(func(b *simulate.Behaviour) { b.Drop, b.Talk = 1, 5*time.Second }))
		until(s, "sockets dropped")
		if !has[simulate.HangUp](s) || strings.Contains(s.writes(), "leave") {
			t.Error("said goodbye")
		}
		if d := s.waits(); d < time.Second || d > time.Minute {
			t.Errorf("was away for %s", d)
		}
	})
	t.Run("vanishes", func(t *testing.T) {
		s := talks(t, habit(func(b *simulate.Behaviour) { b.Vanish, b.Next, b.Talk = 1, 0, time.Second }))
		until(s, "vanished")
		if !has[simulate.Gone](s) || strings.Contains(s.writes(), "leave") {
			t.Error("said goodbye")
		}
	})
	t.Run("reports and blocks", func(t *testing.T) {
		s := talks(t, habit(func(b *simulate.Behaviour) { b.Report, b.Block, b.Talk = 2, 2, time.Second }))
		for !strings.Contains(s.writes(), `"t":"leave"`) {
			s.waits()
		}
		s.want(`{"t":"report",`, `"handle":"h1","reason":"`, `{"t":"block",`)
		s.hears(`{"t":"reported","n":4,"avoid":"a2"}`)
		s.step(simulate.Lost{Code: 1006})
		s.waits()
		s.step(simulate.Opened{})
		s.hears(welcomed)
		s.want(`{"t":"block",`) // its answer is still owed
		if strings.Contains(s.writes(), `"t":"report"`) {
			t.Error("reported twice")
		}
		s.want(`"avoid":["a1","a2"]`)
	})
	t.Run("ignores a match", func(t *testing.T) {
		s := searches(t, habit(func(b *simulate.Behaviour) { b.Ignore = 1 }))
		s.hears(offer, 2)
		s.wantSilence()
	})
	t.Run("loses patience", func(t *testing.T) {
		s := searches(t, habit(func(b *simulate.Behaviour) { b.Patience = time.Second }))
		until(s, "patience lost")
		s.want(`{"t":"cancel",`)
		until(s, "went")
	})
}

func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		begin func(*testing.T, simulate.Behaviour) *stage
		want  string
	}{
		"in the queue": {searches, `"t":"cancel"`},
		"in a call":    {talks, `"t":"leave"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.begin(t, calm())
			s.step(simulate.Stop{})
			s.want(c.want)
			for !has[simulate.Gone](s) {
				s.waits()
			}
		})
	}
	s := searches(t, calm()) // who is on the way out takes nothing any more
	s.step(simulate.Stop{})
	s.hears(offer, 2)
	s.want(`{"t":"decline","c":3,`)
	s.hears(begins, 3)
	s.want(`"t":"leave"`)
	s.hears(`{"t":"error","n":4,"of":3,"code":"bad_match","text":"over"}`)
	if s.sees["crossed"] != 1 || s.sees["error bad_match"] != 0 {
		t.Errorf("a match that crossed the cancel is an error: %v", s.sees)
	}
}

func TestSameSeedSameLife(t *testing.T) {
	var lives [2][]simulate.Effect
	for i := range lives {
		s := talks(t, busy())
		for s.p.Deadline() > 0 && len(lives[i]) < 30 {
			s.waits()
			lives[i] = append(lives[i], s.did...)
		}
	}
	if !reflect.DeepEqual(lives[0], lives[1]) {
		t.Error("two people with the same seed differ")
	}
}

func TestFramesAreStrict(t *testing.T) {
	for _, frame := range []string{
		`{"t":"later"}`, `{"t":"ping","x":1}`, `{"n":1,"t":"ack"}`, `{"t":"relay","n":"1"}`, `{"t":"ack","c":1,"c":1}`, ``, `null`,
	} {
		if _, err := simulate.Frame(0, []byte(frame)); err == nil {
			t.Errorf("%s was understood", frame)
		}
	}
}

// TestLeftOnTheWayBack: the answer to a rejoin, behind which a leave is on its way, begins no call.
func TestLeftOnTheWayBack(t *testing.T) {
	like := calm()
	like.Talk = 5 * time.Second
	s := talks(t, like)
	s.step(simulate.Lost{Code: 1006})
	s.waits()
	s.step(simulate.Opened{})
	s.hears(welcomed)
	s.want(`"t":"rejoin"`)
	s.step(simulate.Lost{Code: 1006})
	for i := 0; s.p.InCall(); i++ { // nobody answers until it has had enough
		if i == 100 {
			t.Fatal("it never leaves")
		}
		s.waits()
	}
	s.hears(`{"t":"welcome","token":"tok","resumed":true,"c":1,"grace_ms":30000}`)
	s.want(`"t":"leave"`, `"t":"find"`)
	s.hears(begins, 1)
	if s.p.InCall() || s.writes() != "" || !s.p.Searches() {
		t.Errorf("it begins the call anew: %s", s.writes())
	}
}

// TestHesitates: who thinks about a match confirms it within the time that there is, and only while it
// is offered.
func TestHesitates(t *testing.T) {
	like := calm()
	like.Hesitate = 10 * time.Second
	s := searches(t, like)
	s.hears(offer, 2)
	if strings.Contains(s.writes(), "confirm") {
		t.Fatal("confirms at once")
	}
	passed := time.Duration(0)
	for !strings.Contains(s.writes(), `"t":"confirm"`) {
		passed += s.waits()
	}
	if passed > 3*time.Second {
		t.Errorf("confirms after %s", passed)
	}
	s = searches(t, like)
	s.hears(offer, 2)
	s.hears(`{"t":"aborted","n":3,"why":"peer"}`)
	for range 3 {
		if s.waits(); strings.Contains(s.writes(), "confirm") {
			t.Fatal("confirms what is over")
		}
	}
}
