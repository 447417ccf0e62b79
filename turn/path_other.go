//go:build !linux

package turn

import (
	"errors"
	"net"
	"net/netip"
)

// Without recvmmsg there is no packet path: the relay runs on datagrams.
type path struct{ plane }

func newPath(*site, *net.UDPConn) (*path, error) { return nil, errors.ErrUnsupported }

type (
	sockaddr struct{}
	door     struct{}
)

func (d *door) close() {}

func (p *path) name(netip.AddrPort) sockaddr          { return sockaddr{} }
func (p *path) open(*relay, netip.AddrPort) error     { return errors.ErrUnsupported }
func (p *path) WriteTo([]byte, net.Addr) (int, error) { return 0, errors.ErrUnsupported }
func (p *path) toBrowser([]byte, *relay)              {}
func (p *path) toPeer([]byte, step)                   {}
func (p *path) stop()                                 {}
func (p *path) free()                                 {}
