// Package vtest is the ground that tests stand on: an in-memory network and an embedded Redis
// that live inside a testing/synctest bubble, where time is virtual, a real redis-server for the
// same suites in real time, and a real authority that signs certificates. Tests only.
package vtest
