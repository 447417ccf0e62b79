package signaling_test

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/signaling"
)

// section returns the lines of the package comment under one heading.
func section(t *testing.T, heading string) []string {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n// # "+heading)
	if !found {
		t.Fatalf("doc.go has no section %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n// # ")
	return strings.Split(rest, "\n")
}

// entries returns the first words of the indented lines of a table.
func entries(t *testing.T, heading, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(`^//\t(` + pattern + `)(\s|$)`)
	var words []string
	for _, line := range section(t, heading) {
		if m := re.FindStringSubmatch(line); m != nil {
			words = append(words, m[1])
		}
	}
	return words
}

func same(t *testing.T, what string, doc, code []string) {
	t.Helper()
	slices.Sort(doc)
	slices.Sort(code)
	if !slices.Equal(doc, code) {
		t.Errorf("%s: doc.go says %v, the code %v", what, doc, code)
	}
}

func TestTablesAgreeWithTheCode(t *testing.T) {
	var codes []string
	for _, c := range signaling.ErrorCodes() {
		codes = append(codes, string(c))
	}
	same(t, "errors", entries(t, "Errors", `[a-z_]+`), codes)

	var closes []string
	for _, c := range signaling.CloseCodes() {
		closes = append(closes, strconv.Itoa(int(c)))
		if c.Text() == "" || len(c.Text()) > 123 {
			t.Errorf("%d: the sentence %q does not fit a close frame", c, c.Text())
		}
	}
	same(t, "close codes", entries(t, "Close codes", `\d{4}`), closes)
	same(t, "frames of the server", entries(t, "Frames of the server", `[a-z]+`), signaling.Kinds())

	for _, kind := range entries(t, "Frames of the browser", `[a-z]+`) {
		frame := `{"t":"` + kind + `","c":1}`
		if kind == "hello" || kind == "ack" || kind == "pong" {
			frame = `{"t":"` + kind + `"}`
		}
		if kind == "relay" {
			frame = `{"t":"relay","c":1,"box":"AA"}`
		}
		if _, err := signaling.Decode([]byte(frame)); err != nil {
			t.Errorf("doc.go has %s, but: %v", kind, err)
		}
	}
	for _, kind := range []string{"", "welcome", "HELLO", "Find"} {
		if _, err := signaling.Decode([]byte(`{"t":"` + kind + `","c":1}`)); err == nil {
			t.Errorf("%q is read, though doc.go does not have it", kind)
		}
	}
}

// TestCloseCodesTellWhatToDo: the number alone says whether to come back.
func TestCloseCodesTellWhatToDo(t *testing.T) {
	for _, line := range section(t, "Close codes") {
		f := strings.Fields(strings.TrimPrefix(line, "//"))
		if len(f) < 2 || len(f[0]) != 4 || f[0] < "4000" || strings.HasSuffix(line, "show the reason.") {
			continue
		}
		back := f[0] < "4500"
		if says := strings.Contains(line, "resume"); says != back {
			t.Errorf("%s: %q", f[0], line)
		}
	}
}
