package day_test

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/day"
	"parley/internal/simulate"
	"parley/internal/vtest"
	"parley/retention"
)

func TestMain(m *testing.M) { os.Exit(vtest.Build(m, "parley/cmd/parley")) }

// house is a parley that runs on a real Redis with append-only files, and what is left of it to read.
type house struct {
	t        *testing.T
	servers  []*vtest.Server       // all that hold keys, replicas too
	redis    redis.UniversalClient // of somebody who may see everything
	page     string
	operator string
	log      string
	token    string
	audit    string
	program  *exec.Cmd
	config   day.Config
	canaries day.Canaries
}

// newHouse starts both. The log tells everything, and Redis packs nothing, so that what is on its disk
// can be searched.
func newHouse(t *testing.T, on vtest.Engine) *house {
	t.Helper()
	at, servers := on.Run(t, "--appendonly", "yes", "--rdbcompression", "no", "--loglevel", "debug")
	admin, closeAdmin := vtest.Admin(vtest.Open(t, at))
	t.Cleanup(closeAdmin)
	dir, listen, operator := t.TempDir(), vtest.FreeAddr(t), vtest.FreeAddr(t)
	h := &house{
		t: t, servers: servers, redis: admin, page: "http://" + listen, operator: "http://" + operator,
		log: filepath.Join(dir, "log"), audit: filepath.Join(dir, "audit.jsonl"),
	}
	flags := []string{
		"--redis", at, "--state", filepath.Join(dir, "state"), "--operator-tokens", filepath.Join(dir, "operators"),
		"--audit-file", h.audit, "--trusted-proxies", "127.0.0.0/8", "--public-url", h.page,
	}
	h.token = strings.TrimSpace(string(h.shell(append([]string{"console", "token", "mira"}, flags...)...)))
	h.token, _, _ = strings.Cut(h.token, "\n")
	h.start(append(flags, "--listen", listen, "--operator-listen", operator, "--relay-listen", vtest.FreeAddr(t), "--log-level", "debug"))
	target, err := simulate.ParseTarget(h.page)
	if err != nil {
		t.Fatal(err)
	}
	h.config = day.Config{Target: target, Operator: h.operator, Token: h.token, Seed: 7, Progress: t.Output()}
	return h
}

func (h *house) shell(args ...string) []byte {
	h.t.Helper()
	command := exec.CommandContext(h.t.Context(), vtest.Program("parley"), args...)
	command.Env = []string{"HOME=" + h.t.TempDir()} // ours has PARLEY_ variables of the tests
	var errs bytes.Buffer
	command.Stderr = &errs
	out, err := command.Output()
	if err != nil {
		h.t.Fatalf("parley %q: %v\n%s", args, err, &errs)
	}
	return out
}

// start runs the program until the end of the test. All that it says goes to the log.
func (h *house) start(args []string) {
	h.t.Helper()
	log, err := os.Create(h.log)
	if err != nil {
		h.t.Fatal(err)
	}
	command := exec.Command(vtest.Program("parley"), args...)
	h.program = command
	command.Env = []string{"HOME=" + h.t.TempDir()}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		h.stop()
		log.Close()
	})
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ready(ctx, h.operator) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			text, _ := os.ReadFile(h.log)
			h.t.Fatalf("parley is not ready:\n%s", text)
		}
	}
}

// stop ends the program. It may be repeated.
func (h *house) stop() {
	if h.program != nil {
		_ = h.program.Process.Kill()
		_ = h.program.Wait() // killed: the error says just that
		h.program = nil
	}
}

func ready(ctx context.Context, operator string) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, operator+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// scene is all that can be read.
func (h *house) scene(pages map[string][]byte) day.Scene {
	return day.Scene{Redis: h.redis, Files: append(h.onServers(), h.log, h.audit), Pages: pages}
}

// onServers are the folders of all servers.
func (h *house) onServers() (dirs []string) {
	for _, s := range h.servers {
		dirs = append(dirs, s.Dir)
	}
	return dirs
}

// inspect searches it.
func (h *house) inspect(pages map[string][]byte) day.Report {
	h.t.Helper()
	r, err := day.Inspect(h.t.Context(), h.scene(pages), h.canaries.Net())
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// play plays the day, looks at noon and at its end, and returns what was seen then.
func (h *house) play(people int, rate float64, long time.Duration) (*day.Played, day.Report) {
	h.t.Helper()
	h.config.People, h.config.Rate, h.config.For = people, rate, long
	var noon day.Report
	h.config.Noon = func() { noon = h.inspect(nil) }
	played, err := day.Play(h.t.Context(), h.config, &h.canaries)
	if err != nil {
		h.t.Fatal(err)
	}
	end := h.inspect(played.Pages)
	h.t.Logf("did: %s", day.Counts(played.Acts))
	h.t.Logf("planted: %s", day.Counts(h.canaries.Counts()))
	h.t.Logf("keys at noon: %s", day.Counts(noon.Keys))
	h.t.Logf("keys at the end: %s", day.Counts(end.Keys))
	h.t.Logf("searched %.1f MB in %d keys, %d files and %d pages", float64(noon.Bytes+end.Bytes)/1e6, sum(noon.Keys)+sum(end.Keys), noon.Files+end.Files, end.Pages)
	for _, f := range slices.Concat(noon.Faults, end.Faults) {
		h.t.Error(f)
	}
	return played, end
}

func sum(all map[string]int) (n int) {
	for _, k := range all {
		n += k
	}
	return n
}

// number reads a number of the environment.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// TestDay plays a day with everything that people, friends, operators and strangers at the door do,
// on each shape of a real Redis, and searches all that is left. In the gate some hundred people come
// within 20 s; make day lets PARLEY_DAY a second come for a minute.
func TestDay(t *testing.T) {
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) { wholeDay(t, newHouse(t, e)) })
	}
}

