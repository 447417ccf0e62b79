package e2e_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/moderation"
	"parley/moderation/office"
	"parley/moderation/score"
	"parley/retention"
)

// staff is a running parley with records on a real redis-server, and what its operators have.
type staff struct {
	t      *testing.T
	rdb    redis.UniversalClient
	url    string // of the console
	flags  []string
	tokens map[string]string
	office *office.Office // another node's, for what the test knows by itself
	desk   *moderation.Desk
}

func newStaff(t *testing.T) *staff {
	t.Helper()
	dir := t.TempDir()
	store, rdb := startStore(t)
	s := &staff{t: t, rdb: rdb, tokens: map[string]string{}}
	s.flags = []string{
		"--redis", store, "--operator-tokens", filepath.Join(dir, "operators"), "--audit-file", filepath.Join(dir, "audit.jsonl"),
	}
	p := startParley(t, s.flags...)
	for i, flag := range p.Args {
		if flag == "--operator-listen" {
			s.url = "http://" + p.Args[i+1] + "/console/"
		}
	}
	for _, name := range []string{"mira", "noor"} {
		s.tokens[name], _, _ = strings.Cut(s.shell("console", "token", name), "\n")
	}
	log := slog.New(slog.DiscardHandler)
	s.desk = moderation.New(moderation.Config{Redis: s.rdb, Ring: keyring.New(), Epochs: keyring.NewEpochs(), Log: log})
	s.office = office.New(office.Config{Redis: s.rdb, Desk: s.desk, Trail: office.NewTrail(s.flags[5]), Log: log})
	return s
}

