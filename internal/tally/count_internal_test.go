package main

import (
	"bufio"
	"strings"
	"testing"
)

const green = `{"Action":"start","Package":"parley/matcher"}
{"Action":"run","Package":"parley/matcher","Test":"TestJoin"}
{"Action":"run","Package":"parley/matcher","Test":"TestJoin/miniredis"}
{"Action":"pass","Package":"parley/matcher","Test":"TestJoin/miniredis"}
{"Action":"run","Package":"parley/matcher","Test":"TestJoin/redis-server"}
{"Action":"output","Package":"parley/matcher","Test":"TestJoin/redis-server","Output":"    redis.go:73: redis-server is not installed: apt-get install redis-server\n"}
{"Action":"REDIS","Package":"parley/matcher","Test":"TestJoin/redis-server"}
{"Action":"REDIS","Package":"parley/matcher","Test":"TestJoin/sentinel"}
{"Action":"REDIS","Package":"parley/matcher","Test":"TestJoin/cluster/moving"}
{"Action":"pass","Package":"parley/matcher","Test":"TestJoin"}
{"Action":"AUTHORITY","Package":"parley/matcher","Test":"TestPebble"}
{"Action":"output","Package":"parley/matcher","Output":"PASS\n"}
{"Action":"output","Package":"parley/matcher","Output":"ok  \tparley/matcher\t0.1s\n"}
{"Action":"pass","Package":"parley/matcher"}
{"Action":"run","Package":"parley/internal/e2e","Test":"TestCall"}
{"Action":"output","Package":"parley/internal/e2e","Test":"TestCall","Output":"    call_test.go:9: hangs_up_ms median=3\n"}
{"Action":"output","Package":"parley/internal/e2e","Test":"TestCall","Output":"    call_test.go:10: they talked\n"}
{"Action":"BROWSER","Package":"parley/internal/e2e","Test":"TestCall"}
{"Action":"output","Package":"parley/internal/e2e","Output":"ok  \tparley/internal/e2e\t9.1s\n"}
{"Action":"pass","Package":"parley/internal/e2e"}
`

const red = `{"Action":"run","Package":"parley/turn","Test":"TestDeny"}
{"Action":"output","Package":"parley/turn","Test":"TestDeny","Output":"=== RUN   TestDeny\n"}
{"Action":"output","Package":"parley/turn","Test":"TestDeny","Output":"    deny_test.go:9: 127.0.0.1 got through\n"}
{"Action":"fail","Package":"parley/turn","Test":"TestDeny"}
{"Action":"run","Package":"parley/turn","Test":"TestQuiet"}
{"Action":"output","Package":"parley/turn","Test":"TestQuiet","Output":"    deny_test.go:19: nothing to see\n"}
{"Action":"pass","Package":"parley/turn","Test":"TestQuiet"}
{"Action":"output","Package":"parley/turn","Output":"FAIL\tparley/turn\t0.1s\n"}
{"Action":"fail","Package":"parley/turn"}
`

const broken = `{"Action":"build-output","ImportPath":"parley/web","Output":"web/x.go:1:1: syntax error\n"}
{"Action":"build-fail","ImportPath":"parley/web"}
{"Action":"output","Package":"parley/web","Output":"FAIL\tparley/web [build failed]\n"}
{"Action":"fail","Package":"parley/web","FailedBuild":"parley/web"}
`

func TestCount(t *testing.T) {
	all := strings.NewReplacer("REDIS", "pass", "BROWSER", "pass", "AUTHORITY", "pass").Replace(green)
	for _, c := range []struct {
		name, events string
		ok           bool
		says, hides  []string
	}{
		{
			"everything ran", all, true,
			[]string{"ok  \tparley/matcher\t0.1s\n", "\nhangs_up_ms median=3\n", "browser tests: 1 passed\n", "real Redis tests: 3 passed\n", "real authority tests: 1 passed\n", "6 passed, 0 failed, 0 skipped\n"},
			[]string{"PASS", "not installed", "they talked"},
		},
		{
			"no redis", strings.NewReplacer("REDIS", "skip", "BROWSER", "pass", "AUTHORITY", "pass").Replace(green), false,
			[]string{"skipped 1: redis-server is not installed: apt-get install redis-server\n", "FAIL: real Redis tests are required", "3 passed, 0 failed, 3 skipped\n"},
			[]string{"FAIL: browser", "FAIL: real authority"},
		},
		{
			"no authority", strings.NewReplacer("REDIS", "pass", "BROWSER", "pass", "AUTHORITY", "skip").Replace(green), false,
			[]string{"FAIL: real authority tests are required", "5 passed, 0 failed, 1 skipped\n"},
			[]string{"FAIL: browser", "FAIL: real Redis"},
		},
		{
			"no browser", strings.NewReplacer("REDIS", "pass", "BROWSER", "skip", "AUTHORITY", "pass").Replace(green), false,
			[]string{"FAIL: browser tests are required", "5 passed, 0 failed, 1 skipped\n"},
			[]string{"FAIL: real Redis"},
		},
		{
			"a test fails", all + red, false,
			[]string{"127.0.0.1 got through", "FAIL\tparley/turn", "failed: parley/turn TestDeny\n", "7 passed, 1 failed, 0 skipped\n"},
			[]string{"nothing to see", "=== RUN"},
		},
		{
			"a package does not build", all + broken, false,
			[]string{"web/x.go:1:1: syntax error", "[build failed]", "6 passed, 1 failed, 0 skipped\n"},
			nil,
		},
		{"nothing ran", "", false, []string{"0 passed, 0 failed, 0 skipped\n"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			counted := newCount(&out)
			if err := counted.read(bufio.NewReader(strings.NewReader(c.events))); err != nil {
				t.Fatal(err)
			}
			if ok := counted.close(func(string) bool { return true }); ok != c.ok {
				t.Errorf("ok = %v, want %v", ok, c.ok)
			}
			for _, want := range c.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("does not say %q:\n%s", want, out.String())
				}
			}
			for _, no := range c.hides {
				if strings.Contains(out.String(), no) {
					t.Errorf("says %q:\n%s", no, out.String())
				}
			}
		})
	}
}
