package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/backup"
	"parley/internal/vtest"
	"parley/retention"
)

// both runs a test on the embedded server, in virtual time, and on a real one.
func both(t *testing.T, test func(*testing.T, redis.UniversalClient)) {
	t.Run("embedded", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, vtest.NewRedis(t).Client) })
	})
	t.Run("redis-server", func(t *testing.T) {
		rdb := redis.NewClient(vtest.StartRedis(t))
		defer rdb.Close()
		test(t, rdb)
	})
}

// TestOnEveryServer runs the same on a Sentinel set and a Cluster too.
func TestOnEveryServer(t *testing.T) {
	suite := map[string]func(*testing.T, redis.UniversalClient){
		"RoundTrip": roundTrip, "ExpiredStaysAway": expiredStaysAway, "UsedDatabase": usedDatabase,
		"TakenAway": takenAway, "Interrupted": interrupted, "OtherData": otherData, "NothingToSave": nothingToSave,
	}
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			rdb := e.Start(t)
			for name, test := range suite {
				t.Run(name, func(t *testing.T) {
					emptied(t, rdb)
					test(t, rdb)
				})
			}
		})
	}
}

const newest = 4

// fill writes some records of each kind, 600 reports among them.
func fill(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	ctx := t.Context()
	for i := range 600 {
		life := retention.ReportTime - time.Duration(i)*time.Hour
		rdb.Set(ctx, retention.Report.Key(fmt.Sprintf("device%d", i), "0"), []byte{0, 0xff, byte(i), '\n', '"'}, life)
	}
	rdb.Set(ctx, retention.Record.Key("device1"), "what is kept of it", 3*time.Hour)
	rdb.HSet(ctx, retention.Schema.Key(), "version", newest, "key", "mark", "week:3000", "print")
	rdb.HSet(ctx, retention.Policy.Key(), "revision", "7", "policy", `{"a": "b"}`)
	hour := retention.Hour.Key("500000")
	rdb.HSet(ctx, hour, "short", 3, "long", 1)
	rdb.PExpire(ctx, hour, retention.HourTime-time.Minute)
	rdb.Set(ctx, retention.Ticket.Key("ticket"), "somebody searches", time.Minute)
	if err := rdb.HSet(ctx, retention.Lease.Key(), "node", 1).Err(); err != nil {
		t.Fatal(err)
	}
	rdb.PExpire(ctx, retention.Lease.Key(), time.Minute)
}

// all is everything in rdb, with the ends.
func all(t *testing.T, rdb redis.UniversalClient) map[string]string {
	t.Helper()
	ctx := t.Context()
	held := map[string]string{}
	keys, err := vtest.AllKeys(ctx, rdb)
	if err != nil {
		t.Fatal(err)
	}
	rdb, done := vtest.Admin(rdb)
	defer done()
	for _, key := range keys {
		end, err := rdb.PExpireTime(ctx, key).Result()
		if err != nil {
			t.Fatal(err)
		}
		value, err := rdb.Get(ctx, key).Result()
		if err != nil { // a hash; maps print in order
			value = fmt.Sprint(rdb.HGetAll(ctx, key).Val())
		}
		held[key] = fmt.Sprintf("%q until %d", value, end.Milliseconds())
	}
	return held
}

// emptied takes everything away.
func emptied(t *testing.T, rdb redis.UniversalClient) {
	t.Helper()
	if err := vtest.Flush(t.Context(), rdb); err != nil {
		t.Fatal(err)
	}
}

