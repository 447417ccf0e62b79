package e2e_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/pion/webrtc/v4"

	"parley/internal/envelope"
)

// spliceEnd is one half of a dishonest server's way into a call: it poses as the peer of one browser,
// ends the DTLS connection itself, and copies voice and data channels to the other half.
type spliceEnd struct {
	other   *spliceEnd
	seal    *envelope.Seal
	say     func(seq uint64, box string) // sends a relay frame to the browser
	offers  bool                         // this end makes the offers: the browser's role is answer
	pc      *webrtc.PeerConnection
	voice   *webrtc.TrackLocalStaticRTP // to the browser
	trouble func(format string, args ...any)
	proof   *spliceProof // this end's own authentication exchange; nil: what the browser says is copied

	mu       sync.Mutex // guards the following fields
	channels map[string]*webrtc.DataChannel
	waiting  map[string][]string // texts for a channel that is not open yet
	early    []spliceMessage     // candidates that came before the description
}

// spliceMessage is the Message of web/app/sdp.js.
type spliceMessage struct {
	Kind      string `json:"kind"`
	G         int    `json:"g"`
	O         int    `json:"o,omitempty"`
	SDP       string `json:"sdp,omitempty"`
	Direct    bool   `json:"direct"`
	Candidate string `json:"candidate,omitempty"`
	MID       string `json:"mid,omitempty"`
	What      string `json:"what,omitempty"`
}

// joinEnds makes each end pass on what the other hears.
func joinEnds(a, b *spliceEnd) { a.other, b.other = b, a }

// newSpliceEnd faces the browser that was told these frame fields in connected.
func newSpliceEnd(c connectedFrame, say func(uint64, string), trouble func(string, ...any)) (*spliceEnd, error) {
	secret := make([]byte, 32)
	rand.Read(secret)
	seal, err := envelope.New(c.Room, c.Peer, c.Me, secret)
	if err != nil {
		return nil, err
	}
	e := &spliceEnd{
		seal: seal, say: say, offers: c.Role == "answer", trouble: trouble,
		channels: map[string]*webrtc.DataChannel{}, waiting: map[string][]string{},
	}
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	setting := webrtc.SettingEngine{}
	setting.SetIncludeLoopbackCandidate(true)
	var servers []webrtc.ICEServer
	for _, s := range c.Ice.Servers {
		servers = append(servers, webrtc.ICEServer{URLs: s.URLs[:1], Username: s.Username, Credential: s.Credential})
	}
	e.pc, err = webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(setting)).NewPeerConnection(
		webrtc.Configuration{ICEServers: servers, ICETransportPolicy: webrtc.ICETransportPolicyRelay})
	if err != nil {
		return nil, err
	}
	return e, e.furnish()
}

// furnish gives the connection the voice and the two channels that the page expects.
func (e *spliceEnd) furnish() error {
	var err error
	e.voice, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "voice", "voice")
	if err != nil {
		return err
	}
	if _, err := e.pc.AddTrack(e.voice); err != nil {
		return err
	}
	e.pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if err := e.other.voice.WriteRTP(packet); err != nil && !errors.Is(err, webrtc.ErrConnectionClosed) {
				return
			}
		}
	})
	e.pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c == nil {
			return
		}
		init := c.ToJSON()
		e.tell(spliceMessage{Kind: "candidate", G: 1, Candidate: init.Candidate, MID: "0"})
	})
	negotiated := true
	for i, name := range []string{"sas", "chat"} {
		id := uint16(i)
		d, err := e.pc.CreateDataChannel(name, &webrtc.DataChannelInit{Negotiated: &negotiated, ID: &id})
		if err != nil {
			return err
		}
		d.OnMessage(func(m webrtc.DataChannelMessage) { e.heard(name, string(m.Data)) })
		d.OnOpen(func() { e.opened(name, d) })
	}
	return nil
}

// heard passes a text of the browser on to the other one.
func (e *spliceEnd) heard(channel, text string) {
	if channel == "sas" && e.proof != nil {
		e.prove(text)
		return
	}
	e.other.write(channel, text)
}

func (e *spliceEnd) write(channel, text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d := e.channels[channel]; d != nil {
		if err := d.SendText(text); err != nil {
			e.trouble("splice: %v", err)
		}
		return
	}
	e.waiting[channel] = append(e.waiting[channel], text)
}

func (e *spliceEnd) opened(name string, d *webrtc.DataChannel) {
	e.mu.Lock()
	e.channels[name] = d
	early := e.waiting[name]
	e.mu.Unlock()
	for _, text := range early {
		e.write(name, text)
	}
	if name == "sas" && e.proof != nil {
		e.prove("")
	}
}

// carries tells whether a channel to the browser is open.
func (e *spliceEnd) carries(channel string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.channels[channel] != nil
}

func (e *spliceEnd) tell(m spliceMessage) {
	text, err := json.Marshal(m)
	if err != nil {
		e.trouble("splice: %v", err)
		return
	}
	e.mu.Lock()
	seq, box, err := e.seal.Seal(string(text))
	e.mu.Unlock()
	if err != nil {
		e.trouble("splice: %v", err)
		return
	}
	e.say(seq, box)
}

// relay takes an envelope that the browser meant for its peer.
func (e *spliceEnd) relay(seq uint64, box string) error {
	e.mu.Lock()
	met := e.seal.Ready()
	text, err := e.seal.Open(seq, box)
	e.mu.Unlock()
	switch {
	case err != nil:
		return err
	case text != "":
		return e.answer(text)
	case met:
		return nil
	}
	e.say(e.seal.Hello())
	if e.offers {
		return e.offer()
	}
	return nil
}

func (e *spliceEnd) offer() error {
	offer, err := e.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	if err := e.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	e.tell(spliceMessage{Kind: "offer", G: 1, O: 1, SDP: offer.SDP})
	return nil
}

func (e *spliceEnd) answer(text string) error {
	var m spliceMessage
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return err
	}
	switch m.Kind {
	case "candidate":
		if e.pc.RemoteDescription() == nil {
			e.early = append(e.early, m)
			return nil
		}
		return e.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: m.Candidate, SDPMid: &m.MID})
	case "answer":
		return e.describe(webrtc.SDPTypeAnswer, m.SDP)
	case "offer":
		if err := e.describe(webrtc.SDPTypeOffer, m.SDP); err != nil {
			return err
		}
		answer, err := e.pc.CreateAnswer(nil)
		if err != nil {
			return err
		}
		if err := e.pc.SetLocalDescription(answer); err != nil {
			return err
		}
		e.tell(spliceMessage{Kind: "answer", G: 1, O: m.O, SDP: answer.SDP})
	}
	return nil
}

// describe takes the browser's description, then the candidates that came before it.
func (e *spliceEnd) describe(kind webrtc.SDPType, sdp string) error {
	if err := e.pc.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: sdp}); err != nil {
		return fmt.Errorf("%w in\n%s", err, sdp)
	}
	for _, m := range e.early {
		if err := e.pc.AddICECandidate(webrtc.ICECandidateInit{Candidate: m.Candidate, SDPMid: &m.MID}); err != nil {
			return err
		}
	}
	e.early = nil
	return nil
}
