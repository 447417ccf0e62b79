package simulate

// Studio bounds connections.
type Studio = studio

// NewStudio makes one for so many.
func NewStudio(most int) (*Studio, error) { return newStudio(most) }

// Enter asks for a place in a call.
func (s *studio) Enter(room string) bool { return s.enter(room) }

// Leave gives it back.
func (s *studio) Leave(room string) { s.leave(room) }

// Quiet is what is played.
func Quiet() []byte { return quiet() }