func wholeDay(t *testing.T, h *house) {
	t.Helper()
	rate, long := number(t, "PARLEY_DAY", 25), 15*time.Second
	h.config.Rounds, h.config.Sound = 4, 0.1
	if os.Getenv("PARLEY_DAY") != "" {
		long, h.config.Rounds = 50*time.Second, 24
	}
	played, end := h.play(40*rate, float64(rate), long)
	for _, act := range []string{
		"people", "calls", "calls with sound", "sockets dropped", "reports", "blocks", "texts", "make", "enter", "admit", "standing", "review", "answer", "erase",
		"console overview", "requests",
	} {
		if played.Acts[act] == 0 {
			t.Errorf("nobody did this: %s", act)
		}
	}
	for _, kind := range []string{
		"address", "network", "device", "digest", "browser", "session", "handle", "pass", "avoid token", "relay user", "relay credential",
		"text", "envelope", "phrase", "password", "channel", "room tag", "review code", "operator token", "guessed token",
	} {
		if h.canaries.Counts()[kind] == 0 {
			t.Errorf("nothing of this kind was planted: %s", kind)
		}
	}
	h.month()
	for _, class := range []retention.Class{retention.Report, retention.Record, retention.Window, retention.Hour, retention.Schema, retention.Burnt} {
		if end.Keys[class.String()] == 0 {
			t.Errorf("no key of the class %s was there to look at: %s", class, day.Counts(end.Keys))
		}
	}
}

// TestDayFindsFaults: after a quiet day whatever breaks the promise makes the inspection fail, and
// nothing else does.
func TestDayFindsFaults(t *testing.T) {
	h := newHouse(t, vtest.Engines()[0])
	h.config.Rounds = 1
	_, _ = h.play(10, 3, 3*time.Second)
	if t.Failed() {
		return
	}
	rdb, ctx := h.redis, t.Context()
	address := "10.157.64.1" // of the first guest, as the proxy said it
	if n := h.canaries.Net().Search([]byte(address)); len(n) == 0 {
		t.Fatal("no guest came from ", address)
	}
	record, window := anyKey(t, rdb, retention.Record), anyKey(t, rdb, retention.Window)
	for name, c := range map[string]struct {
		breaks, mends func()
		says          string
	}{
		"an undeclared key": {
			func() { rdb.Set(ctx, "parley:{m}:visitors", "3", time.Minute) }, func() { rdb.Del(ctx, "parley:{m}:visitors") },
			`the key "parley:{m}:visitors" is not in the catalogue`,
		},
		"a missing lifetime": {
			func() { rdb.Persist(ctx, record) }, func() { rdb.Expire(ctx, record, time.Hour) }, "never expires",
		},
		"a longer lifetime": {
			func() { rdb.Expire(ctx, record, 31*24*time.Hour) }, func() { rdb.Expire(ctx, record, time.Hour) }, "declared at most",
		},
		"a logged address": {
			func() { h.writes(h.log, `level=DEBUG msg="socket opened" from=`+address+"\n") }, func() { h.forgets(h.log, address) },
			"the file " + h.log + " holds a canary: address, as it is",
		},
		"a canary in a value": {
			func() { rdb.HSet(ctx, window, "calls", address) },
			func() { rdb.Del(ctx, window) },
			"holds a canary: address, as it is",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.breaks()
			says := strings.Join(h.inspect(nil).Faults, "\n")
			c.mends()
			if !strings.Contains(says, c.says) {
				t.Errorf("the inspection says %q, want %q", says, c.says)
			}
		})
	}
}

// anyKey returns a key of a class.
func anyKey(t *testing.T, rdb redis.UniversalClient, c retention.Class) string {
	t.Helper()
	all, err := vtest.AllKeys(t.Context(), rdb)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range all {
		if of, _ := retention.ClassOf(key); of == c {
			return key
		}
	}
	t.Fatalf("there is no %s", c)
	return ""
}

func (h *house) writes(path, line string) {
	h.t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		h.t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString(line); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) forgets(path, text string) {
	h.t.Helper()
	held, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(held, []byte(text), []byte("[address]")), 0o600); err != nil {
		h.t.Fatal(err)
	}
}
