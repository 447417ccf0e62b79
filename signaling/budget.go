package signaling

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed" // the script stands in a file
	"encoding/base64"
	"fmt"
	"math"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/moderation"
	"parley/retention"
)

//go:embed lua/budget.lua
var budgetLua string

// Budget is how many searches somebody may begin: Burst in a row, and one more Every so often.
type Budget struct {
	Burst int
	Every time.Duration
}

// Limits bound searches. The zero value of a field means its default.
type Limits struct {
	Device  Budget // of one device, on all nodes; default 60, and 3 a minute
	Network Budget // of one IPv4 /24 or IPv6 /48; default 1,200, and 10 a second
	// The same for opening private rooms; default 30 and 3 a minute, and 600 and 5 a second.
	RoomsOfDevice, RoomsOfNetwork Budget
}

func (l Limits) filled() Limits {
	if l.Device == (Budget{}) {
		l.Device = Budget{60, 20 * time.Second}
	}
	if l.Network == (Budget{}) {
		l.Network = Budget{1200, 100 * time.Millisecond}
	}
	if l.RoomsOfDevice == (Budget{}) {
		l.RoomsOfDevice = Budget{30, 20 * time.Second}
	}
	if l.RoomsOfNetwork == (Budget{}) {
		l.RoomsOfNetwork = Budget{600, 200 * time.Millisecond}
	}
	return l
}

// budgets are kept in the store: a new session, or another node, does not fill them again. Their
// names are keyed hashes, and others each day: who was here yesterday cannot be told from others.
type budgets struct {
	rdb    redis.UniversalClient
	key    []byte
	limits Limits
	script *redis.Script
}

func newBudgets(rdb redis.UniversalClient, ring *keyring.Ring, l Limits) budgets {
	return budgets{rdb, ring.Derive("budget"), l.filled(), redis.NewScript(budgetLua)}
}

// Whose a budget is.
const (
	ofDevice byte = iota
	ofNetwork
	roomsOfDevice
	roomsOfNetwork
)

// name is the key of a budget on the day of now.
func (b budgets) name(now time.Time, whose byte, name string) string {
	mac := hmac.New(sha256.New, b.key)
	mac.Write([]byte(now.UTC().Format(time.DateOnly))) // always as long, so that nothing can be moved into it
	mac.Write([]byte{whose})
	mac.Write([]byte(name))
	return retention.Budget.Key(base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:nameBytes]))
}

// nameBytes are 16 characters of a name.
const nameBytes = 12

// spent says that a budget is used up: of whom, and how long until the next search. Zero otherwise.
type spent struct {
	network bool
	wait    time.Duration
}

// take counts a search of a device, if its budget and that of its network allow it. Who cannot be
// counted, because the store is away, may search: the queue is in the same store.
func (b budgets) take(ctx context.Context, now time.Time, d moderation.Device) spent {
	keys := []string{b.name(now, ofDevice, d.Token)}
	args := b.limits.Device.args()
	if d.Net != "" {
		keys = append(keys, b.name(now, ofNetwork, d.Net))
		args = append(args, b.limits.Network.args()...)
	}
	return b.count(ctx, keys, args)
}

// takeRoom is take for opening a private room.
func (b budgets) takeRoom(ctx context.Context, now time.Time, d moderation.Device) spent {
	keys := []string{b.name(now, roomsOfDevice, d.Token)}
	args := b.limits.RoomsOfDevice.args()
	if d.Net != "" {
		keys = append(keys, b.name(now, roomsOfNetwork, d.Net))
		args = append(args, b.limits.RoomsOfNetwork.args()...)
	}
	return b.count(ctx, keys, args)
}

func (b budgets) count(ctx context.Context, keys []string, args []any) spent {
	answer, err := b.script.Run(ctx, b.rdb, keys, args...).Int64Slice()
	if err != nil || len(answer) != 2 || answer[0] <= 0 {
		return spent{}
	}
	return spent{network: answer[1] == 2, wait: time.Duration(answer[0]) * time.Microsecond}
}

func (b Budget) args() []any { return []any{b.Every.Microseconds(), b.Burst} }

// says tells the person when to come back.
func (s spent) says() string {
	if s.network {
		return "many people search from your network at the moment: please try again in " + s.when()
	}
	return "that were many searches in a short time: please try again in " + s.when()
}

// roomSays is says for who opens private rooms.
func (s spent) roomSays() string {
	if s.network {
		return "many private rooms are opened from your network at the moment: please try again in " + s.when()
	}
	return "that were many private rooms in a short time: please try again in " + s.when()
}

func (s spent) when() string {
	seconds := int(math.Ceil(s.wait.Seconds()))
	if seconds > 90 {
		return fmt.Sprintf("%d minutes", (seconds+59)/60)
	}
	return fmt.Sprintf("%d s", seconds)
}
