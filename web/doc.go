// Package web is what a browser or an operator meets first: the page and its files, the privacy
// page, the door to signaling with its limits, and health on a listener of its own.
//
// Everything is served from memory and made once at start. The page needs no build: the files of
// web/app are embedded as they are and served under a path that holds their hash, so that relative
// imports stay relative and every file may be cached for ever.
//
// Only this package knows the HTTP framework.
package web
