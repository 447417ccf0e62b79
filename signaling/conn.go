package signaling

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Subprotocol is the only one that is spoken.
const Subprotocol = "parley.v1"

// Times and rates of a socket.
const (
	helloWithin = 10 * time.Second
	pingEvery   = 25 * time.Second
	pongWithin  = 10 * time.Second
	frameWithin = 10 * time.Second // a frame that has begun must be complete
	writeWithin = 5 * time.Second
	slowAfter   = 5 * time.Second // the oldest unwritten frame must not be older
	lingers     = time.Second     // how long a closed socket is read on, so that the close frame arrives
	lingerBytes = 256 << 10
	controls    = 16 // unnumbered frames that may wait; more are dropped, being hints

	frameRate, frameBurst = 20, 240
	byteRate, byteBurst   = 32 << 10, 512 << 10
)

// conn is one WebSocket. One goroutine reads; another writes while there is something to write.
type conn struct {
	line // of the client that hello found on this node
	ws   *websocket.Conn

	network string // a mark of where the browser is
	head    []byte // the writer's
	frames  bucket // the reader's, like the following
	bytes   bucket
	noticed time.Time
}

// upgrader makes sockets of requests. gorilla's own answer to a bad request is replaced by ours.
type upgrader struct{ websocket.Upgrader }

func newUpgrader() upgrader {
	return upgrader{websocket.Upgrader{
		ReadBufferSize:  512, // larger frames still work; an idle browser costs less
		WriteBufferPool: &sync.Pool{},
		Subprotocols:    []string{Subprotocol},
		CheckOrigin:     func(*http.Request) bool { return true }, // ServeHTTP has checked
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			http.Error(w, "This is a WebSocket endpoint.", status)
		},
	}}
}

// ServeHTTP upgrades a request of an allowed origin that offers the subprotocol. It returns at
// once, so that net/http's buffers are let go; [Hub.Run] waits for the socket.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !websocket.IsWebSocketUpgrade(r):
		http.Error(w, "This is a WebSocket endpoint: open the page instead.", http.StatusUpgradeRequired)
		return
	case !slices.Contains(h.cfg.Origins, r.Header.Get("Origin")):
		if h.foreign.CompareAndSwap(false, true) {
			h.cfg.Log.LogAttrs(r.Context(), slog.LevelWarn, "a page of another origin was refused, told once: does public-url say what visitors open?")
		}
		h.totals.turned[RebuffOrigin].Add(1)
		http.Error(w, "This page is not served by parley: open parley's own address.", http.StatusForbidden)
		return
	case !slices.Contains(websocket.Subprotocols(r), Subprotocol):
		http.Error(w, "This server speaks "+Subprotocol+": reload the page.", http.StatusBadRequest)
		return
	}
	if !h.admits() {
		h.totals.turned[RebuffFull].Add(1)
		w.Header().Set("Retry-After", "2")
		http.Error(w, "This node stops or is full: try again in 2 seconds.", http.StatusServiceUnavailable)
		return
	}
	if later, ok := h.door.enter(r.Context(), h.stopped); !ok {
		h.totals.turned[RebuffRush].Add(1)
		seconds := strconv.Itoa(int(later.Seconds()) + 1)
		w.Header().Set("Retry-After", seconds)
		http.Error(w, "Many come at once: try again in "+seconds+" seconds.", http.StatusServiceUnavailable)
		return
	}
	ws, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // answered by the upgrader
	}
	now := time.Now()
	c := &conn{
		ws: ws, network: Network(r.Context()),
		frames: newBucket(now, frameRate, frameBurst), bytes: newBucket(now, byteRate, byteBurst),
	}
	c.line = line{hub: h, wire: c}
	if !h.adopt(c) {
		_ = ws.Close()
	}
}

// serve reads the socket until its end. An idle browser keeps the stack that the deepest call from
// here took, so what is deep is called from as near as possible.
func (c *conn) serve() {
	defer c.hangUp()
	c.ws.SetReadLimit(MaxFrame)
	c.ws.SetPongHandler(c.heardPong)
	c.ws.SetPingHandler(c.answerPing)
	cl := c.meet()
	if cl == nil {
		return
	}
	for {
		in, err := c.await()
		if err != nil {
			break
		}
		m, got, err := c.decode(in)
		if err != nil {
			if !cl.fail(&c.line, err) {
				break
			}
		} else {
			cl.hear(got.at, &c.line, m)
		}
		c.pace(cl, got)
	}
	cl.detach(&c.line)
}

// hangUp closes the socket: whatever there was to say has been said.
func (c *conn) hangUp() { _ = c.ws.Close() }

// meet finds or makes the client of the browser. It returns nil when the socket is not worth going on
// with, or was served for a session of another node.
func (c *conn) meet() *client {
	c.readBy(time.Now().Add(helloWithin))
	var m FromBrowser
	in, err := c.await()
	if err == nil {
		m, _, err = c.decode(in)
	}
	hello, ok := m.(Hello)
	if err != nil || !ok || !hello.valid() {
		c.reject(err)
		return nil
	}
	if home, session, far := c.hub.homeOf(hello.Token); far && c.pass(home, session, hello) {
		return nil
	}
	c.readBy(time.Time{})
	var cl *client
	aside(func() { cl = c.hub.welcome(&c.line, hello, c.network) })
	if c.hub.isOver() {
		c.hurry()
	}
	return cl
}

// aside calls do in a goroutine of its own and waits for it. The reader of an idle socket keeps the
// stack that it once took, and what works with keys and JSON needs twice as much as all the rest.
func aside(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	<-done
}

