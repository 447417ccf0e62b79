package e2e_test

import (
	"sync/atomic"
	"testing"

	"parley/internal/vtest"
)

// gate is a door that leads to one server at a time.
type gate struct {
	*vtest.Door
	to atomic.Pointer[string]
}

// newGate opens a door at addr (a free address given by the caller) to another address.
func newGate(t testing.TB, addr, to string) *gate {
	t.Helper()
	g := &gate{}
	g.to.Store(&to)
	g.Door = vtest.NewDoor(t, addr, func() []string { return []string{*g.to.Load()} })
	return g
}

// Turn leads new connections elsewhere and cuts the others, as a balancer does when a server dies.
func (g *gate) Turn(to string) {
	g.to.Store(&to)
	g.Cut("")
}
