package matcher_test

import (
	"os/exec"
	"strings"
	"testing"

	"parley/matcher"
)

// mutants are single lines of the scripts, broken.
var mutants = []struct{ name, line, broken string }{
	{"alive check", "not alive(ticket.node) or now", "now"},
	{"alive check of a confirmed peer", "if not alive(other_node) then", "if false then"},
	{"too old to be met", "or now - ticket.arrived >= LONGEST", ""},
	{"too old to join", "if now - me.arrived >= LONGEST then", "if false then"},
	{"avoid check, mine", "and not avoids(me, other.device)", ""},
	{"avoid check, theirs", "and not avoids(other, me.device)", ""},
	{"band check, theirs", "and find(other.meets, my_band, 1, true)", ""},
	{"band check, mine", "for band in gmatch(me.meets, '[^,]+') do", "for band in gmatch('0,1,2', '[^,]+') do"},
	{"same device", "return other.device ~= me.device", "return true"},
	{"second confirm", "if pair.state ~= other then", "if false then"},
	{"confirm of a stranger", "if pair.b_ticket == ticket then return 'b', 'a' end", "do return 'b', 'a' end"},
	{"confirm after abort", "or pair.state == 'aborted' then return {'gone'", "then return {'gone'"},
	{"closed state", "if stored == 'x' then return {'closed', NOW} end", "if stored == 'x' then stored = false end"},
	{"closed by abort", "  close(other_ticket)\n  tell(other_node, 'abort', id, other_ticket, my_node", "  tell(other_node, 'abort', id, other_ticket, my_node"},
	{"live is not aborted", "if pair.state == 'live' then return {'live', NOW} end", ""},
	{"who is to blame", "(pair.state == other or in_time)", "in_time"},
	{"peer leaves its pools", "  unqueue(other)\n  if stored", "  if stored"},
	{"seeker leaves its pools", "if stored then unqueue(me) end\n  claim", "claim"},
	{"peer is claimed", "  claim(other)\n", ""},
	{"seeker is claimed", "  claim(me)\n", ""},
	{"leaver leaves its pools", "unqueue(ticket)\nclose(id)", "close(id)"},
	{"strict", "if strict then break end", ""},
	{"strict, any", "if open or not strict then", "if true then"},
	{"other languages wait for 2 W", "me.arrived + 2 * me.widens", "me.arrived + me.widens"},
	{"nobody is met before either is ripe", "at <= now and '+inf' or NOW", "'+inf'"},
	{"one ripe is enough", "at <= now and '+inf' or NOW", "NOW"},
	{"oldest first", "if heads[i].since < heads[best].since then best = i end", ""},
	{"overlap wins", "#shared > #best.shared", "false"},
	{"overlap window", "local WINDOW = 2000000", "local WINDOW = 20000000"},
	{"overlap looks at four", "local WINDOW_EXAMINE = 4", "local WINDOW_EXAMINE = 1"},
	{"place is kept", "if arrived == 0 or arrived > now then arrived = now end", "arrived = now"},
	{"peer is told of the offer", "tell(other.node, 'offer'", "tell('nowhere', 'offer'"},
	{"peer is told of life", "tell(other_node, 'live'", "tell('nowhere', 'live'"},
	{"pools expire", "call('PEXPIRE', own_keys[i], POOL_TTL)", ""},
	{"inboxes expire", "call('PEXPIRE', inbox, INBOX_TTL)", ""},
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
	const histories = 400
	e := quickest(t)
	examples := []scenario{classic()}
	for i := range histories {
		examples = append(examples, scenarios().Example(i))
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			if strings.Count(matcher.Source(), m.line) == 0 {
				t.Fatal("the line is not in the scripts any more")
			}
			edit := func(source string) string { return strings.ReplaceAll(source, m.line, m.broken) }
			for i := range examples {
				err := play(t.Context(), e, examples[i], edit)
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
