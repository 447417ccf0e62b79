// Package metrics tells a Prometheus server how parley does: /metrics on the operators' listener. The
// table in families.go is all there is to tell. It holds totals and how many there are now, never who:
// no address, user name, call, device, language or choice of anybody, and a label has only values that
// stand in the table. docs/metrics.md is the list that tests hold it to.
//
// Only this package knows the Prometheus client.
package metrics
