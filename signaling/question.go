package signaling

import (
	"context"
	"time"

	"parley/moderation"
)

// question asks the desk about this device, or for something to be done about what is stored of it.
func (s *session) question(now time.Time, c uint64, m FromBrowser) {
	_, erases := m.(Erase)
	switch {
	case erases && s.phase != Idle:
		s.refuse(c, BadState, "there is a search or a call: cancel or leave it before what is stored is deleted")
	case !s.questions.try(now):
		s.tooMany(c, s.questions.wait(now), "too many questions: wait 5 s")
	default:
		s.do(inquire{c, m})
	}
}

// answered takes what the desk says.
func (s *session) answered(m ToBrowser) {
	if _, erased := m.(Erased); erased {
		s.known = nil
	}
	s.send(m)
}

// inquire asks the desk.
func (h *Hub) inquire(cl *client, e inquire) {
	h.decide(cl, e.c, func(ctx context.Context, now time.Time) (ToBrowser, error) {
		desk, device := h.cfg.Desk, cl.machine.device
		switch m := e.frame.(type) {
		case Erase:
			return Erased{}, desk.Erase(ctx, device)
		case AskReview:
			code, err := desk.OpenReview(ctx, device, now)
			return Review{code}, err
		case AskAnswer:
			state, err := desk.Answer(ctx, m.Code)
			return ReviewAnswer{state.String()}, err
		default:
			at, err := desk.Standing(ctx, device, now)
			return standingOf(now, at), err
		}
	})
}

// standingOf puts a standing in the words of the protocol.
func standingOf(now time.Time, at moderation.Standing) Standing {
	m := Standing{
		Band: at.Band.String(), UntilMS: left(now, at.Until), Reasons: []string{},
		ExpiresMS: left(now, at.Expires), Records: at.Records,
		Stored: []string{},
	}
	for _, part := range []struct {
		there bool
		name  string
	}{{at.Own, "own"}, {at.Alike, "alike"}, {at.GaveUp, "gave_up"}} {
		if part.there {
			m.Stored = append(m.Stored, part.name)
		}
	}
	for _, r := range at.Reasons {
		m.Reasons = append(m.Reasons, string(r.Reason))
	}
	return m
}
