package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/store"
	"parley/retention"
)

// walkTime bounds the look at every key.
const walkTime = time.Minute

// lookAtRedis looks at the store: that of the parley that is to run, not the embedded one of
// another process.
func (d *doctor) lookAtRedis(ctx context.Context) {
	const check = "redis"
	if d.cfg.Redis.IsEmbedded() {
		d.warn(check, fmt.Sprintf("the store is embedded: it forgets everything on exit and takes %d people.", peopleEmbedded), "For anything but a trial set redis to a Redis or Valkey.")
		return
	}
	rdb := d.cfg.Redis.Open()
	defer func() { _ = rdb.Close() }()
	first, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := store.NewWatch(rdb, nil).Ask(first); err != nil {
		d.bad(check, d.cfg.Redis.Explain(err).Error()+".", "Mend the setting redis, or that Redis.")
		return
	}
	d.good(check, "%s takes writes", d.cfg.Redis)
	d.lookAtPassword()
	d.eachServer(ctx, rdb)
	d.lookAtMark(ctx, rdb)
	d.lookAtKeys(ctx, rdb)
}

// lookAtPassword warns of a Redis that lets anybody in who reaches it.
func (d *doctor) lookAtPassword() {
	const check = "redis-password"
	if d.cfg.Redis.HasSecret() {
		d.good(check, "a password is asked for")
		return
	}
	d.warn(check, "Redis asks parley for no password: whoever reaches it reads and changes everything.", "Load deploy/redis-acl with a password of your own, and give redis in a file that PARLEY_REDIS_FILE names.")
}

// eachServer looks at every server that holds keys.
func (d *doctor) eachServer(ctx context.Context, rdb redis.UniversalClient) {
	all, is := rdb.(*redis.ClusterClient)
	if !is {
		d.lookAtServer(ctx, rdb, "Redis")
		return
	}
	var nodes []*redis.Client
	turns := make(chan struct{}, 1) // the masters are visited at the same time
	err := all.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		turns <- struct{}{}
		defer func() { <-turns }()
		nodes = append(nodes, node)
		return nil
	})
	if err != nil {
		d.bad("redis", "the Cluster does not tell its masters.", "See CLUSTER INFO.")
	}
	slices.SortFunc(nodes, func(a, b *redis.Client) int { return strings.Compare(a.Options().Addr, b.Options().Addr) })
	for i, node := range nodes {
		d.lookAtServer(ctx, node, fmt.Sprintf("master %d of the Cluster", i+1))
	}
}

// lookAtServer asks one server what it is and how it keeps things.
func (d *doctor) lookAtServer(ctx context.Context, rdb redis.Cmdable, who string) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	info, err := rdb.Info(ctx).Result()
	if err != nil {
		d.warn("redis", who+" does not tell how it is set up ("+store.Kind(err)+").", "Allow its user what deploy/redis-acl allows.")
		return
	}
	facts := factsOf(info)
	for _, name := range []string{"save", "appendfsync", "auto-aof-rewrite-percentage", "auto-aof-rewrite-min-size"} {
		if told, err := rdb.ConfigGet(ctx, name).Result(); err == nil {
			facts[name] = told[name]
		}
	}
	began := time.Now()
	if now, err := rdb.Time(ctx).Result(); err == nil {
		d.judgeClock(who, time.Since(now)-time.Since(began)/2)
	}
	d.judgeVersion(who, facts)
	d.judgeEviction(who, facts)
	d.judgePersistence(who, facts)
}

// factsOf reads the lines of INFO.
func factsOf(info string) map[string]string {
	facts := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			facts[name] = value
		}
	}
	return facts
}

// oldest is the first version that the tests run on.
const oldest = 7

func (d *doctor) judgeVersion(who string, facts map[string]string) {
	const check = "redis-version"
	name, version := "Redis", facts["redis_version"]
	if v := facts["valkey_version"]; v != "" {
		name, version = "Valkey", v
	}
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	if err != nil || n < oldest {
		d.bad(check, fmt.Sprintf("%s is %s %s, which parley is not tested on.", who, name, version), "Install Redis 7.0 or newer, or Valkey.")
		return
	}
	d.good(check, "%s is %s %s; see that it has its distribution's security updates", who, name, version)
}

