package simulate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	pionice "github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

// Sizes of sound.
const (
	packetEvery   = 20 * time.Millisecond
	packetSize    = 60 // constant, as the page's own packets are
	longestPacket = 1500
	mostWords     = 64 // of a peer that wait for its connection; a page sends at most 30 candidates
	// mostConnections stays below what the relay grants to one network.
	mostConnections = 240
)

// quiet is a packet of Opus: 20 ms of silence in one channel, padded as RFC 6716, 3.2.5, says.
func quiet() []byte {
	head := []byte{31<<3 | 3, 1<<6 | 1, packetSize - 5, 0xff, 0xfe}
	return append(head, make([]byte, packetSize-len(head))...)
}

// studio makes connections, and bounds how many there are. A call gets places for both sides or
// for none.
type studio struct {
	api  *webrtc.API
	most int

	mu     sync.Mutex // guards the following fields
	calls  map[string]*places
	booked int
}

// places are those of one call.
type places struct {
	users   int
	granted bool
}

// newStudio prepares for connections that carry Opus and nothing else.
func newStudio(most int) (*studio, error) {
	codecs := &webrtc.MediaEngine{}
	opus := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;cbr=1"},
		PayloadType:        111,
	}
	if err := codecs.RegisterCodec(opus, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	var setting webrtc.SettingEngine
	setting.SetIncludeLoopbackCandidate(true)
	setting.SetRelayAcceptanceMinWait(0) // nothing better than a relay may come
	setting.SetICEMulticastDNSMode(pionice.MulticastDNSModeDisabled)
	// What goes wrong shows in the figures; the library would write to the standard output.
	setting.LoggerFactory = &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
	return &studio{
		api:  webrtc.NewAPI(webrtc.WithMediaEngine(codecs), webrtc.WithSettingEngine(setting)),
		most: most, calls: map[string]*places{},
	}, nil
}

// enter asks for a place in a call. Both sides get the same answer, and both leave.
func (s *studio) enter(room string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[room]
	if c == nil {
		c = &places{granted: s.booked+2 <= s.most}
		s.calls[room] = c
		if c.granted {
			s.booked += 2
		}
	}
	c.users++
	return c.granted
}

func (s *studio) leave(room string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.calls[room]
	if c.users--; c.users > 0 {
		return
	}
	delete(s.calls, room)
	if c.granted {
		s.booked -= 2
	}
}

// wire is what a shard has of a connection under way.
type wire struct {
	in  chan SoundHear
	off context.CancelFunc
}

// soundOn begins a connection of a walker.
func (s *shard) soundOn(ctx context.Context, w *walker, on SoundOn) {
	w.soundOff()
	ctx, off := context.WithCancel(ctx)
	in := make(chan SoundHear, mostWords)
	w.wire = &wire{in, off}
	s.readers.Go(func() {
		defer off()
		if !s.crowd.studio.enter(on.Room) {
			s.post(letter{to: w, what: SoundRefused{on.Way}})
		} else if err := s.connect(ctx, w, on, in); err != nil && ctx.Err() == nil {
			s.tally.count(soundFault)
			s.crowd.complain(err)
		}
		<-ctx.Done() // so that both sides of a call hear the same
		s.crowd.studio.leave(on.Room)
	})
}

// soundHear hands on what the peer said. Who says more than a page does is not heard.
func (s *shard) soundHear(w *walker, e SoundHear) {
	if w.wire == nil {
		return
	}
	select {
	case w.wire.in <- e:
	default:
		s.tally.count(soundFault)
	}
}

// soundOff ends the walker's connection, if there is one.
func (w *walker) soundOff() {
	if w.wire != nil {
		w.wire.off()
		w.wire = nil
	}
}

// player is one side of a connection. Its own goroutine runs it.
type player struct {
	way    Way
	pc     *webrtc.PeerConnection
	voice  *webrtc.TrackLocalStaticSample
	tracks chan *webrtc.TrackRemote // the peer's voice
	up     chan struct{}            // gets a word when the connection stands
	early  []webrtc.ICECandidateInit
	tell   func(Event) bool
	now    func() time.Duration
}

