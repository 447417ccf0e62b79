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
	{"alive check", "not alive(sub(record, FROM_NODE, TO_NODE)) or now", "now", nil},
	{"alive check of a confirmed peer", "if not alive(other.node) then", "if false then", nil},
	{"too old to be met", "or now - sub(record, FROM_ARRIVED, TO_ARRIVED) >= LONGEST", "", nil},
	{"too old to join", "if now - at >= LONGEST then", "if false then", nil},
	{"avoid check, mine", "and not find(wish, other_device, FROM_WAITS - BEFORE_WISH, true)", "", nil},
	{"avoid check, theirs", "and not find(record, device, FROM_WAITS, true)", "", nil},
	{"band check, theirs", "and find(record, band, FROM_WAITS, true)", "", nil},
	{"band check, mine", "", "", func(t *matcher.Ticket) { t.Meets = []int{0, 1, 2} }},
	{"other bands are looked into", "if pool then", "if false then", nil},
	{"other bands are looked into, one by one", "if there == 0 then", "if true then", nil},
	{"all pools of another band", "if pool then", "if pool and place == 1 then", nil},
	{"all pools of another band, one by one", "if there == 0 then", "if there == 0 or place > 1 then", nil},
	{"who queues puts the pools on the list", "unpack(keys, own + 1, own + last_place)", "keys[own + 1]", nil},
	{"who queues is found in the same call", "known[sub(keys[own + place], 1, -2) .. CROWD] = keys[own + place]", "", nil},
	{"who stands there stays on the list", "and (not front or byte(front) == END) then", "then", nil},
	{"the crowd has no list", "if band ~= CROWD then\n    for place, there", "if true then\n    for place, there", nil},
	{"the crowd alone shares what was read", "standing == CROWD and listed(band)", "listed(band)", nil},
	{"preferred band", "sub(terms, choice, choice)", "sub(terms, last_choice + 7 - choice, last_choice + 7 - choice)", nil},
	{"each has keys of its own", "own = own + 1 + sub(ARGV[i], 5, 6)", "own = own + 1", nil},
	{"same device", "if other_device ~= device", "if true", nil},
	{"second confirm", "if pair.state ~= other.name then", "if false then", nil},
	{"confirm of a stranger", "if b.ticket == ticket then", "if true then", nil},
	{"confirm after abort", "if not pair or pair.aborted then return {'gone'", "if not pair then return {'gone'", nil},
	{"closed state", "local stored = call('GET', mine)", "local stored = call('GET', mine)\nif stored == 'x' then stored = false end", nil},
	{"closed state of who made the match", "find(stored, '^[xPOAB]')", "find(stored, '^[x]')", nil},
	{"closed by abort", "if side.ticket ~= id then close(side.ticket) end", "", nil},
	{"abort keeps the match", "if side.ticket ~= id then close(side.ticket) end", "close(side.ticket)", nil},
	{"live is not aborted", "if pair.state == 'l' then return {'live', NOW} end", "", nil},
	{"who is to blame", "state == string.upper(other)", "false", nil},
	{"who is to blame, asked again", "why(pair.state, other.name)", "(pair.state == 'P' and 'peer' or 'late')", nil},
	{"peer leaves its pools", "local waits = unqueue(best_id, best)", "local waits = match(best, '^[^;]*', FROM_WAITS)", nil},
	{"seeker leaves its pools", "    if stored then unqueue(id, stored) end\n    call('SET', TICKET_KEY", "    call('SET', TICKET_KEY", nil},
	{"peer is claimed", "    call('SET', TICKET_KEY .. best_id, 'm;' .. id, 'KEEPTTL')\n", "", nil},
	{"leaver leaves its pools", "remember(unqueue(id, record), now - sub(record, FROM_ARRIVED, TO_ARRIVED), '+')\nclose(id)", "close(id)", nil},
	{"leaver leaves its other languages", "elseif wide and byte(stored) ~= WIDE then", "elseif false then", nil},
	{"strict", "", "", func(t *matcher.Ticket) { t.Strict = false }},
	{"first language first", "", "", func(t *matcher.Ticket) { t.Languages = slices.Sorted(slices.Values(t.Languages)) }},
	{"other languages wait for 2 W", "2 * ripe_at - at", "ripe_at", nil},
	{"other languages wait for a repeat", "wide and places or first", "places", nil},
	{"nobody is met before either is ripe", "_at <= now and EVER or NOW", "_at and EVER", nil},
	{"one ripe is enough", "_at <= now and EVER or NOW", "_at and NOW", nil},
	{"one near is enough", "place <= near or from", "from", nil},
	{"oldest first", "if next and (not head or next[1] < head[1]) then", "if next and not head then", nil},
	{"removed entries do not count", "  else\n        head[4] = head[4] + 1\n      end", "  end\n      head[4] = head[4] + 1", nil},
	{"the last entry is nobody", "front and byte(front) ~= END", "front", nil},
	{"overlap wins", "#shared > #best_shared", "false", nil},
	{"overlap window", "local WINDOW = 2000000", "local WINDOW = 20000000", nil},
	{"overlap looks at four", "local WINDOW_EXAMINE = 4", "local WINDOW_EXAMINE = 1", nil},
	{"place is kept", "if #terms > last_choice and", "if false and", nil},
	{"peer is told of the offer", "if other_node ~= node then tell(", "if false then tell(", nil},
	{"peer is told of life", "if other.node ~= mine.node then tell(other.node, 'live'", "if false then tell(other.node, 'live'", nil},
	{"peer is told of an abort", "if other.node ~= pair.mine.node then tell(", "if false then tell(", nil},
	{"new pools expire", "      call('PEXPIRE', pool, POOL_TTL)\n      if front", "      if front", nil},
	{"inboxes expire", "redis.call('PEXPIRE', inbox, INBOX_TTL)", "", nil},
	{"waits expire", "call('PEXPIRE', key, WAITS_TTL)", "", nil},
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
