package link_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
	"parley/retention"
)

// unsealed is what stands in place of the seal when there is none.
const unsealed = "\x00\x00\x00\x00\x00\x00\x00\x00"

// TestLinkForgets: a node that was forgotten and lives gets a reset when it sends, and so does who
// forgot it; then all goes on.
func TestLinkForgets(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, _ := b.add('a')
		bo, _ := b.add('b')
		b.send(ana, bo, 1)
		b.send(bo, ana, 1)
		b.pass(time.Second)
		bo.Forget(ana.name)
		bo.Forget(name('x'))
		b.pass(time.Minute)
		b.want(ana, "[b 1]")
		b.send(ana, bo, 2) // finds out
		b.pass(time.Second)
		b.send(ana, bo, 3)
		b.send(bo, ana, 2)
		b.pass(time.Second)
		b.want(ana, "[b 1 b reset b reset b 2]")
		b.want(bo, "[a 1 a reset a 3]")
	})
}

// TestLinkDeadNode: nothing is published for a node that was forgotten.
func TestLinkDeadNode(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, _ := b.add('a')
		bo, lines := b.add('b')
		lines.both((*vtest.Fault).Refuse)
		lines.both((*vtest.Fault).Cut)
		b.send(ana, bo, 1, 2)
		b.pass(5 * time.Second)
		if n := ana.Counts().Resends; n < 3 || n > 20 {
			t.Error(n, "resends in 5 s")
		}
		ana.Forget(bo.name)
		before := ana.Counts().Resends
		b.pass(time.Hour)
		if n := ana.Counts().Resends - before; n != 0 {
			t.Error(n, "resends to a node that was forgotten")
		}
		b.want(ana, "[]")
	})
}

// TestLinkOtherVersion: a node that speaks another version is told so, nothing is taken for it, and
// what was taken is given up; two versions never answer each other's answers.
func TestLinkOtherVersion(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, _ := b.add('a')
		future := &node{name: name('z')}
		b.nodes[future.name] = future
		sub := b.server.Subscribe(b.t.Context(), retention.Bus.Key(future.name))
		defer sub.Close()
		if _, err := sub.Receive(b.t.Context()); err != nil {
			t.Fatal(err)
		}
		b.send(ana, future, 1)
		b.pass(0)
		for range 5 {
			b.server.Publish(b.t.Context(), retention.Bus.Key(ana.name), "\x09\x01"+future.name+"12345678whatever comes then")
			b.pass(100 * time.Millisecond)
		}
		b.want(ana, "[z reset]")
		if ana.Send(future.name, "", numbered(2)) {
			t.Error("a message was taken")
		}
		told := 0
		for {
			m, err := sub.ReceiveTimeout(b.t.Context(), time.Second)
			if err != nil {
				break
			}
			if strings.HasPrefix(fmt.Sprint(m), "Message<parley:{b:"+future.name+"}:bus: \x02\x03"+ana.name+unsealed+">") {
				told++
			}
		}
		if told != 1 {
			t.Error("told", told, "times within a second")
		}
		b.server.Publish(b.t.Context(), retention.Bus.Key(ana.name), "\x09\x03"+future.name+unsealed)
		if m, err := sub.ReceiveTimeout(b.t.Context(), 5*time.Second); err == nil {
			t.Error("an answer was answered:", m)
		}
		if n := ana.Counts().Aliens; n != 1 {
			t.Error(n, "nodes of another version")
		}
	})
}

// TestLinkToldOfVersion: a node that is told it is not understood takes nothing more.
func TestLinkToldOfVersion(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, _ := b.add('a')
		bo, _ := b.add('b')
		b.server.Publish(b.t.Context(), retention.Bus.Key(ana.name), "\x07\x03"+bo.name+unsealed)
		b.pass(0)
		if ana.Send(bo.name, "", numbered(1)) {
			t.Error("a message was taken")
		}
		b.want(ana, "[]")
	})
}

// TestLinkGarbage: what is not understood is counted and changes nothing.
func TestLinkGarbage(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, _ := b.add('a')
		bo, _ := b.add('b')
		garbage := []string{
			"", "\x01", "hello", "\x02\x01" + bo.name, "\x02\x01" + bo.name + unsealed, "\x02\x09" + bo.name + unsealed, "\x02\x02" + bo.name + unsealed, "\x02\x01" + strings.Repeat("\xff", 22) + unsealed,
			"\x02\x01" + bo.name + unsealed + strings.Repeat("\xff", 33), "\x02\x01" + bo.name + unsealed + strings.Repeat("\x00", 33) + "\xff\xff\xff\xff",
			"\x02\x01" + bo.name + unsealed + strings.Repeat("\x00", 33) + "\x00\x00\x00\x01x", // a message without a number
		}
		for _, g := range garbage {
			b.server.Publish(b.t.Context(), retention.Bus.Key(ana.name), g)
		}
		b.send(bo, ana, 1)
		b.pass(time.Second)
		b.want(ana, "[b 1]")
		if n := ana.Counts().Garbage; n != int64(len(garbage)) {
			t.Error(n, "of", len(garbage))
		}
	})
}