// connect builds a connection, plays and listens until ctx ends.
func (s *shard) connect(ctx context.Context, w *walker, on SoundOn, in <-chan SoundHear) (err error) {
	config := webrtc.Configuration{ICETransportPolicy: webrtc.ICETransportPolicyRelay}
	for _, r := range on.ice.Servers {
		// The first address is that by UDP; a page would have a second relay by TCP, which lies idle.
		config.ICEServers = append(config.ICEServers, webrtc.ICEServer{URLs: r.URLs[:min(1, len(r.URLs))], Username: r.Username, Credential: r.Credential})
	}
	p := &player{
		way: on.Way, tracks: make(chan *webrtc.TrackRemote, 1), up: make(chan struct{}, 1), now: s.crowd.now,
		tell: func(e Event) bool { return s.post(letter{to: w, what: e}) },
	}
	if p.pc, err = s.crowd.studio.api.NewPeerConnection(config); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	var listener sync.WaitGroup
	defer func() {
		err = errors.Join(err, p.pc.GracefulClose())
		listener.Wait()
	}()
	if err := p.furnish(); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	if on.Offers {
		if err := p.offer(); err != nil {
			return fmt.Errorf("media: offer: %w", err)
		}
	}
	hear := func(t *webrtc.TrackRemote) { listener.Go(func() { p.listen(t, s.tally) }) }
	sent, err := p.play(ctx, in, hear)
	s.tally.add("sound packets sent", sent)
	return err
}

// furnish gives the connection a voice and ears.
func (p *player) furnish() (err error) {
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	if p.voice, err = webrtc.NewTrackLocalStaticSample(opus, "voice", "voice"); err != nil {
		return err
	}
	if _, err := p.pc.AddTrack(p.voice); err != nil {
		return err
	}
	p.pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		if c != nil {
			p.tell(SoundSays{p.way, "candidate", c.ToJSON().Candidate})
		}
	})
	p.pc.OnTrack(func(t *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		select {
		case p.tracks <- t:
		default: // a second voice is none of ours
		}
	})
	p.pc.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateConnected {
			select {
			case p.up <- struct{}{}:
			default:
			}
		}
	})
	return nil
}

// play sends a packet every 20 ms as soon as the connection stands, and returns how many.
func (p *player) play(ctx context.Context, in <-chan SoundHear, hear func(*webrtc.TrackRemote)) (sent int64, err error) {
	var beat <-chan time.Time
	sample := media.Sample{Data: quiet(), Duration: packetEvery}
	for {
		select {
		case <-ctx.Done():
			return sent, nil
		case e := <-in:
			if err := p.take(e); err != nil {
				return sent, fmt.Errorf("media: %s: %w", e.What, err)
			}
		case t := <-p.tracks:
			hear(t)
		case <-p.up:
			if beat == nil {
				t := time.NewTicker(packetEvery)
				defer t.Stop()
				beat = t.C
			}
		case <-beat:
			if p.voice.WriteSample(sample) == nil {
				sent++
			}
		}
	}
}

func (p *player) offer() error {
	d, err := p.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	p.tell(SoundSays{p.way, "offer", d.SDP}) // before the candidates, which the next line looks for
	return p.pc.SetLocalDescription(d)
}

// take follows what the peer says.
func (p *player) take(e SoundHear) error {
	switch e.What {
	case "offer":
		if err := p.describe(webrtc.SDPTypeOffer, e.Body); err != nil {
			return err
		}
		d, err := p.pc.CreateAnswer(nil)
		if err != nil {
			return err
		}
		p.tell(SoundSays{p.way, "answer", d.SDP})
		return p.pc.SetLocalDescription(d)
	case "answer":
		return p.describe(webrtc.SDPTypeAnswer, e.Body)
	case "candidate":
		mid := "0"
		c := webrtc.ICECandidateInit{Candidate: e.Body, SDPMid: &mid}
		if p.pc.RemoteDescription() == nil {
			if len(p.early) == mostWords {
				return errors.New("too many before the description")
			}
			p.early = append(p.early, c)
			return nil
		}
		return p.pc.AddICECandidate(c)
	}
	return errors.New("a peer says what it should not")
}

// describe takes the peer's description, then the candidates that came before it.
func (p *player) describe(kind webrtc.SDPType, sdp string) error {
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: sdp}); err != nil {
		return err
	}
	for _, c := range p.early {
		if err := p.pc.AddICECandidate(c); err != nil {
			return err
		}
	}
	p.early = nil
	return nil
}

// listen counts what arrives, and what is missing by the numbers of the packets, until the end.
func (p *player) listen(t *webrtc.TrackRemote, to *tally) {
	var received, first, newest int64
	packet := make([]byte, longestPacket)
	for {
		n, _, err := t.Read(packet)
		if err != nil {
			break
		}
		if n < 12 {
			continue
		}
		number := binary.BigEndian.Uint16(packet[2:])
		if received == 0 {
			p.tell(SoundCame{p.way, p.now()})
			first = int64(number)
			newest = first
		}
		received++
		newest += max(0, int64(int16(number-uint16(newest)))) //nolint:gosec // numbers of 16 bits, which begin again after the last
	}
	to.add("sound packets received", received)
	if received > 0 {
		to.add("sound packets lost", max(0, newest-first+1-received))
	}
}
