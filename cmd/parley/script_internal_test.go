package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"parley/internal/vtest"
	"parley/retention"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"parley": main})
}

// TestScripts runs the operator's manual: each file of testdata/script is a session at the shell.
// $WEB, $OPERATOR, $RELAY and $REDIS are free ports; $SERVE are the flags that use them. The
// commands of our own: get URL STATUS TEXT waits until the answer is as said, whoever signed the
// server's certificate; sign CERT KEY NAME... makes one; redis start|stop|flush; hold tcp|udp
// PORT takes a port; dial PORT waits until somebody listens there; proxy is in
// doctor_script_internal_test.go; put N KEY VALUE [LIFETIME] writes N keys, with %d for their
// number; count CLASS N counts calls in the hour that runs. $DOOR and what else setup names are
// more free ports. waitfor FOLDER PATTERN LINES waits until files have so many lines. status N
// COMMAND... runs a command that ends with that exit status. The commands in docs/backup.md lie in
// manual-1.sh and so on.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               setup,
		Cmds:                commands(),
	})
}

// commands are those of our own.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"get":     get,
		"sign":    sign,
		"redis":   redisCommand,
		"hold":    hold,
		"proxy":   proxyCommand,
		"dial":    dialCommand,
		"waitfor": waitFor,
		"put":     put,
		"count":   countCalls,
		"status":  status,
	}
}

// redisKey is where a script keeps its Redis.
type redisKey struct{}

func setup(env *testscript.Env) error {
	for _, name := range []string{"WEB", "OPERATOR", "RELAY", "REDIS", "DOOR", "SILENT", "LATE", "ELSEWHERE"} {
		port, err := freePort()
		if err != nil {
			return err
		}
		env.Setenv(name, port)
	}
	if err := manual(env.WorkDir); err != nil {
		return err
	}
	env.Setenv("SERVE", "")
	env.Setenv("XDG_STATE_HOME", env.WorkDir+"/state")
	env.Setenv("HOME", env.WorkDir)
	env.Values[redisKey{}] = miniredis.NewMiniRedis()
	return nil
}

// manual writes the commands of docs/backup.md into files: manual-1.sh and so on.
func manual(dir string) error {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "backup.md"))
	if err != nil {
		return err
	}
	for i, block := range strings.Split(string(text), "```sh\n")[1:] {
		commands, _, _ := strings.Cut(block, "```")
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("manual-%d.sh", i+1)), []byte(commands), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// freePort returns a port that was free for TCP and UDP a moment ago. It is below those from which
// the system takes one for each connection, so that none of these takes it.
func freePort() (string, error) {
	for range 50 {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		l, err := net.Listen("tcp4", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		l.Close()
		u, err := net.ListenPacket("udp4", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		u.Close()
		return port, nil
	}
	return "", fmt.Errorf("no port is free for TCP and UDP")
}

// get asks until the status and a part of the body are as said, at most 10 s.
func get(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: get URL STATUS TEXT")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	last := "nothing"
	for {
		if status, body, err := ask(ctx, args[0]); err == nil {
			if last = status + " " + body; status == args[1] && strings.Contains(body, args[2]) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			ts.Fatalf("%s: got %s", args[0], last)
		}
	}
}

func ask(ctx context.Context, url string) (status, body string, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	r, err := client.Do(q)
	if err != nil {
		return "", "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return fmt.Sprint(r.StatusCode), string(b), err
}

// sign writes a certificate and its key.
func sign(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: sign CERT KEY NAME...")
	}
	ts.Check(vtest.CertificateFiles(ts.MkAbs(args[0]), ts.MkAbs(args[1]), args[2:]...))
}

// redisCommand starts or stops a Redis on $REDIS.
func redisCommand(ts *testscript.TestScript, _ bool, args []string) {
	server, ok := ts.Value(redisKey{}).(*miniredis.Miniredis)
	if len(args) != 1 || !ok {
		ts.Fatalf("usage: redis start|stop|flush")
	}
	switch args[0] {
	case "start":
		ts.Check(server.StartAddr("127.0.0.1:" + ts.Getenv("REDIS")))
		ts.Defer(server.Close)
	case "stop":
		server.Close()
	case "flush":
		server.FlushAll()
	}
}

// put writes keys into the Redis of the script.
func put(ts *testscript.TestScript, _ bool, args []string) {
	server, ok := ts.Value(redisKey{}).(*miniredis.Miniredis)
	if len(args) != 3 && len(args) != 4 || !ok {
		ts.Fatalf("usage: put N KEY VALUE [LIFETIME]")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	for i := range n {
		key := strings.ReplaceAll(args[1], "%d", strconv.Itoa(i))
		ts.Check(server.Set(key, args[2]))
		if len(args) == 4 {
			lifetime, err := time.ParseDuration(args[3])
			ts.Check(err)
			server.SetTTL(key, lifetime)
		}
	}
}

// countCalls counts calls in the hour that runs.
func countCalls(ts *testscript.TestScript, _ bool, args []string) {
	server, ok := ts.Value(redisKey{}).(*miniredis.Miniredis)
	if len(args) != 2 || !ok {
		ts.Fatalf("usage: count CLASS N")
	}
	key := retention.Hour.Key(strconv.FormatInt(time.Now().Unix()/3600, 10))
	server.HSet(key, args[0], args[1])
	server.SetTTL(key, retention.HourTime)
}

// status runs a command and holds its exit status to what is said.
func status(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND...")
	}
	got, err := 0, ts.Exec(args[1], args[2:]...)
	if ended, is := errors.AsType[*exec.ExitError](err); is {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

// waitFor waits until the files of a folder that fit a pattern have so many lines, at most 10 s.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: waitfor FOLDER PATTERN LINES")
	}
	want, err := strconv.Atoi(args[2])
	ts.Check(err)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	lines := 0
	for range 1000 {
		files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), args[1]))
		ts.Check(err)
		lines = 0
		for _, name := range files {
			text, err := os.ReadFile(name)
			ts.Check(err)
			lines += strings.Count(string(text), "\n")
		}
		if lines >= want {
			return
		}
		<-tick.C
	}
	ts.Fatalf("%d lines", lines)
}

// hold takes a port until the script ends.
func hold(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: hold tcp|udp PORT")
	}
	var held io.Closer
	var err error
	if args[0] == "udp" {
		held, err = net.ListenPacket("udp4", "127.0.0.1:"+args[1])
	} else {
		held, err = net.Listen("tcp4", "127.0.0.1:"+args[1])
	}
	ts.Check(err)
	ts.Defer(func() { held.Close() })
}
