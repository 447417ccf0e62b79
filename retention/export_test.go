package retention

// Rounded is what is stored instead of a number.
func Rounded(n int) int { return rounded(n) }

// Slowed is a glance at another pace, so that a walk over few keys takes long.
func (g *Glance) Slowed(pace int) *Glance {
	g.pace = pace
	return g
}