func saved(t *testing.T, rdb redis.UniversalClient) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := backup.Write(t.Context(), &b, rdb, time.Now()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func opened(t *testing.T, file []byte) *backup.File {
	t.Helper()
	f, err := backup.Open(bytes.NewReader(file), newest)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRoundTrip(t *testing.T) { both(t, roundTrip) }

// roundTrip: what is carried comes back byte for byte with its end, and nothing else does.
func roundTrip(t *testing.T, rdb redis.UniversalClient) {
	fill(t, rdb)
	want := all(t, rdb)
	delete(want, retention.Ticket.Key("ticket"))
	delete(want, retention.Lease.Key())
	file := saved(t, rdb)
	emptied(t, rdb)
	f := opened(t, file)
	if f.Records != 604 || f.Devices != 601 || f.Weeks[3000] != "print" || f.Head.Mark != "mark" {
		t.Errorf("the file says %+v", f)
	}
	done, err := f.Restore(t.Context(), rdb, false, time.Now())
	if err != nil || done != (backup.Restored{Records: 604}) {
		t.Errorf("%+v, %v", done, err)
	}
	if got := all(t, rdb); !maps.Equal(got, want) {
		t.Errorf("%d records came back of %d, or not as they were", len(got), len(want))
	}
	if faults, err := retention.Audit(t.Context(), rdb); err != nil || len(faults) > 0 {
		t.Errorf("audit: %v %v", faults, err)
	}
}

func TestExpiredStaysAway(t *testing.T) { both(t, expiredStaysAway) }

// expiredStaysAway: 31 days later only what lives that long comes back.
func expiredStaysAway(t *testing.T, rdb redis.UniversalClient) {
	fill(t, rdb)
	f := opened(t, saved(t, rdb))
	emptied(t, rdb)
	done, err := f.Restore(t.Context(), rdb, false, time.Now().Add(31*24*time.Hour))
	if err != nil || done != (backup.Restored{Records: 3, Expired: 601}) {
		t.Errorf("%+v, %v", done, err)
	}
	if n := rdb.DBSize(t.Context()).Val(); n != 3 {
		t.Errorf("%d records, want shape, policy and an hour", n)
	}
}

func TestUsedDatabase(t *testing.T) { both(t, usedDatabase) }

// usedDatabase: it is refused; merged, what is there stays, and the rest is added. A database on which
// a node works is always refused.
func usedDatabase(t *testing.T, rdb redis.UniversalClient) {
	ctx := t.Context()
	fill(t, rdb)
	f := opened(t, saved(t, rdb))
	if _, err := f.Restore(ctx, rdb, false, time.Now()); !errors.Is(err, backup.ErrUsed) {
		t.Errorf("a database that is not empty: %v", err)
	}
	rdb.Set(ctx, retention.Record.Key("device1"), "newer", time.Minute)
	rdb.Set(ctx, retention.Report.Key("later", "0"), "newer", time.Hour)
	rdb.HSet(ctx, retention.Policy.Key(), "revision", "8")
	rdb.HSet(ctx, retention.Hour.Key("500000"), "short", 4)
	want := all(t, rdb)
	for _, lost := range []string{retention.Report.Key("device7", "0"), retention.Report.Key("device8", "0")} {
		if err := rdb.Del(ctx, lost).Err(); err != nil {
			t.Fatal(err)
		}
	}
	done, err := f.Restore(ctx, rdb, true, time.Now())
	if err != nil || done != (backup.Restored{Records: 2, Kept: 600, Known: 2}) {
		t.Errorf("%+v, %v", done, err)
	}
	if got := all(t, rdb); !maps.Equal(got, want) {
		t.Error("merged otherwise than promised")
	}
	rdb.HSet(ctx, retention.Lease.Key(), "node", time.Now().Add(time.Second).UnixMilli())
	if _, err := f.Restore(ctx, rdb, true, time.Now()); !errors.Is(err, backup.ErrRunning) {
		t.Errorf("a database at work: %v", err)
	}
}

// sealed gives lines a last line that fits them.
func sealed(lines ...string) []byte {
	text := strings.Join(lines, "\n") + "\n"
	sum := sha256.Sum256([]byte(text))
	return fmt.Appendf([]byte(text), "{\"records\":%d,\"sha256\":%q}\n", len(lines)-1, hex.EncodeToString(sum[:]))
}

// TestDamagedFiles: whatever is missing or changed, nothing of the file is believed.
func TestDamagedFiles(t *testing.T) {
	head := `{"parley":"backup","format":1,"shape":4,"mark":"m","made":"2026-11-22T00:00:00Z"}`
	made := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	report := func(life time.Duration) string {
		return fmt.Sprintf(`{"key":%q,"expires":%d,"text":"eA=="}`, retention.Report.Key("a", "0"), made.Add(life).UnixMilli())
	}
	good := sealed(head, report(time.Hour), report(time.Minute))
	if f := opened(t, good); f.Records != 2 {
		t.Fatalf("%d records: the test shows nothing", f.Records)
	}
	for n := range good[:len(good)-1] {
		_, err := backup.Open(bytes.NewReader(good[:n]), newest)
		if !errors.Is(err, backup.ErrCut) && !errors.Is(err, backup.ErrNoBackup) {
			t.Errorf("cut off after %d of %d bytes: %v", n, len(good), err)
		}
	}
	for n := range good[:len(good)-1] {
		changed := bytes.Clone(good)
		changed[n] ^= 1
		if _, err := backup.Open(bytes.NewReader(changed), newest); err == nil {
			t.Errorf("byte %d was changed and nobody noticed", n)
		}
	}
	for name, test := range map[string]struct {
		file []byte
		want error
	}{
		"a newer format":     {sealed(strings.Replace(head, `"format":1`, `"format":2`, 1)), backup.ErrNewer},
		"strange to us":      {sealed(strings.Replace(head, `"shape":4`, `"shape":5`, 1), `{"new":1}`), backup.ErrNewer},
		"strange, damaged":   {bytes.Replace(sealed(head, report(time.Hour), report(time.Minute)), []byte("parley:{d}"), []byte("parley:{e}"), 1), backup.ErrChanged},
		"a newer shape":      {sealed(strings.Replace(head, `"shape":4`, `"shape":5`, 1)), backup.ErrNewer},
		"something else":     {[]byte("REDIS0011\n"), backup.ErrNoBackup},
		"nothing":            {nil, backup.ErrNoBackup},
		"lives for too long": {sealed(head, report(retention.ReportTime+time.Hour)), backup.ErrForeign},
		"never expires":      {sealed(head, fmt.Sprintf(`{"key":%q,"text":"eA=="}`, retention.Report.Key("a", "0"))), backup.ErrForeign},
		"a stray key":        {sealed(head, `{"key":"session:1","expires":1,"text":"eA=="}`), backup.ErrForeign},
		"not to be carried":  {sealed(head, fmt.Sprintf(`{"key":%q,"expires":1,"text":"eA=="}`, retention.Ticket.Key("t"))), backup.ErrForeign},
		"another type":       {sealed(head, fmt.Sprintf(`{"key":%q,"expires":1,"fields":{}}`, retention.Report.Key("a", "0"))), backup.ErrForeign},
		"more behind it":     {append(bytes.Clone(good), good...), backup.ErrChanged},
	} {
		if _, err := backup.Open(bytes.NewReader(test.file), newest); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestTakenAway(t *testing.T) { both(t, takenAway) }

// takenAway: merging brings nothing back of a device that gave its token up since the backup, nor of
// one of whose reports some were voided; nor does it touch what the database says of them.
func takenAway(t *testing.T, rdb redis.UniversalClient) {
	ctx := t.Context()
	fill(t, rdb)
	rdb.Set(ctx, retention.Record.Key("device2"), "what is kept of it", time.Hour)
	rdb.Set(ctx, retention.Report.Key("device2", "1"), "voided later", time.Hour)
	rdb.Set(ctx, retention.Record.Key("device3"), "what is kept of it", time.Hour)
	f := opened(t, saved(t, rdb))
	rdb.Del(ctx, retention.Report.Key("device1", "0"))
	rdb.Set(ctx, retention.Record.Key("device1"), "a mark", time.Hour)
	rdb.Del(ctx, retention.Report.Key("device2", "1"))
	want := all(t, rdb)
	rdb.Del(ctx, retention.Report.Key("device3", "0")) // lost, the record too
	rdb.Del(ctx, retention.Record.Key("device3"))
	done, err := f.Restore(ctx, rdb, true, time.Now())
	if err != nil || done != (backup.Restored{Records: 2, Kept: 600, Known: 5}) {
		t.Errorf("%+v, %v", done, err)
	}
	if got := all(t, rdb); !maps.Equal(got, want) {
		t.Errorf("%d records, want %d as they were before two were lost", len(got), len(want))
	}
}

func TestInterrupted(t *testing.T) { both(t, interrupted) }

// interrupted: a restore that Redis refused halfway is completed by merging the same file.
func interrupted(t *testing.T, rdb redis.UniversalClient) {
	ctx := t.Context()
	fill(t, rdb)
	rdb.Del(ctx, retention.Ticket.Key("ticket"))
	rdb.Del(ctx, retention.Lease.Key())
	want := all(t, rdb)
	f := opened(t, saved(t, rdb))
	emptied(t, rdb)
	stop := &stopping{left: 2}
	rdb.AddHook(stop)
	if _, err := f.Restore(ctx, rdb, false, time.Now()); !errors.Is(err, errStopped) {
		t.Fatalf("not interrupted: %v", err)
	}
	stop.left = -1
	if n := len(all(t, rdb)); n == 0 || n == len(want) {
		t.Fatalf("%d records of %d: the test shows nothing", n, len(want))
	}
	if _, err := f.Restore(ctx, rdb, true, time.Now()); err != nil {
		t.Error(err)
	}
	if got := all(t, rdb); !maps.Equal(got, want) {
		t.Errorf("%d records, want %d", len(got), len(want))
	}
}

var errStopped = errors.New("stopped")

// stopping lets a number of pipelines through, and none after them; all while it is negative.
type stopping struct{ left int }

func (s *stopping) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (s *stopping) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (s *stopping) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		if s.left == 0 {
			for _, c := range commands {
				c.SetErr(errStopped)
			}
			return errStopped
		}
		if s.left > 0 {
			s.left--
		}
		return next(ctx, commands)
	}
}

func TestOtherData(t *testing.T) { both(t, otherData) }

// otherData: what was made with another key file or has another shape is not merged with, and nothing
// is written. A database that lost its mark, as an operator may wish, and one without any data of
// parley's have nothing against it.
func otherData(t *testing.T, rdb redis.UniversalClient) {
	ctx := t.Context()
	fill(t, rdb)
	f := opened(t, saved(t, rdb))
	for name, test := range map[string]struct {
		schema []any
		want   error
	}{
		"another key file": {[]any{"version", newest, "key", "another"}, backup.ErrKeys},
		"a newer shape":    {[]any{"version", newest + 1, "key", "mark"}, backup.ErrShape},
		"an older shape":   {[]any{"version", newest - 1, "key", "mark"}, backup.ErrShape},
		"no shape":         {nil, backup.ErrNoShape},
		"no mark":          {[]any{"version", newest}, nil},
	} {
		emptied(t, rdb)
		rdb.HSet(ctx, retention.Policy.Key(), "revision", "8")
		if test.schema != nil {
			rdb.HSet(ctx, retention.Schema.Key(), test.schema...)
		}
		before := all(t, rdb)
		done, err := f.Restore(ctx, rdb, true, time.Now())
		if !errors.Is(err, test.want) || test.want == nil && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if wrote := !maps.Equal(all(t, rdb), before); wrote != (test.want == nil) || wrote != (done.Records > 0) {
			t.Errorf("%s: written: %v, %+v", name, wrote, done)
		}
	}
	emptied(t, rdb)
	rdb.Set(ctx, retention.Ticket.Key("ticket"), "somebody searches", time.Minute)
	if _, err := f.Restore(ctx, rdb, true, time.Now()); err != nil {
		t.Errorf("no data: %v", err)
	}
}

// TestPace: a backup looks at no more keys a second than a census does, and reads no more.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t).Client
		fill(t, rdb)
		const keys, carried = 606, 604 // two waits, each cut to a nanosecond
		began := time.Now()
		saved(t, rdb)
		if took, least := time.Since(began), (keys+carried)*time.Second/retention.CountPace; took < least-2 {
			t.Errorf("%v, want %v or longer", took, least)
		}
	})
}

func TestNothingToSave(t *testing.T) { both(t, nothingToSave) }

// nothingToSave: a database that is not parley's makes no file that could be restored.
func nothingToSave(t *testing.T, rdb redis.UniversalClient) {
	if _, err := backup.Write(t.Context(), &bytes.Buffer{}, rdb, time.Now()); !errors.Is(err, backup.ErrEmpty) {
		t.Errorf("%v", err)
	}
}

// TestCarriedKinds: a class of a type that a backup does not know would be left out of it.
func TestCarriedKinds(t *testing.T) {
	for _, it := range retention.Catalogue() {
		if it.Carried && (it.Kind != "string" && it.Kind != "hash" || it.Kind == "string" && it.TTL == 0) {
			t.Errorf("%s is a %s: teach the backup to carry that", it.Name, it.Kind)
		}
	}
}
