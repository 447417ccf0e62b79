package turn

import "net/netip"

// Unreachable returns why the public cannot reach an address, "" if it can: the reasons for which an
// open relay would not send there.
func Unreachable(a netip.Addr) string {
	p := &peers{special: special()}
	return p.forbidsAddr(a)
}
