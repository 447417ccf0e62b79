package office_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parley/moderation"
	"parley/moderation/office"
	"parley/moderation/score"
)

// crowd makes reports on n devices, as many as chance wants, and returns the devices.
func (w world) crowd(t *testing.T, n int, random *rand.Rand) []moderation.Device {
	t.Helper()
	all := make([]moderation.Device, n)
	for i := range all {
		all[i] = device(i)
		if i%3 == 0 {
			all[i].Digest = name("d", i/9)
		}
		for j := range 1 + random.IntN(9) {
			reason := moderation.Reasons()[random.IntN(len(moderation.Reasons()))]
			w.reported(t, fmt.Sprintf("call-%d-%d", i, j), device(1000+random.IntN(40)), all[i], reason)
		}
	}
	return all
}

// TestPreviewEqualsResult: what the preview says is what every device meets when it searches after the
// policy was applied.
func TestPreviewEqualsResult(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		devices := w.crowd(t, 30, random)
		revision := int64(0)
		for _, name := range []string{"strict", "gentle", "balanced"} {
			before := w.bands(t, devices)
			after := preset(t, name)
			promised, holding, err := w.another().Preview(t.Context(), after, time.Now())
			if err != nil || holding.Revision != revision {
				t.Fatalf("%v, revision %d", err, holding.Revision)
			}
			done, err := w.SetPolicy(t.Context(), after, revision, by("mira", "try "+name))
			if err != nil {
				t.Fatal(err)
			}
			if done.Bands != promised.Bands {
				t.Errorf("%s: promised %v, applied %v", name, promised.Bands, done.Bands)
			}
			met := w.bands(t, devices)
			w.compare(t, promised, before, met)
			revision++
		}
	})
}

// bands returns in which band each device finds itself when it searches, by the name of its record.
func (w world) bands(t *testing.T, devices []moderation.Device) map[int]score.Band {
	t.Helper()
	all := map[int]score.Band{}
	for i, dev := range devices {
		v, err := w.desk.Admit(t.Context(), dev, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		all[i] = v.Band
	}
	return all
}

// compare holds a preview against what devices met. The records of digests do not speak for devices
// that are not fresh; what the preview says of them is taken from the records as they are now.
func (w world) compare(t *testing.T, promised office.Preview, before, met map[int]score.Band) {
	t.Helper()
	s, err := w.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var want office.Matrix
	for i := range before {
		want[before[i]][met[i]]++
	}
	records, err := w.desk.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var digests []office.Case
	for _, r := range records {
		if r.Digest {
			digests = append(digests, r)
		}
	}
	now := office.Compare(time.Now().Unix(), s.Holding.Policy, s.Holding.Policy, digests)
	var ofDigests, ofAll [4]int
	for from, row := range promised.Bands {
		for to, n := range row {
			ofDigests[to] += n - want[from][to]
			ofAll[to] += n
			if n < want[from][to] {
				t.Errorf("%d devices went from %d to %d, promised %d", want[from][to], from, to, n)
			}
		}
	}
	for band, n := range ofDigests {
		if n != now.Bands[band][band] {
			t.Errorf("band %d: %d records promised beside those of tokens, %d found", band, n, now.Bands[band][band])
		}
	}
	if ofAll[1]+ofAll[2]+ofAll[3] == 0 {
		t.Error("everybody is clear: nothing was tested")
	}
}
