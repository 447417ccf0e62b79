package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"parley/moderation/office"
	"parley/moderation/score"
)

// question is one thing that the console asks or orders. What changes anything is a POST.
type question struct {
	method, path string
	answer       func(call) (any, error)
}

// questions is the whole table.
func (c *console) questions() []question {
	return []question{
		{http.MethodGet, "overview", c.overview},
		{http.MethodGet, "hours", c.hours},
		{http.MethodGet, "history", c.history},
		{http.MethodGet, "reviews", c.reviews},
		{http.MethodPost, "preview", c.preview},
		{http.MethodPost, "policy", c.setPolicy},
		{http.MethodPost, "pause", c.pause},
		{http.MethodPost, "networks", c.networks},
		{http.MethodPost, "void/preview", c.previewVoid},
		{http.MethodPost, "void", c.void},
		{http.MethodPost, "review/find", c.findReview},
		{http.MethodPost, "review/answer", c.answerReview},
	}
}

// errQuestion says that a question is not one of ours.
var errQuestion = errors.New("the request cannot be read")

// read reads the body of a question, strictly.
func read[T any](c call) (T, error) {
	var v T
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return v, fmt.Errorf("%w: it is longer than %d bytes", errQuestion, maxQuestion)
	}
	if err := json.Unmarshal(body, &v, json.RejectUnknownMembers(true)); err != nil {
		return v, fmt.Errorf("%w: %w", errQuestion, err)
	}
	return v, nil
}

// holding is the policy that holds, as the console reads it.
type holding = office.Holding

type overview struct {
	Who          string                  `json:"who"`
	Holding      holding                 `json:"holding"`
	Presets      map[string]score.Policy `json:"presets"`
	Paused       bool                    `json:"paused"`
	PausedBy     string                  `json:"paused_by"`
	PausedReason string                  `json:"paused_reason"`
	Queues       []queueLine             `json:"queues"`
	Hours        []hourLine              `json:"hours"`
	Reasons      []reasonLine            `json:"reasons"`
	Histogram    office.PublicHistogram  `json:"histogram"`
	FewRecords   int                     `json:"few_records"`
	FewCalls     int                     `json:"few_calls"`
}

type queueLine struct {
	Name    string       `json:"name"`
	Waiting office.Count `json:"waiting"`
	P50     float64      `json:"p50_s"`
	P90     float64      `json:"p90_s"`
	Samples int          `json:"samples"`
}

type hourLine struct {
	Hour  time.Time                    `json:"hour"`
	Calls [office.Lengths]office.Count `json:"calls"` // by how long they lasted; no total, see [office.PublicHour]
}

type reasonLine struct {
	Reason  string       `json:"reason"`
	Reports office.Count `json:"reports"`
}

// hoursShown is how many hours the console draws.
const hoursShown = 48

func (c *console) overview(q call) (any, error) {
	ctx := q.r.Context()
	state, err := c.office.Current(ctx)
	if err != nil {
		return nil, err
	}
	preview, _, err := c.office.Preview(ctx, state.Holding.Policy, q.when)
	if err != nil {
		return nil, err
	}
	reasons, err := c.office.Reasons(ctx, q.when)
	if err != nil {
		return nil, err
	}
	hours, err := c.office.Hours(ctx, q.when, hoursShown)
	if err != nil {
		return nil, err
	}
	v := overview{
		Who: q.who, Holding: state.Holding, Presets: presets(),
		Paused: state.Pause.Paused, PausedBy: state.Pause.Who, PausedReason: state.Pause.Reason,
		Queues: c.queueLines(ctx), Hours: hourLines(hours), Histogram: preview.Histogram.Public(),
		FewRecords: office.FewRecords, FewCalls: office.FewCalls,
	}
	for _, r := range reasons {
		v.Reasons = append(v.Reasons, reasonLine{string(r.Reason), office.Count{N: r.Reports, Floor: office.FewCalls}})
	}
	return v, nil
}

// hourLines are the hours since the first that saw a call, as told to people.
func hourLines(hours []office.Hour) []hourLine {
	lines := []hourLine{}
	for _, h := range office.Told(hours) {
		lines = append(lines, hourLine{h.Begins, h.Calls})
	}
	return lines
}

func presets() map[string]score.Policy {
	all := map[string]score.Policy{}
	for _, name := range score.Presets() {
		if p, err := score.Preset(name); err == nil {
			all[name] = p
		}
	}
	return all
}

// previewLine is a preview as the console draws it.
type previewLine struct {
	office.PublicPreview
	Histogram office.PublicHistogram `json:"histogram"`
	Revision  int64                  `json:"revision"`
	TookMS    int64                  `json:"took_ms"`
}

