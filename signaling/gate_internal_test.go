package signaling

import "testing"

// TestGateGivenUp: mail from the home is torn while a browser waits for its session there. The socket
// goes to another session, and what the home says behind the tear is not for it.
func TestGateGivenUp(t *testing.T) {
	welcome := []byte("welcome")
	waiting := func() *gate { return &gate{answer: make(chan bool, 1), writing: true} } // no writer: there is no socket

	g := waiting()
	g.end(0)
	if <-g.answer {
		t.Error("a torn pipe is taken")
	}
	if g.push(welcome); len(g.waiting) > 0 {
		t.Error("a welcome of the home reaches the socket of another session")
	}

	g = waiting()
	if g.push(welcome); len(g.waiting) == 0 || !<-g.answer {
		t.Error("the first frame of the home is not taken")
	}
}
