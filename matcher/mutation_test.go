package matcher_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"parley/matcher"
)

// mutant is one line of the scripts, broken, or a search of which Go tells the scripts something else.
type mutant struct {
	name, line, broken string
	twist              func(*matcher.Ticket)
}

func (m mutant) edit(source string) string {
	if m.line == "" {
		return source
	}
	return strings.ReplaceAll(source, m.line, m.broken)
}

var mutants = []mutant{
	{"alive check", "not alive(node) or now", "now", nil},
	{"alive check of a confirmed peer", "if not alive(other.node) then", "if false then", nil},
	{"too old to be met", "or now - arrived >= LONGEST", "", nil},
	{"too old to join", "if now - arrived >= LONGEST then", "if false then", nil},
	{"avoid check, mine", "and not avoids(avoid, 1, other_device)", "", nil},
	{"avoid check, theirs", "and not avoids(record, other_rest, device)", "", nil},
	{"band check, theirs", "and find(meets, band, 1, true)", "", nil},
	{"band check, mine", "", "", func(t *matcher.Ticket) { t.Meets = []int{0, 1, 2} }},
	{"preferred band", "tonumber(ARGV[block])", "tonumber(ARGV[#ARGV + 17 - block])", nil},
	{"same device", "if other_device ~= device", "if true", nil},
	{"second confirm", "if pair.state ~= other.name then", "if false then", nil},
	{"confirm of a stranger", "if b.ticket == ticket then", "if true then", nil},
	{"confirm after abort", "if not pair or pair.state == 'aborted' then return {'gone'", "if not pair then return {'gone'", nil},
	{"closed state", "if stored then\n  if stored == 'x' then return {'closed', NOW} end", "if stored == 'x' then stored = false end\nif stored then", nil},
	{"closed by abort", "  close(other.ticket)\n  tell(other.node, 'abort', id, other.ticket, mine", "  tell(other.node, 'abort', id, other.ticket, mine", nil},
	{"live is not aborted", "if pair.state == 'live' then return {'live', NOW} end", "", nil},
	{"who is to blame", "(pair.state == other.name or in_time)", "in_time", nil},
	{"peer leaves its pools", "local waits = unqueue(best.id, best.record, best.rest)", "local _, waits = match(best.record, REST, best.rest)", nil},
	{"seeker leaves its pools", "  if stored then unqueue(id, stored, rest) end\n  local claimed", "  local claimed", nil},
	{"peer is claimed", "  call('SET', TICKET_KEY .. best.id, claimed, 'KEEPTTL')\n", "", nil},
	{"seeker is claimed", "  call('SET', KEYS[1], claimed, 'PX', TOMBSTONE)\n", "", nil},
	{"leaver leaves its pools", "unqueue(id, record, rest)\nclose(id)", "close(id)", nil},
	{"strict", "", "", func(t *matcher.Ticket) { t.Strict = false }},
	{"first language first", "", "", func(t *matcher.Ticket) { t.Languages = slices.Sorted(slices.Values(t.Languages)) }},
	{"other languages wait for 2 W", "arrived + 2 * widens", "arrived + widens", nil},
	{"nobody is met before either is ripe", "_since <= now and math.huge or now", "_since and math.huge", nil},
	{"one ripe is enough", "_since <= now and math.huge or now", "_since and now", nil},
	{"one near is enough", "place <= near and math.huge or", "place <= near and now or", nil},
	{"oldest first", "if heads[i].since < heads[nearest].since then nearest = i end", "", nil},
	{"removed entries do not count", "  else\n      head.rank = head.rank + 1\n    end", "  end\n    head.rank = head.rank + 1", nil},
	{"overlap wins", "shared > best.shared", "false", nil},
	{"overlap window", "local WINDOW = 2000000", "local WINDOW = 20000000", nil},
	{"overlap looks at four", "local WINDOW_EXAMINE = 4", "local WINDOW_EXAMINE = 1", nil},
	{"place is kept", "if arrived == 0 or arrived > now then arrived = now end", "arrived = now", nil},
	{"peer is told of the offer", "tell(best.node, 'offer'", "tell('nowhere', 'offer'", nil},
	{"peer is told of life", "tell(other.node, 'live'", "tell('nowhere', 'live'", nil},
	{"new pools expire", "if renew or not exists[place] then", "if renew then", nil},
	{"a pool that was emptied is new", "or buried > 0 or", "or", nil},
	{"inboxes expire", "call('PEXPIRE', inbox, INBOX_TTL)", "", nil},
	{"waits expire", "call('PEXPIRE', waits, WAITS_TTL)", "", nil},
}

// quickest is redis-server if it is there: it tells the same as the embedded server, sooner.
func quickest(t *testing.T) engine {
	if _, err := exec.LookPath("redis-server"); err == nil {
		return realServer(t)
	}
	return embedded(t)
}

// TestMutants breaks one line after the other and wants the histories of TestModel to notice.
func TestMutants(t *testing.T) {
	t.Parallel()
	const histories = 400
	e := quickest(t)
	examples := classics() // drawn when needed: most mutants are noticed soon
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			if !strings.Contains(matcher.Source(), m.line) {
				t.Fatal("the line is not in the scripts any more")
			}
			for i := range histories {
				if i == len(examples) {
					examples = append(examples, scenarios().Example(i))
				}
				err := play(t.Context(), e, examples[i], m)
				if err != nil && strings.Contains(err.Error(), "syntax error") {
					t.Fatal(err)
				}
				if err != nil {
					t.Logf("noticed by history %d: %.200v", i, err)
					return
				}
			}
			t.Errorf("not noticed by %d histories", histories)
		})
	}
}
