package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowserRoomStalledPage: a page that does not get to run for six seconds is not taken for a dead
// line: nobody is told that they are lost, and no other way through the network is looked for, which
// would cost a machine that has too much to do still more. A line that is really dead is
// TestBrowserRoomRelayStopped's.
func TestBrowserRoomStalledPage(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	people := crowd(t, browser, server.URL, 2)
	ana, bo := people[0], people[1]
	for _, p := range people {
		p.joinsChannel("9", "giraffe umbrella")
	}
	ana.meetsSome(time.Minute, 1, 0)
	bo.meetsSome(time.Minute, 1, 0)
	const watches = `(() => {
		const one = document.querySelector('[data-testid="peer"]');
		seen.phases = [];
		new MutationObserver(() => seen.phases.push(one.dataset.phase)).observe(one, { attributeFilter: ['data-phase'] });
		seen.ufrag = () => seen.pcs.at(-1).localDescription.sdp.match(/a=ice-ufrag:(\S+)/)[1];
		seen.before = [seen.pcs.length, seen.ufrag()].join();
		return true;
	})()`
	js[bool](ana, watches)
	const stall = 6 * time.Second
	js[bool](bo, fmt.Sprintf(`(() => { for (const end = performance.now() + %d; performance.now() < end;); return true; })()`, stall.Milliseconds()))
	bo.meetsSome(time.Minute, 1, 0)
	ana.meetsSome(time.Minute, 1, 0)
	if phases := js[[]string](ana, `seen.phases`); len(phases) > 0 {
		t.Errorf("while the page of the other stood still its person was %q\n%s", phases, ana.diary())
	}
	if was, is := js[string](ana, `seen.before`), js[string](ana, `[seen.pcs.length, seen.ufrag()].join()`); was != is {
		t.Errorf("connections and the name of the way through the network were %s, and are %s", was, is)
	}
}

// lateChannel lets the page see 700 ms late that its channel to another member is open.
const lateChannel = `{ const real = RTCPeerConnection.prototype.createDataChannel;
	RTCPeerConnection.prototype.createDataChannel = function (label, options) {
		const channel = real.call(this, label, options);
		if (label !== 'talk') return channel;
		let open = false;
		Object.defineProperty(channel, 'readyState', { get: () => (open ? 'open' : 'connecting') });
		Object.defineProperty(channel, 'onopen', { set: (f) =>
			channel.addEventListener('open', (event) => setTimeout(() => { open = true; f(event); }, 700)) });
		return channel;
	}; }`

// TestBrowserRoomLateChannel: the proof of another may come before the channel is open. What a
// member says of its microphone as soon as it is connected reaches the others all the same.
func TestBrowserRoomLateChannel(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	people := crowd(t, browser, server.URL, 2)
	ana, bo := people[0], people[1]
	bo.runsFirst(lateChannel)
	bo.do(chromedp.Reload(), chromedp.WaitVisible(testid("find")))
	for _, p := range people {
		p.joinsChannel("9", "giraffe umbrella", "mic")
	}
	ana.meetsSome(time.Minute, 1, 0, bo)
	for _, p := range people {
		p.says("Connected and proven. Microphone on.")
	}
}
