package e2e_test

import (
	"fmt"
	"testing"
	"time"
)

// TestBrowserLimiter: a scream arrives at full level and is heard no louder than loud speech, from
// its first moment on; speech passes as it is.
func TestBrowserLimiter(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := pair(t, browser, server.URL)
	bo.hears(ana.hz, 10*time.Second)

	const speech, scream = 0.1, 1.0
	loud := func(gain float64) (arrives, heard float64) {
		js[bool](ana, fmt.Sprintf(`(seen.mics.at(-1).volume.gain.value = %g) > 0`, gain))
		if !js[bool](bo, fmt.Sprintf(`seen.until(10000, async () => Math.abs((await seen.peaks(200))[0] / %g - 1) < 0.25)`, gain)) {
			t.Fatalf("a tone of level %g does not arrive\n%s", gain, bo.diary())
		}
		peaks := js[[]float64](bo, `seen.peaks(1500)`)
		return peaks[0], peaks[1]
	}

	arrives, heard := loud(speech)
	t.Logf("speech: %.3f arrives, %.3f is heard", arrives, heard)
	if heard < 0.7*arrives || heard > 1.3*arrives {
		t.Errorf("speech at %.3f is heard at %.3f, want it as it is", arrives, heard)
	}

	// The onset, which is what hurts, and then the rest.
	js[bool](bo, `Boolean(globalThis.onset = seen.peaks(4000))`)
	arrives, heard = loud(scream)
	onset := js[[]float64](bo, `onset`)
	t.Logf("scream: %.3f arrives, %.3f is heard, at its onset %.3f", arrives, heard, onset[1])
	if onset[0] < 0.7 || arrives < 0.7 {
		t.Fatalf("the scream arrives at %.3f and %.3f: the test shows nothing", onset[0], arrives)
	}
	const most = 0.3 // the threshold of -14 dB is 0.2
	if heard > most || heard < 0.1 {
		t.Errorf("a scream is heard at %.3f, want at most %.1f, and not nothing", heard, most)
	}
	if onset[1] > 0.5 {
		t.Errorf("the onset of a scream is heard at %.3f, want at most 0.5", onset[1])
	}
}

// TestBrowserDeviceChanges: the microphone in use ends, there is none for a while, one is plugged
// in, one vanishes and goes on in silence. Each time the page goes on with what there is; the call
// never breaks.
func TestBrowserDeviceChanges(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := pair(t, browser, server.URL)
	bo.hears(ana.hz, 10*time.Second)
	const (
		ends    = `(seen.mics.at(-1).track.stop(), seen.mics.at(-1).track.dispatchEvent(new Event('ended')))`
		changes = `navigator.mediaDevices.dispatchEvent(new Event('devicechange'))`
	)

	js[bool](ana, `Boolean(seen.hz = 1500) && `+ends)
	bo.hears(1500, 10*time.Second)

	// No microphone at all: silence is sent, both know, nobody loses the call.
	js[bool](ana, `Boolean(seen.deny = 'NotFoundError') && `+ends)
	if !js[bool](ana, `seen.until(5000, () => document.querySelector('[data-testid="hints"]').innerText.includes('microphone stopped'))`) {
		t.Error("nobody tells ana that her microphone is gone\n" + ana.diary())
	}
	if !js[bool](bo, `seen.until(10000, () => document.querySelector('.bubble.them').hasAttribute('data-muted'))`) {
		t.Error("nobody tells bo that ana cannot be heard\n" + bo.diary())
	}
	before := js[sound](bo, `seen.stats()`)
	if !js[bool](bo, fmt.Sprintf(`seen.until(10000, async () => (await seen.stats()).received > %v)`, before.Received+150)) {
		t.Error("without a microphone no packets come")
	}
	if heard := js[float64](bo, `seen.tone()`); heard != 0 {
		t.Errorf("bo hears %v Hz from somebody without a microphone", heard)
	}

	js[bool](ana, `Boolean(seen.hz = 1900) && !(seen.deny = '') && `+changes)
	bo.hears(1900, 10*time.Second)

	// The device in use is not in the list of those that are there.
	js[bool](ana, `Boolean(seen.hz = 1200) && `+changes)
	bo.hears(1200, 10*time.Second)

	for _, p := range []*person{ana, bo} {
		p.reaches("live", time.Second)
		if n := js[int](p, `seen.pcs.length`); n != 1 {
			t.Errorf("%d Hz: %d connections, want the first one only", p.hz, n)
		}
		if js[bool](p, `seen.screens.includes('reconnecting')`) {
			t.Errorf("%d Hz: the call broke", p.hz)
		}
	}
	bo.hears(1200, time.Second)
	ana.hears(bo.hz, 5*time.Second)
}