func (c *console) preview(q call) (any, error) {
	body, err := read[struct {
		Policy jsontext.Value `json:"policy"`
	}](q)
	if err != nil {
		return nil, err
	}
	draft, err := c.policy(q, body.Policy)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	p, h, err := c.office.Preview(q.r.Context(), draft, q.when)
	if err != nil {
		return nil, err
	}
	return previewLine{p.Public(), p.Histogram.Public(), h.Revision, time.Since(began).Milliseconds()}, nil
}

// policy reads a policy; what it does not name is as it holds.
func (c *console) policy(q call, text jsontext.Value) (score.Policy, error) {
	s, err := c.office.Current(q.r.Context())
	if err != nil {
		return score.Policy{}, err
	}
	p, err := score.Parse(s.Holding.Policy, text)
	if err != nil {
		return p, fmt.Errorf("%w: %w", office.ErrPolicy, err)
	}
	return p, nil
}

func (c *console) setPolicy(q call) (any, error) {
	body, err := read[struct {
		Policy   jsontext.Value `json:"policy"`
		Revision int64          `json:"revision"`
		Reason   string         `json:"reason"`
	}](q)
	if err != nil {
		return nil, err
	}
	draft, err := c.policy(q, body.Policy)
	if err != nil {
		return nil, err
	}
	p, err := c.office.SetPolicy(q.r.Context(), draft, body.Revision, q.order(body.Reason))
	if err != nil {
		return nil, err
	}
	return previewLine{PublicPreview: p.Public(), Histogram: p.Histogram.Public(), Revision: body.Revision + 1}, nil
}

func (c *console) pause(q call) (any, error) {
	body, err := read[struct {
		Paused bool   `json:"paused"`
		Reason string `json:"reason"`
	}](q)
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.office.SetPause(q.r.Context(), body.Paused, q.order(body.Reason))
}

// linesShown is how much of the trail the console shows.
const linesShown = 200

type historyLines struct {
	Lines []office.Line `json:"lines"`
	Whole bool          `json:"whole"`
	Says  string        `json:"says"`
	Path  string        `json:"path"`
}

func (c *console) history(q call) (any, error) {
	lines, broken := c.office.History(q.r.Context(), linesShown)
	v := historyLines{Lines: lines, Whole: broken == nil, Path: c.office.TrailPath()}
	if v.Lines == nil {
		v.Lines = []office.Line{}
	}
	switch {
	case errors.Is(broken, office.ErrUnavailable):
		return nil, broken
	case broken != nil:
		v.Says = fmt.Sprintf("The audit file %s is not what was written: %v.", v.Path, broken)
	case len(lines) == 0:
		v.Says = fmt.Sprintf("The audit file %s is empty.", v.Path)
	default:
		v.Says = fmt.Sprintf("The audit file %s is whole: %d lines, the newest first.", v.Path, lines[0].Seq)
	}
	return v, nil
}

type spanBody struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Network string    `json:"network"`
	Reason  string    `json:"reason"`
}

func (b spanBody) span() office.Span { return office.Span{Network: b.Network, From: b.From, To: b.To} }

type networkLine struct {
	Name    string       `json:"name"`
	Reports office.Count `json:"reports"`
	Targets office.Count `json:"targets"`
	First   time.Time    `json:"first"`
	Last    time.Time    `json:"last"`
}

func (c *console) networks(q call) (any, error) {
	body, err := read[spanBody](q)
	if err != nil {
		return nil, err
	}
	all, err := c.office.Networks(q.r.Context(), body.From, body.To, q.when)
	lines := []networkLine{}
	for _, n := range all {
		lines = append(lines, networkLine{n.Name, office.Few(n.Reports), office.Few(n.Targets), n.First, n.Last})
	}
	return map[string]any{"networks": lines}, err
}

func (c *console) previewVoid(q call) (any, error) {
	body, err := read[spanBody](q)
	if err != nil {
		return nil, err
	}
	p, err := c.office.PreviewVoid(q.r.Context(), body.span(), q.when)
	return p.Public(), err
}

func (c *console) void(q call) (any, error) {
	body, err := read[spanBody](q)
	if err != nil {
		return nil, err
	}
	n, err := c.office.Void(q.r.Context(), body.span(), q.order(body.Reason))
	return map[string]any{"voided": n}, err
}

func (c *console) reviews(q call) (any, error) {
	all, err := c.office.Reviews(q.r.Context(), q.when)
	if all == nil {
		all = []office.Review{}
	}
	return map[string]any{"reviews": all}, err
}

func (c *console) findReview(q call) (any, error) {
	body, err := read[struct {
		Code string `json:"code"`
	}](q)
	if err != nil {
		return nil, err
	}
	return c.office.FindReview(q.r.Context(), body.Code, q.when)
}

func (c *console) answerReview(q call) (any, error) {
	body, err := read[struct {
		ID      string `json:"id"`
		Verdict string `json:"verdict"`
		Reason  string `json:"reason"`
	}](q)
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.office.AnswerReview(q.r.Context(), body.ID, office.ReviewVerdict(body.Verdict), q.order(body.Reason))
}
