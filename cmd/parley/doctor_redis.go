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
		d.bad(check, d.cfg.Redis.Explain(err).Error()+".", "Then run the doctor again; redis-cli -u with the same address should answer PONG to ping.")
		return
	}
	d.good(check, "%s takes writes", d.cfg.Redis)
	d.lookAtPassword(ctx)
	d.eachServer(ctx, rdb)
	d.lookAtMark(ctx, rdb)
	d.lookAtKeys(ctx, rdb)
}

// lookAtPassword comes to Redis as a stranger would, without a password, and warns when it answers.
func (d *doctor) lookAtPassword(ctx context.Context) {
	const check = "redis-password"
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	rdb := d.cfg.Redis.Stranger().Open()
	defer func() { _ = rdb.Close() }()
	switch err := rdb.Ping(ctx).Err(); {
	case err == nil:
		d.warn(check, "Redis answers without a password: whoever reaches it reads and changes everything that its user default may.", "Load deploy/redis-acl with a password of your own, and give redis in a file that PARLEY_REDIS_FILE names.")
	case strings.Contains(err.Error(), "NOAUTH"):
		d.good(check, "a password is asked for")
	default:
		d.warn(check, "whether Redis asks strangers for a password cannot be told ("+store.Kind(err)+").", "Try redis-cli ping without a password from this machine: the answer should be NOAUTH.")
	}
}

// eachServer looks at every server that holds keys.
func (d *doctor) eachServer(ctx context.Context, rdb redis.UniversalClient) {
	servers, err := serversOf(ctx, rdb)
	if err != nil {
		d.bad("redis", "the Cluster does not tell its masters.", "See CLUSTER INFO.")
	}
	_, many := rdb.(*redis.ClusterClient)
	for _, server := range servers {
		who := "Redis"
		if node, is := server.(*redis.Client); is && many {
			who = "the master " + node.Options().Addr
		}
		if facts := d.lookAtServer(ctx, server, who); facts != nil {
			d.judgePersistence(who, facts, d.rewritten(ctx, rdb, facts))
			d.judgeReplicas(who, facts)
		}
	}
}

// judgeReplicas looks whether somebody could take the place of a server, where that is what Redis is
// set up for.
func (d *doctor) judgeReplicas(who string, facts map[string]string) {
	const check = "redis-replicas"
	switch n, err := strconv.Atoi(facts["connected_slaves"]); {
	case !d.cfg.Redis.Survives():
	case err != nil || n == 0:
		d.warn(check, who+" has no replica: when it dies, nobody takes its place.", "Start one and let it follow that server, or mend the replication of those that there are.")
	default:
		d.good(check, "%s has replicas (%d), one of which takes its place when it dies", who, n)
	}
}

// rewritten tells whether a node had a server rewrite its append-only file within the day.
func (d *doctor) rewritten(ctx context.Context, rdb redis.UniversalClient, facts map[string]string) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return rdb.Exists(ctx, retention.Rewrite.Key(serverName(facts["run_id"]))).Val() == 1
}

// lookAtServer asks one server what it is and how it keeps things; nil if it does not tell.
func (d *doctor) lookAtServer(ctx context.Context, rdb redis.Cmdable, who string) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	info, err := rdb.Info(ctx).Result()
	if err != nil {
		d.warn("redis", who+" does not tell how it is set up ("+store.Kind(err)+").", "Allow its user what deploy/redis-acl allows.")
		return nil
	}
	facts := factsOf(info)
	for _, name := range []string{"save", "appendfsync"} {
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
	return facts
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

func (d *doctor) judgePersistence(who string, facts map[string]string, rewritten bool) {
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
	d.judgeRewrite(who, rewritten)
}

// judgeRewrite looks whether what has expired leaves the disk.
func (d *doctor) judgeRewrite(who string, rewritten bool) {
	const check = "redis-rewrite"
	switch {
	case rewritten:
		d.good(check, "%s was told within the day to rewrite its append-only file, so that what has expired leaves the disk", who)
	case d.runs:
		d.warn(check, who+" was not told within the day to rewrite its append-only file, and what has expired stays on the disk.", "If parley has run for more than "+rewriteFirst.String()+", see its log: it says what Redis refused.")
	default:
		d.good(check, "%s is told to rewrite its append-only file once parley has run for %v, and daily then; that was not so within the last day", who, rewriteFirst)
	}
}

// lookAtKeys looks at every key, no faster than the nodes count them, for a limited time.
func (d *doctor) lookAtKeys(ctx context.Context, rdb redis.UniversalClient) {
	const check = "redis-keys"
	ctx, cancel := context.WithTimeout(ctx, walkTime)
	defer cancel()
	c, err := retention.Count(ctx, rdb, retention.CountPace)
	looked := ""
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		looked = fmt.Sprintf("; only %d keys were looked at, for want of time", c.Keys)
	case err != nil:
		looked = fmt.Sprintf("; only %d keys were looked at (%s)", c.Keys, store.Kind(err))
	}
	switch {
	case c.Faulty > 0:
		d.bad(check, fmt.Sprintf("%d keys are not as the privacy page says: %s%s.", c.Faulty, kinds(c.Faults), looked), "See who else writes to this Redis; parley remembered lists them.")
	case errors.Is(err, context.DeadlineExceeded):
		d.warn(check, strings.TrimPrefix(looked, "; ")+"; those are as declared.", "Run parley remembered, which takes its time.")
	case err != nil:
		d.warn(check, strings.TrimPrefix(looked, "; ")+"; those are as declared.", "Allow its user what deploy/redis-acl allows.")
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