// TestLinkSlowOwner: while the owner takes nothing, a bounded number waits here, the rest stays with
// the sender, and the sender is refused in the end. Nothing is lost.
func TestLinkSlowOwner(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, _ := b.add('a')
		bo, _ := b.add('b')
		bo.block = make(chan struct{})
		sent := uint64(0)
		for range 200 {
			for range 100 {
				if ana.Send(bo.name, "", numbered(sent+1)) {
					sent++
				}
			}
			b.pass(10 * time.Millisecond)
		}
		if n := ana.Counts().Refused; n == 0 || sent < 8192 || sent > 8192+4096+256 {
			t.Error(sent, "were taken,", n, "refused")
		}
		close(bo.block)
		b.pass(10 * time.Second)
		bo.mu.Lock()
		defer bo.mu.Unlock()
		got := bo.heard[ana.name]
		for i, n := range got {
			if n != uint64(i)+1 {
				t.Fatalf("message %d in place %d", n, i)
			}
		}
		if uint64(len(got)) != sent {
			t.Error(len(got), "of", sent, "arrived", ana.Counts(), bo.Counts())
		}
	})
}

// TestLinkSlowNetwork: 300 ms each way lose nothing, and little is published twice.
func TestLinkSlowNetwork(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, fromAna := b.add('a')
		bo, fromBo := b.add('b')
		for _, l := range []lines{fromAna, fromBo} {
			l.both(func(f *vtest.Fault) { f.Delay(300 * time.Millisecond) })
		}
		for n := range uint64(1000) {
			b.send(ana, bo, n+1)
			b.pass(20 * time.Millisecond)
		}
		b.pass(5 * time.Second)
		bo.mu.Lock()
		defer bo.mu.Unlock()
		if got := len(bo.heard[ana.name]); got != 1000 {
			t.Error(got, "of 1000 arrived")
		}
		if c := ana.Counts(); c.Resets+c.Rebuilds > 0 || c.Resends > 100 {
			t.Errorf("%+v", c)
		}
	})
}

// TestLinkUnconfirmed: a subscription that Redis never confirms is given up for another. All are
// stalled for a second, since the client may subscribe twice by then.
func TestLinkUnconfirmed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, lines := b.add('a')
		lines.sub.DropReplies(100, vtest.StallAfter, "subscribe")
		lines.sub.Cut()
		b.pass(time.Second)
		if ana.Up() || lines.sub.Counts().Dropped == 0 {
			t.Error("up", ana.Up(), "after", lines.sub.Counts())
		}
		lines.sub.Heal()
		b.pass(5 * time.Second)
		b.wantUps(ana, true, false, true)
	})
}

// TestLinkEnds: what was sent before the end is published, and Run leaves nothing behind, which the
// bubble would notice.
func TestLinkEnds(t *testing.T) {
	inBubble(t, func(b *bubble) {
		bo, _ := b.add('b')
		ana, stop := newLines(b.t, b.server.Options()).start(b.t, name('a'), func(other string) *node { return b.nodes[other] })
		b.pass(time.Second)
		b.send(ana, bo, 1, 2, 3)
		stop()
		if ana.Up() {
			t.Error("up, and gone")
		}
		b.pass(0)
		b.want(bo, "[a 1 a 2 a 3]")
	})
}

// TestLinkWithoutRedis: a link that never finds a Redis ends when it is told to.
func TestLinkWithoutRedis(t *testing.T) {
	for _, fault := range []func(*vtest.Fault){(*vtest.Fault).Refuse, func(f *vtest.Fault) { f.Hole(vtest.BothWays) }} {
		inBubble(t, func(b *bubble) {
			l := newLines(b.t, b.server.Options())
			l.both(fault)
			ana, stop := l.start(b.t, name('a'), func(other string) *node { return b.nodes[other] })
			b.pass(time.Minute)
			if ana.Up() {
				t.Error("up without a Redis")
			}
			start := time.Now()
			stop()
			if took := time.Since(start); took > 6*time.Second {
				t.Error("took", took)
			}
			l.both((*vtest.Fault).Cut)
		})
	}
}