// shell runs one of the operators' commands beside the running server.
func (s *staff) shell(args ...string) string {
	s.t.Helper()
	command := exec.Command(vtest.Program("parley"), append(args, s.flags...)...)
	command.Env = []string{"HOME=" + s.t.TempDir()} // ours has PARLEY_ variables of the tests
	out, err := command.CombinedOutput()
	if err != nil {
		s.t.Fatalf("parley %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// populate makes records with reports of many networks, one of which has reported thirty devices, and
// calls of the last day.
func (s *staff) populate(n int) {
	s.t.Helper()
	random, now := rand.New(rand.NewPCG(7, 7)), time.Now()
	_, err := s.rdb.Pipelined(s.t.Context(), func(p redis.Pipeliner) error {
		for i := range n {
			brigade := i < 30
			var r score.Record
			for slot := range min(14, 1+int(random.ExpFloat64()*3)) {
				e := score.Event{
					At: score.Hour(now.Unix() - random.Int64N(20*24*3600)), Reason: score.Reasons()[random.IntN(6)],
					Factors: score.Factors{Rate: float32(1 / (1 + random.Float64()/2))}, Slot: uint8(slot),
				}
				binary.BigEndian.PutUint64(e.Pair[:], random.Uint64())
				binary.BigEndian.PutUint64(e.Net[:], random.Uint64N(1000)+1)
				if brigade {
					binary.BigEndian.PutUint64(e.Net[:], 42<<56)
					e.At = score.Hour(now.Unix() - 3600)
				}
				r.Events = append(r.Events, e)
			}
			if day := now.Unix()/86400 - 2; !brigade {
				r.Clean = []score.Day{{Day: day, Count: random.IntN(40), Sum: 40_000}}
			}
			for range random.IntN(6) {
				r.Peers = append(r.Peers, score.Seen{Who: score.ID{byte(random.IntN(256)), byte(i)}, At: score.Hour(now.Unix() - 7200)})
			}
			vtest.LayRecord(s.t.Context(), p, fmt.Sprintf("%016d", i), &r)
		}
		for hour := range 24 {
			key := retention.Hour.Key(strconv.FormatInt(now.Unix()/3600-int64(hour), 10))
			p.HIncrBy(s.t.Context(), key, "under_10m", 60+int64(60*math.Sin(float64(hour)/4)))
			p.Expire(s.t.Context(), key, retention.HourTime)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// enters opens the console and logs in.
func (s *staff) enters(browser chrome, name string) *person {
	s.t.Helper()
	p := bystander(s.t, browser, 700)
	p.do(chromedp.Navigate(s.url), chromedp.WaitVisible(testid("token")))
	p.types("token", s.tokens[name])
	p.press("login")
	p.do(chromedp.WaitVisible(testid("tab-thresholds")))
	return p
}

// types puts a text into a field, in place of what is there.
func (p *person) types(id, text string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(testid(id)))
	js[bool](p, fmt.Sprintf(`(() => { const el = document.querySelector('[data-testid=%q]'); el.focus(); el.select(); return true; })()`, id))
	p.do(chromedp.SendKeys(testid(id), text))
}

// tells waits until the text of an element holds something.
func (p *person) tells(id, part string) {
	p.t.Helper()
	const look = `seen.until(15000, () => document.querySelector('[data-testid=%q]')?.textContent.includes(%q))`
	if !js[bool](p, fmt.Sprintf(look, id, part)) {
		p.t.Fatalf("%s does not say %q: %s", id, part, js[string](p, fmt.Sprintf(`document.querySelector('[data-testid=%q]')?.textContent ?? 'not there'`, id)))
	}
}

// threshold returns where a threshold stands.
func (p *person) threshold(band string) float64 {
	p.t.Helper()
	return js[float64](p, fmt.Sprintf(`Number(document.querySelector('[data-testid="threshold-%s"]').getAttribute('aria-valuenow'))`, band))
}

// drags moves a threshold by so many pixels with the mouse.
func (p *person) drags(band string, by float64) {
	p.t.Helper()
	const place = `(() => { const el = document.querySelector('[data-testid="threshold-%s"] .rule'); el.scrollIntoView({block: 'center'});
		const r = el.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`
	at := js[[]float64](p, fmt.Sprintf(place, band))
	mouse := func(kind input.DispatchMouseEventType, x float64, held int64) {
		p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{
				Type: kind, X: x, Y: at[1], Button: input.MouseButtonLeft, Buttons: held, ClickCount: 1,
			})
			return err
		}))
	}
	mouse(input.DispatchMouseEventTypeMousePressed, at[0], 1)
	for step := range 5 {
		mouse(input.DispatchMouseEventTypeMouseMoved, at[0]+by*float64(step+1)/5, 1)
	}
	mouse(input.DispatchMouseEventTypeMouseReleased, at[0]+by, 0)
}

// shows photographs the screen if somebody wants to look: make screens.
func (p *person) shows(name string) {
	p.t.Helper()
	if dir := os.Getenv("PARLEY_SCREENS"); dir != "" {
		p.photograph(dir, "30-console-"+name)
	}
}

// TestBrowserConsoleThresholds: an operator logs in, drags a threshold, moves another by keys, sees
// what would change, applies it with a reason, and finds it in the history; a second operator is
// faster once.
func TestBrowserConsoleThresholds(t *testing.T) {
	browser := chromium(t)
	s := newStaff(t)
	s.populate(400)
	p := bystander(t, browser, 700)
	p.do(chromedp.Navigate(s.url), chromedp.WaitVisible(testid("token")))
	p.types("token", "wrong")
	p.press("login")
	p.tells("login-error", "not valid")
	p.shows("01-gate")
	p.types("token", s.tokens["mira"])
	p.press("login")
	p.do(chromedp.WaitVisible(testid("hours")))
	p.shows("02-overview")

	p.press("tab-thresholds")
	p.tells("summary", "Of 400 records 0 change band")
	p.shows("03-thresholds")
	before := p.threshold("restricted")
	p.drags("restricted", -30)
	dragged := p.threshold("restricted")
	if dragged >= before {
		t.Fatalf("dragged from %v to %v", before, dragged)
	}
	p.do(chromedp.Focus(testid("threshold-cooldown")))
	cooldown := p.threshold("cooldown")
	p.keys(arrowLeft, arrowLeft, arrowLeft)
	if now := p.threshold("cooldown"); math.Abs(cooldown-0.015-now) > 1e-9 {
		t.Errorf("three steps from %v lead to %v", cooldown, now)
	}
	draft := s.holding().Policy
	draft.Thresholds = score.Triple{p.threshold("watch"), p.threshold("restricted"), p.threshold("cooldown")}
	s.promised(p, draft)
	p.shows("04-dragged")

	p.types("reason", "a raid since Tuesday")
	p.press("apply")
	p.tells("said", "The policy is set")
	if h := s.holding(); h.Revision != 1 || h.Policy != draft || h.Who != "mira" || h.Reason != "a raid since Tuesday" {
		t.Fatalf("%+v holds, want %+v", h, draft)
	}
	p.tells("summary", "0 change band")

	p.press("preset-gentle")
	p.types("reason", "calm again")
	s.shell("thresholds", "set", "--preset", "strict", "--as", "noor", "--reason", "it gets worse")
	p.press("apply")
	p.tells("conflict", "noor set revision 2 meanwhile")
	p.tells("conflict", "it gets worse")
	p.shows("05-conflict")
	p.press("take-theirs")
	p.tells("summary", "0 change band")
	if h := s.holding(); h.Revision != 2 || h.Preset != "strict" {
		t.Errorf("%+v holds", h)
	}

	p.press("tab-history")
	p.tells("history", "a raid since Tuesday")
	p.tells("history", "it gets worse")
	p.tells("trail", "is whole: 4 lines")
	p.shows("06-history")
	p.everythingIsNamed("history")
}

func (s *staff) holding() office.Holding {
	s.t.Helper()
	state, err := s.office.State(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return state.Holding
}

// promised holds the numbers on the screen against those that are computed here.
func (s *staff) promised(p *person, draft score.Policy) {
	s.t.Helper()
	want, _, err := s.office.Preview(s.t.Context(), draft, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	_, harder, milder := want.Bands.Moves()
	if harder == 0 {
		s.t.Error("the drag changes nothing: the test shows nothing")
	}
	p.tells("summary", fmt.Sprintf("%s change band: %s to a harder one", office.Few(harder+milder), office.Few(harder)))
	for from, row := range want.Bands.Public() {
		for to, n := range row {
			cell := fmt.Sprintf("%s-%s", score.Band(from), score.Band(to))
			text := js[string](p, fmt.Sprintf(`document.querySelector('[data-cell=%q]').textContent`, cell))
			if shown := strings.Replace(n.String(), "fewer than", "<", 1); text != shown {
				s.t.Errorf("%s is %q on the screen, want %q", cell, text, shown)
			}
		}
	}
}

// arrowLeft is the key, as chromedp names it.
const arrowLeft = "\u0302"

// TestBrowserConsoleActs: an operator undoes a brigade after a look at what that changes, answers a
// review, and pauses matching.
func TestBrowserConsoleActs(t *testing.T) {
	browser := chromium(t)
	s := newStaff(t)
	s.populate(120)
	code := s.review()
	p := s.enters(browser, "noor")

	p.press("tab-brigade", "look")
	name := js[string](p, `(async () => { await seen.until(15000, () => document.querySelector('[data-testid="networks"] tbody')); return document.querySelector('[data-testid="networks"] tbody th').textContent; })()`)
	p.shows("07-brigade")
	p.press("choose-" + name)
	p.tells("void-preview", "records would be taken back")
	p.shows("08-brigade-preview")
	p.types("void-reason", "one network reported thirty devices in an hour")
	p.press("void")
	p.tells("said", "were taken back")
	records, err := s.desk.Records(t.Context())
	if err != nil || len(records) != 91 {
		t.Errorf("%d records are left of 91, %v", len(records), err)
	}

	p.press("tab-reviews")
	p.tells("reviews", "Open")
	p.types("code", code)
	p.press("find-code")
	p.tells("review", "Reports")
	p.shows("09-review")
	p.types("review-reason", "one angry person")
	p.press("expunge")
	p.tells("said", "expunged")
	if state, err := s.desk.Answer(t.Context(), code); err != nil || state != moderation.Expunged {
		t.Errorf("the answer is %v, %v", state, err)
	}

	p.press("tab-overview")
	p.types("pause-reason", "the relay is down")
	p.press("pause")
	p.tells("paused", "Matching is paused by noor: the relay is down")
	p.shows("10-paused")
	p.types("pause-reason", "it is back")
	p.press("pause")
	p.tells("said", "Matching goes on")
	p.press("tab-history")
	p.tells("trail", "is whole: 6 lines")
	p.tells("history", "one angry person")
	p.shows("11-history")
	p.press("logout")
	p.do(chromedp.WaitVisible(testid("token")))
}

// review makes a device that was reported ask for a review.
func (s *staff) review() (code string) {
	s.t.Helper()
	target := moderation.Device{Token: strings.Repeat("t", 43), Net: "net"}
	for i := range 3 {
		call := fmt.Sprint("call", i)
		if err := s.desk.Begin(s.t.Context(), call); err != nil {
			s.t.Fatal(err)
		}
		reporter := moderation.Device{Token: fmt.Sprintf("%043d", i), Net: fmt.Sprint("net", i)}
		handle := s.desk.Handle(call, reporter, target, time.Now().Add(-time.Minute))
		if _, err := s.desk.Report(s.t.Context(), reporter, handle, moderation.Spam, time.Now()); err != nil {
			s.t.Fatal(err)
		}
	}
	code, err := s.desk.OpenReview(s.t.Context(), target, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}
