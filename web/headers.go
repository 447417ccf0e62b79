package web

import "net/http"

// policy is the Content-Security-Policy of every page: own files only, nothing inline, no sink
// that turns text into code but one: web/app/solver.js starts the one thread that solves puzzles.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"media-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types parley-solver"

// permissions grants the page the microphone, and the camera, for which only private rooms ask.
const permissions = "microphone=(self), camera=(self), geolocation=(), display-capture=(), browsing-topics=()"

// guard sets the headers that every answer carries, errors too.
func guard(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Permissions-Policy", permissions)
}

// How long a browser may keep an answer.
const (
	forever = "public, max-age=31536000, immutable" // the path changes when the content does
	never   = "no-store"                            // names the current path of the files
)
