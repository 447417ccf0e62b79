package web

import "testing"

func TestLean(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"lines", "a\n// x\n  // y\nb // stays\n", "a\n\n\nb // stays\n"},
		{"indentation", "a {\n  b\n\tc \n}", "a {\nb\nc\n}"},
		{"blocks", "/** x\n * y\n */\na\n  /* z */\nb", "\n\n\na\n\nb"},
		{"code after a block", "/* x */ a\n// y\n", "/* x */ a\n\n"},
		{"a comment that ends later with code", "/* x\n*/ a\n// y\n", "/* x\n*/ a\n// y\n"},
		{"text in a template", "a = `\n// text\n`\n// y\n", "a = `\n// text\n`\n// y\n"},
		{"a template in one line", "a = `x`\n// y\n", "a = `x`\n\n"},
		{"not a comment", "a = '//'\nb = /\\/*/\nc *= 2\n * 3\n", "a = '//'\nb = /\\/*/\nc *= 2\n* 3\n"},
		{"an address", "a\n  'https://example.org'\n", "a\n'https://example.org'\n"},
	} {
		if got := string(lean([]byte(c.source))); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