func (d *doctor) judgeEviction(who string, facts map[string]string) {
	const check = "redis-eviction"
	if policy := facts["maxmemory_policy"]; policy != "noeviction" {
		d.bad(check, fmt.Sprintf("maxmemory-policy of %s is %s: when its memory is full it throws reports and matches away.", who, policy), "Set maxmemory-policy noeviction in its configuration.")
		return
	}
	d.good(check, "%s keeps what it is given (noeviction)", who)
}

func (d *doctor) judgePersistence(who string, facts map[string]string) {
	const check = "redis-disk"
	switch {
	case facts["aof_enabled"] != "1" && facts["save"] == "":
		d.bad(check, who+" keeps nothing on its disk: when it restarts, reports are gone, and whoever they limited is clear.", "Set appendonly yes in its configuration.")
		return
	case facts["aof_enabled"] != "1":
		d.warn(check, who+" writes no append-only file: what came after its last snapshot is gone when it restarts, reports too.", "Set appendonly yes in its configuration.")
		return
	case facts["aof_last_write_status"] == "err" || facts["aof_last_bgrewrite_status"] == "err":
		d.bad(check, who+" could not write its append-only file the last time.", "See its log, and whether its disk is full.")
		return
	case facts["appendfsync"] == "no":
		d.warn(check, who+" lets the system decide when its append-only file reaches the disk.", "Set appendfsync everysec in its configuration.")
	default:
		d.good(check, "%s writes an append-only file", who)
	}
	d.judgeRewrite(who, facts)
}

// judgeRewrite looks whether what has expired leaves the disk by itself.
func (d *doctor) judgeRewrite(who string, facts map[string]string) {
	const check = "redis-rewrite"
	size, _ := strconv.ParseInt(facts["aof_current_size"], 10, 64)
	least, err := strconv.ParseInt(facts["auto-aof-rewrite-min-size"], 10, 64)
	if err != nil {
		d.warn(check, who+" does not tell when it rewrites its append-only file, without which expired reports stay on the disk.", "Run redis-cli bgrewriteaof daily, as deploy/systemd/parley-rewrite.timer does.")
		return
	}
	if facts["auto-aof-rewrite-percentage"] == "0" || size < least {
		d.warn(check, fmt.Sprintf("%s does not rewrite its append-only file by itself at its present size (%d of %d bytes), so expired reports stay on the disk unless somebody has it rewritten; when that was last done it does not tell.", who, size, least), "Run redis-cli bgrewriteaof daily, as deploy/systemd/parley-rewrite.timer does.")
		return
	}
	d.good(check, "%s rewrites its append-only file by itself as it grows; run redis-cli bgrewriteaof daily all the same", who)
}

// lookAtKeys walks every key, for a limited time.
func (d *doctor) lookAtKeys(ctx context.Context, rdb redis.UniversalClient) {
	const check = "redis-keys"
	ctx, cancel := context.WithTimeout(ctx, walkTime)
	defer cancel()
	faults, err := retention.Audit(ctx, rdb)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && len(faults) == 0:
		d.warn(check, fmt.Sprintf("there are too many keys to look at all of them in %v; those that were are as declared.", walkTime), "Run parley remembered, which takes its time.")
	case err != nil && len(faults) == 0:
		d.warn(check, "the keys cannot be looked at ("+store.Kind(err)+").", "Allow its user what deploy/redis-acl allows.")
	case len(faults) > 0:
		d.bad(check, fmt.Sprintf("%d keys are not as the privacy page says: %s.", len(faults), kinds(faults)), "See who else writes to this Redis; parley remembered lists them.")
	default:
		d.good(check, "every key is declared and expires as declared")
	}
}

// kinds says what is wrong with some keys, each kind once, without their names.
func kinds(faults []retention.Fault) string {
	var all []string
	for _, f := range faults {
		says, _, _ := strings.Cut(f.Says, " for ") // without how long
		if !slices.Contains(all, says) {
			all = append(all, says)
		}
	}
	slices.Sort(all)
	return "one " + strings.Join(all, ", one ")
}
