package web

import "bytes"

// lean returns a module or a style sheet without indentation and without the lines that hold nothing
// but a comment: a quarter of what would travel. Each such line becomes an empty one, so that an
// error in a browser names the line of the source. A module with a template that spans lines is
// returned as it is, since a line of text in it could look like a comment; so is one with code
// behind the end of a long comment.
func lean(module []byte) []byte {
	lines := bytes.Split(module, []byte("\n"))
	inside := false // a block comment that began at the start of a line
	for i, line := range lines {
		text := bytes.TrimSpace(line)
		begins := !inside && bytes.HasPrefix(text, []byte("/*"))
		_, after, ends := bytes.Cut(text, []byte("*/"))
		switch {
		case begins && ends && len(after) > 0:
			lines[i] = text // a type in front of code
		case inside && ends && len(after) > 0:
			return module
		case begins || inside:
			lines[i], inside = nil, !ends
		case bytes.HasPrefix(text, []byte("//")):
			lines[i] = nil
		case bytes.Count(text, []byte("`"))%2 == 1:
			return module
		default:
			lines[i] = text
		}
	}
	return bytes.Join(lines, []byte("\n"))
}
