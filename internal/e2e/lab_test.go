package e2e_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"parley/internal/vtest"
)

func TestMain(m *testing.M) { os.Exit(vtest.Build(m, "parley/cmd/parley")) }

// parley is one running server process. It keeps its ports and its state folder over a restart.
type parley struct {
	*vtest.Process
	URL   string
	host  string // where it listens
	relay string // where its relay does
}

// startParley starts the program with free ports and extra arguments; it ends with the test.
func startParley(t testing.TB, extra ...string) *parley {
	t.Helper()
	host := vtest.FreeAddr(t)
	origin := "http://" + localhost(host)
	p := &parley{URL: origin + "/", host: host, relay: vtest.FreeAddr(t)}
	p.Process = vtest.StartProcess(t, "parley", append([]string{
		"--listen", host, "--operator-listen", vtest.FreeAddr(t), "--relay-listen", p.relay,
		"--public-url", origin, "--state", t.TempDir(),
	}, slices.Concat(extra, under(t, extra))...)...)
	p.AwaitSaid("ready")
	return p
}

// forgets has the next start know nothing of the last one: neither keys nor records.
func (p *parley) forgets(t testing.TB) {
	t.Helper()
	p.Args[slices.Index(p.Args, "--state")+1] = t.TempDir()
	if i := slices.Index(p.Args, "--redis"); i >= 0 {
		p.Args[i+1], _ = startStore(t)
	}
}

// again starts the program once more and returns when it says that it is ready.
func (p *parley) again(t testing.TB) {
	t.Helper()
	p.Start()
	p.AwaitSaid("ready")
}

// localhost is an address of 127.0.0.1 under its name.
func localhost(addr string) string { return strings.Replace(addr, "127.0.0.1", "localhost", 1) }
