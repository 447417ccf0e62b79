package e2e_test

import (
	"slices"
	"testing"
	"time"
)

// TestBrowserClickToAudio prints how long it takes from the click that starts a search, with
// somebody waiting, to the first sound of the other voice through the relay. It fails only when no
// sound comes: a busy machine is no defect of the program.
func TestBrowserClickToAudio(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	const rounds = 7
	var took []int
	for range rounds { // new people each time: the same two would not meet again
		ana, bo := newPerson(t, browser, server.URL, 700), newPerson(t, browser, server.URL, 1000)
		ana.ready("music")
		bo.ready("music")
		ana.searches()
		ana.reaches("queued", 15*time.Second)
		bo.searches()
		bo.hears(ana.hz, 30*time.Second)
		if !js[bool](bo, `seen.until(5000, () => seen.heardAt > 0)`) {
			t.Fatal("the first sound was not noticed")
		}
		ms := js[float64](bo, `seen.heardAt - seen.clicks['mic-ok']`)
		if ms <= 0 {
			t.Fatalf("the first sound came %v ms after the click: it is not of this search", ms)
		}
		took = append(took, int(ms+0.5))
		ana.press("leave")
		bo.reaches("ended", 15*time.Second)
		ana.close()
		bo.close()
	}
	slices.Sort(took)
	t.Logf("click_to_audio_ms median=%d longest=%d limit=500", took[rounds/2], took[rounds-1])
}
