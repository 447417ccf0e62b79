// Package chaos breaks an installation of three nodes while people use it, and checks afterwards
// that nobody was lost, doubled or matched with a ghost. There are only tests here; `make chaos`
// runs them for 20 minutes.
//
// The nodes are processes of their own. Each reaches Redis through a proxy that can delay, cut,
// hold and drop; people reach the nodes through a balancer. One goroutine draws one fault after
// the other from a seed, which is printed and can be given again. What each person did and was
// told stands in a history, and internal/history checks it.
package chaos
