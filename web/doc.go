// Package web is what a browser or an operator meets first: the page and its files, the privacy
// page, the door to signaling with its limits, and health on a listener of its own.
//
// Everything is served from memory and made once at start. The page needs no build step: the files of
// web/app are embedded as they are. Browsers run what its modules are joined to at start; those are
// served beside it for people to read. All of it lies under a path that holds its hash, so that
// relative addresses stay relative and every file may be cached for ever.
//
// Only this package knows the HTTP framework and the bundler.
package web
