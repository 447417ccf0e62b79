package store_test

import (
	"strings"
	"testing"

	"parley/internal/store"
)

func TestParse(t *testing.T) {
	for given, want := range map[string]string{
		"embedded":                              "embedded",
		"redis://localhost":                     "redis://localhost:6379",
		"redis://:sesame@localhost:6380/3":      "redis://localhost:6380/3",
		"redis://ana:ses%2Fame@localhost/0":     "redis://localhost:6379",
		"redis://[::1]":                         "redis://[::1]:6379",
		"redis://[::1]:1/":                      "redis://[::1]:1",
		"rediss://ana:sesame@redis.example.org": "rediss://redis.example.org:6379",
		"unix:///run/redis.sock":                "unix:///run/redis.sock",
		"unix:///run/redis.sock?db=2":           "unix:///run/redis.sock?db=2",
		"unix://ana:sesame@/run/redis.sock":     "unix:///run/redis.sock",
		"redis-sentinel://a,b:1/main":           "redis-sentinel://a:26379,b:1/main",
		"redis-sentinel://ana:sesame@a/main/2?tls=true&sentinel-password=sesame": "redis-sentinel://a:26379/main/2?tls=true",
		"redis-cluster://ana:sesame@a:1,b:2,c":                                   "redis-cluster://a:1,b:2,c:6379",
		"redis-cluster://a/?tls=true":                                            "redis-cluster://a:6379?tls=true",
	} {
		w, err := store.Parse(given)
		if err != nil || w.String() != want {
			t.Errorf("%s: %q, %v; want %q", given, w, err, want)
		}
		if secret := strings.Contains(given, "ame"); w.HasSecret() != (secret && strings.Contains(given, "@")) {
			t.Errorf("%s: has a secret: %t", given, w.HasSecret())
		}
		if w.Survives() != strings.HasPrefix(given, "redis-") {
			t.Errorf("%s: survives the death of a server: %t", given, w.Survives())
		}
		if again, err := store.Parse(w.String()); err != nil || again.String() != want {
			t.Errorf("%s: what is shown cannot be read again: %v", given, err)
		}
	}
}

// TestParseRefuses: each wrong address gets one sentence, and none shows a secret.
func TestParseRefuses(t *testing.T) {
	for given, says := range map[string]string{
		"":                                "say embedded, or a URL",
		"localhost:6379":                  "say embedded, or a URL",
		"http://localhost":                "say embedded, or a URL",
		"redis://":                        "name a host",
		"redis://localhost:0":             "a number between 1 and 65535",
		"redis://localhost:sesame":        "a number between 1 and 65535",
		"redis://::1":                     "in brackets",
		"redis://localhost/sesame":        "the database is a number",
		"redis://localhost/1/2":           "the database is a number",
		"redis://a,b":                     "several hosts are for redis-sentinel://",
		"redis://sesame@localhost":        "user:password, or :password",
		"redis://ana:@localhost":          "user:password, or :password",
		"redis://ana:ses/ame@localhost":   "write / as %2F",
		"redis://ana:ses?ame@localhost":   "write / as %2F",
		"redis://ana:ses#ame@localhost":   "write / as %2F",
		"redis://ana:ses%ame@localhost":   "write % as %25",
		"redis://localhost?max_retries=3": "redis:// has no parameter max_retries",
		"redis://localhost?Ses@me=1":      "write / as %2F",
		"redis://localhost?SesAme=1":      "what follows the question mark is no parameter",
		"unix://run/redis.sock":           "three slashes",
		"unix:///":                        "three slashes",
		"unix:///a?db=sesame":             "the database is a number",
		"unix:///a?dbs=1":                 "unix:// has no parameter dbs; there are db",
		"redis-sentinel://a":              "name the master",
		"redis-sentinel://a/":             "name the master",
		"redis-sentinel://a,/main":        "name a host",
		"redis-sentinel://a/main?tls=1":   "tls=true or tls=false",
		"redis-sentinel://a/main?sentinel-password=sesame&sentinel-password=x": "say sentinel-password once",
		"redis-cluster://a/1":           "no numbered databases",
		"redis-cluster://a?db=1":        "redis-cluster:// has no parameter db; there are tls",
		"redis-cluster://a?%zzsesame=1": "is not like name=value",
	} {
		w, err := store.Parse(given)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q, %v; want %q", given, w, err, says)
			continue
		}
		if shown := strings.ToLower(err.Error()); strings.Contains(shown, "sesame") || strings.Contains(shown, "ses%") {
			t.Errorf("%s: a secret is shown: %v", given, err)
		}
	}
}
