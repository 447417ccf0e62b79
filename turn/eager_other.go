//go:build !unix

package turn

import "net"

// attempt is not known here.
type attempt struct{}

func attemptOn(net.Conn) *attempt { return nil }

func (*attempt) write([]byte) (int, error) { return 0, nil }
