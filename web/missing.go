package web

// newMissing makes the page for an address where nothing is. It says nothing of that address, and
// names its style from the root, because it may be shown at any depth.
func newMissing(s *site) (*file, error) {
	return s.still("missing.html", s.base+"/", "{{base}}", s.base)
}
