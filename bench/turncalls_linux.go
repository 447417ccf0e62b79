package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"github.com/pion/stun/v3"
	"golang.org/x/sys/unix"
)

// shape is what a call consists of.
type shape int

const (
	relayToRelay shape = iota // two browsers of one call, each with a channel to the other's relay
	indications               // the same without channels, as Firefox does
	overStreams               // relayToRelay over TCP
	overTLS                   // and over TLS
	toOutside                 // a browser and a host that is no relay
)

// party is some calls on one server, ready to talk.
type party struct {
	server  *turnServer
	callers []*turnCaller
	peers   []int // descriptors of outside hosts
	*talk
}

// gather makes calls and proves that packets get through.
func gather(s *turnServer, how shape, calls int) (*party, error) {
	p := &party{server: s}
	var flows []flow
	for i := range calls {
		two, err := p.call(how, i)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s, call %d: %w", s.name, i, err), p.disperse())
		}
		flows = append(flows, two...)
	}
	p.talk = newTalk(flows, how == overStreams || how == overTLS)
	if err := p.check(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.name, err), p.disperse())
	}
	return p, nil
}

func (p *party) call(how shape, i int) ([]flow, error) {
	switch {
	case p.server.bare:
		return p.callBare(i)
	case how == toOutside:
		return p.callOutside(i)
	}
	ana, err := p.join(how, i)
	if err != nil {
		return nil, err
	}
	bo, err := p.join(how, i)
	if err != nil {
		return nil, err
	}
	if how == indications {
		err = errors.Join(ana.permit(bo.relayed), bo.permit(ana.relayed))
		return []flow{sending(ana, bo), sending(bo, ana)}, err
	}
	err = errors.Join(ana.bind(bo.relayed), bo.bind(ana.relayed))
	there, back := speaking(ana, bo.fd), speaking(bo, ana.fd)
	there.secure, there.secured, back.secure, back.secured = ana.secure, bo.secure, bo.secure, ana.secure
	return []flow{there, back}, err
}

func (p *party) join(how shape, i int) (*turnCaller, error) {
	network, at := "udp", p.server.address
	switch how { //nolint:exhaustive // the others go by UDP
	case overStreams:
		network = "tcp"
	case overTLS:
		network, at = "tls", p.server.secure
	}
	who, err := p.server.who(i)
	if err != nil {
		return nil, err
	}
	c, err := dialTurn(at, network, who)
	if err != nil {
		return nil, err
	}
	p.callers = append(p.callers, c)
	return c, nil
}

func (p *party) callOutside(i int) ([]flow, error) {
	ana, err := p.join(toOutside, i)
	if err != nil {
		return nil, err
	}
	peer, err := openSocket(unix.SOCK_DGRAM, peersAt, ana.relayed)
	if err != nil {
		return nil, err
	}
	p.peers = append(p.peers, peer)
	at, err := unix.Getsockname(peer)
	if err != nil {
		return nil, err
	}
	here, ok := at.(*unix.SockaddrInet4)
	if !ok {
		return nil, errors.New("not IPv4")
	}
	if err := ana.bind(netip.AddrPortFrom(netip.AddrFrom4(here.Addr), uint16(here.Port))); err != nil { //nolint:gosec // a port
		return nil, err
	}
	out := speaking(ana, peer)
	out.arrives, out.size = 0, turnPayload
	in := flow{from: peer, to: ana.fd, packet: make([]byte, turnPayload), arrives: 4, size: 4 + turnPayload}
	return []flow{out, in}, nil
}

// speaking is ChannelData from a caller; it arrives as ChannelData.
func speaking(from *turnCaller, to int) flow {
	b := make([]byte, 4+turnPayload)
	binary.BigEndian.PutUint16(b, firstChannel)
	binary.BigEndian.PutUint16(b[2:], turnPayload)
	return flow{from: from.fd, to: to, packet: b, at: 4, arrives: 4, size: len(b)}
}

// sending is Send indications, which arrive as Data indications.
func sending(from, to *turnCaller) flow {
	m := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
		peerAddress(to.relayed), stun.RawAttribute{Type: stun.AttrData, Value: make([]byte, turnPayload)})
	at := len(m.Raw) - turnPayload
	return flow{from: from.fd, to: to.fd, packet: m.Raw, at: at, arrives: at, size: len(m.Raw)}
}

// disperse closes everything. Relays end with their server.
func (p *party) disperse() error {
	var err error
	for _, c := range p.callers {
		err = errors.Join(err, unix.Close(c.fd))
	}
	for _, fd := range p.peers {
		err = errors.Join(err, unix.Close(fd))
	}
	return err
}