// reject says why the first frame is not a valid hello.
func (c *conn) reject(err error) {
	code := CloseBadHello
	if fault := new(Fault); errors.As(err, &fault) && fault.Close != 0 {
		code = fault.Close
	}
	if !errors.Is(err, websocket.ErrReadLimit) {
		c.say(code)
		c.linger()
	}
}

// arrival is when a frame came and how long it is.
type arrival struct {
	at   time.Time
	size int
}

// incoming is a frame of which the head has arrived.
type incoming struct {
	kind int
	rest io.Reader
	at   time.Time
}

// await waits for the next frame.
func (c *conn) await() (in incoming, err error) {
	in.kind, in.rest, err = c.ws.NextReader()
	in.at = time.Now()
	if err != nil {
		return in, c.broken(err)
	}
	return in, nil
}

// read reads the frame into buf.
func (c *conn) read(buf *bytes.Buffer, in incoming) (got arrival, err error) {
	got.at = in.at
	c.begun.Store(got.at.UnixNano())
	defer c.begun.Store(0)
	before := buf.Len()
	if _, err := buf.ReadFrom(in.rest); err != nil {
		return got, c.broken(err)
	}
	got.size = buf.Len() - before
	c.pinged.Store(0)
	if in.kind != websocket.TextMessage {
		return got, &Fault{Code: BadFrame, Close: CloseBinary, Text: CloseBinary.Text()}
	}
	return got, nil
}

// broken returns why nothing more can be read. After a frame that is too long it reads on for a
// moment, so that the close frame, which gorilla has sent, arrives.
func (c *conn) broken(err error) error {
	if errors.Is(err, websocket.ErrReadLimit) {
		c.linger()
	}
	return err
}

// decode reads and decodes the frame.
func (c *conn) decode(in incoming) (m FromBrowser, got arrival, err error) {
	buf := c.hub.buffers.Get().(*bytes.Buffer)
	buf.Reset()
	if got, err = c.read(buf, in); err == nil {
		m, err = Decode(buf.Bytes())
	}
	if relay, ok := m.(*Relay); ok {
		relay.Tail = bytes.Clone(relay.Tail) // the buffer is used again
	}
	c.hub.buffers.Put(buf)
	return m, got, err
}

// pace lets a reader that is ahead of its rate sleep until the bucket allows the frame: the
// browser is then slowed down by TCP, and nobody else notices.
func (c *conn) pace(to hinter, got arrival) {
	wait := max(c.frames.take(got.at, 1), c.bytes.take(got.at, float64(got.size)))
	if wait > 0 && got.at.Sub(c.noticed) >= time.Second {
		c.noticed = got.at
		to.hint(Notice{SlowDown, "frames come faster than they are read"})
	}
	c.sleep(wait)
}

// hinter says something to the browser of a socket: its client, or the gate to it.
type hinter interface{ hint(m ToBrowser) }

// sleep waits, until the hub stops at the latest.
func (c *conn) sleep(wait time.Duration) {
	if wait == 0 {
		return
	}
	pause := time.NewTimer(wait)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-c.hub.stopped:
	}
	c.pinged.Store(0) // it was we who did not read
}

// heardPong notes that the browser is there. A browser may send pongs that nobody asked for, so each
// costs as much as a frame.
func (c *conn) heardPong(string) error {
	c.charge()
	return nil
}

// answerPing answers a ping of the browser, which no page can send: at the price of a frame.
func (c *conn) answerPing(data string) error {
	c.charge()
	err := c.ws.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(lingers))
	if errors.Is(err, websocket.ErrCloseSent) {
		return nil
	}
	return err
}

// charge takes the price of a control frame: gorilla reads those within a read, where pace does not
// come to see them.
func (c *conn) charge() {
	c.sleep(c.frames.take(time.Now(), 1))
	c.pinged.Store(0)
}

// frame implements [wire].
func (c *conn) frame(f outgoing) error {
	now := time.Now()
	_ = c.ws.SetWriteDeadline(now.Add(writeWithin)) // only stored
	if f.kind == (Ping{}).kind() {
		if err := c.ws.WriteControl(websocket.PingMessage, nil, now.Add(writeWithin)); err != nil {
			return err
		}
	}
	w, err := c.ws.NextWriter(websocket.TextMessage)
	if err != nil {
		return err
	}
	c.head = f.appendHead(c.head[:0], f.n, f.ack)
	if _, err := w.Write(c.head); err != nil {
		return err
	}
	if _, err := w.Write(f.tail); err != nil {
		return err
	}
	return w.Close()
}

// goodbye implements [wire]. The reader goes on for a moment, or the system would drop what is still
// on its way out.
func (c *conn) goodbye(code CloseCode) {
	c.say(code)
	c.hurry()
}

// cut implements [wire]: it wakes the reader, which detaches.
func (c *conn) cut() { _ = c.ws.Close() }

// readBy ends the reader when nothing has come until then.
func (c *conn) readBy(end time.Time) {
	_ = c.ws.SetReadDeadline(end) // a dead socket shows when it is read
}

// text sends a whole frame, as another node wrote it.
func (c *conn) text(b []byte) error {
	_ = c.ws.SetWriteDeadline(time.Now().Add(writeWithin)) // only stored
	return c.ws.WriteMessage(websocket.TextMessage, b)
}

// say sends the close frame. On a socket that is stuck it gives up.
func (c *conn) say(code CloseCode) {
	text := websocket.FormatCloseMessage(int(code), code.Text())
	_ = c.ws.WriteControl(websocket.CloseMessage, text, time.Now().Add(writeWithin))
}

// linger reads on after a close frame, for a moment and without looking.
func (c *conn) linger() {
	c.hurry()
	_, _ = io.CopyN(io.Discard, c.ws.NetConn(), lingerBytes)
}

// hurry ends the reader soon, whatever the browser does.
func (c *conn) hurry() { c.readBy(time.Now().Add(lingers)) }
