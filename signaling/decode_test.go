package signaling_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"parley/signaling"
)

// agree fails when the fast way reads a frame that the strict way refuses or reads differently.
func agree(t interface{ Fatalf(string, ...any) }, frame []byte) (fast bool) {
	quick, ok := signaling.ScanRelay(bytes.Clone(frame))
	if !ok {
		return false
	}
	slow, err := signaling.DecodeStrictly(frame)
	if err != nil {
		t.Fatalf("%s: only the fast way reads it: %v", frame, err)
	}
	if d := cmp.Diff(slow, signaling.FromBrowser(quick), cmp.Exporter(func(reflect.Type) bool { return true })); d != "" {
		t.Fatalf("%s: strict and fast differ: %s", frame, d)
	}
	return true
}

func FuzzFastAgreesWithStrict(f *testing.F) {
	for _, s := range []string{
		`{"t":"relay","c":1,"a":0,"to":"x","seq":3,"box":"Zm91cg"}`,
		`{"t":"relay","c":01,"a":0,"to":"x","seq":3,"box":"Zm91cg"}`,
		`{"t":"relay","c":1,"a":0,"to":"x","seq":3,"box":"Zm91cg","box":"Zm91cg"}`,
		`{"t":"relay","c":1,"a":0,"to":"","seq":0,"box":"_-"}`,
		`{"t":"relay","c":999999999999999,"a":0,"to":"x","seq":9007199254740993,"box":"A"}`,
		`{"t":"relay","a":1,"c":1,"to":"x","seq":3,"box":"Zm91cg"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) { agree(t, frame) })
}

// TestFastAgreesWithStrict changes good frames a little, which a fuzzer takes long to find.
func TestFastAgreesWithStrict(t *testing.T) {
	fast, total := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Uint64Range(0, 12), rapid.Uint64())
		name := rapid.StringMatching(`[A-Za-z0-9_-]{0,70}`)
		frame := fmt.Appendf(nil, `{"t":"relay","c":%d,"a":%d,"to":"%s","seq":%d,"box":"%s"}`,
			number.Draw(t, "c"), number.Draw(t, "a"), name.Draw(t, "to"), number.Draw(t, "seq"), name.Draw(t, "box"))
		if rapid.Bool().Draw(t, "changed") {
			at := rapid.IntRange(0, len(frame)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				frame[at] = rapid.Byte().Draw(t, "byte")
			case 1:
				frame = append(frame[:at:at], frame[at+1:]...)
			case 2:
				frame = append(frame[:at:at], append([]byte{frame[at]}, frame[at:]...)...)
			}
		}
		total++
		if agree(t, frame) {
			fast++
		}
	})
	if fast*5 < total {
		t.Errorf("only %d of %d frames were read the fast way", fast, total)
	}
}

func TestDecodeLimits(t *testing.T) {
	envelope := func(n int) []byte {
		return []byte(`{"t":"relay","c":1,"a":0,"to":"x","seq":3,"box":"` + strings.Repeat("A", n) + `"}`)
	}
	if _, ok := signaling.ScanRelay(envelope(signaling.MaxEnvelope)); !ok {
		t.Error("the largest envelope is not read the fast way")
	}
	_, err := signaling.Decode(envelope(signaling.MaxEnvelope + 1))
	if fault := new(signaling.Fault); !errors.As(err, &fault) || fault.Close != signaling.CloseTooBig {
		t.Errorf("an envelope too large: %v", err)
	}
}

// TestDecodeKeepsNothingOfTheFrame: what an error says may be logged by a client, so it must not
// repeat what the frame holds.
func TestFaultsDoNotRepeatTheFrame(t *testing.T) {
	for _, frame := range []string{
		`{"t":"find","c":1,"a":0,"place":{"secret":1}}`,
		`{"t":"hello","token":["secret"]}`,
		`{"t":"report","c":1,"handle":"secret`,
		`secret`,
		`{"t":"secret","c":1}`,
	} {
		_, err := signaling.Decode([]byte(frame))
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", frame, err)
		}
	}
}
