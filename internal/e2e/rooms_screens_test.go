package e2e_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestScreensOfRooms photographs every screen of a private room; see [TestScreens].
func TestScreensOfRooms(t *testing.T) {
	dir := screens(t)
	browser := chromium(t)
	server := startParley(t)
	ana := guest(t, browser, 700, 5*time.Minute)
	ana.do(chromedp.Navigate(server.URL), chromedp.WaitVisible(testid("find")))
	ana.press("create-link")
	ana.do(chromedp.WaitVisible(testid("capacity")))
	ana.photograph(dir, "30-room-make")
	ana.press("room-go", "camera-switch")
	ana.pressed("camera-switch")
	ana.photograph(dir, "31-room-preview")
	ana.press("mic-switch", "room-enter")
	ana.do(chromedp.WaitVisible(testid("link")))
	ana.photograph(dir, "32-room-alone")
	link := js[string](ana, `document.querySelector('[data-testid="link"]').value`)
	bo := guest(t, browser, 1100, 5*time.Minute)
	bo.do(chromedp.Navigate(server.URL+"room"), chromedp.WaitVisible(testid("phrase")), chromedp.SendKeys(testid("phrase"), "abacus zooom"))
	bo.press("room-go")
	bo.photograph(dir, "33-room-wrong-words")
	bo.follows(link, "camera", "mic")
	ana.do(chromedp.WaitVisible(testid("admit")))
	ana.photograph(dir, "34-room-knock")
	ana.press("admit")
	bo.reaches("live", 30*time.Second)
	bo.sees(10 * time.Second)
	bo.photograph(dir, "35-room-two")
	bo.press("leave")
	bo.photograph(dir, "36-room-left")
	cy := guest(t, browser, 1500, 5*time.Minute)
	cy.do(chromedp.Navigate(server.URL), chromedp.WaitVisible(testid("find")))
	cy.press("join-channel")
	cy.do(chromedp.WaitVisible(testid("channel-number")), chromedp.SendKeys(testid("channel-number"), "1001"),
		chromedp.SendKeys(testid("channel-password"), "hello"))
	cy.press("room-go")
	cy.photograph(dir, "37-channel")
}

// TestScreensOfChannels photographs the inside of a channel: alone, with one other who shows no
// picture, hidden behind the relay, with four of whom some do, with eight, and without a server; see
// [TestScreens].
func TestScreensOfChannels(t *testing.T) {
	dir := screens(t)
	browser := chromium(t)
	server := startParley(t)
	people := crowdOf(t, browser, server.URL, make([]int, 8))
	ana := people[0]
	ana.joinsChannel("7", "giraffe umbrella")
	ana.reaches("queued", 10*time.Second)
	ana.photograph(dir, "38-channel-alone")
	people[1].joinsChannel("7", "giraffe umbrella", "mic")
	ana.meetsSome(time.Minute, 1, 0)
	ana.photograph(dir, "39-channel-two-voices")
	ana.press("hide-address")
	ana.says("Your address is hidden")
	ana.says("Through the relay")
	ana.photograph(dir, "43-channel-hidden")
	ana.press("hide-address")
	ana.meetsSome(time.Minute, 1, 0)
	ana.press("video")
	for i, p := range people[2:4] {
		p.joinsChannel("7", "giraffe umbrella", "mic", "camera")
		ana.meetsSome(time.Minute, i+2, i+1)
	}
	for i, text := range []string{"There you are. Does everybody see the map?", "Yes, but it is upside down.", "Then turn your screen."} {
		people[i].do(chromedp.SendKeys(testid("chat-input"), text))
		people[i].press("chat-send")
		ana.says(text)
	}
	ana.photograph(dir, "40-channel-four")
	js[bool](ana, `(document.querySelector('article details').open = true)`)
	ana.photograph(dir, "41-channel-digits")
	js[bool](ana, `!(document.querySelector('article details').open = false)`)
	// Of eight one speaks and the others listen: a small machine cannot encode the voices of all.
	people[1].press("mic-off")
	people[3].press("mic-off")
	for i, p := range people[4:] {
		p.joinsChannel("7", "giraffe umbrella")
		ana.meetsSome(2*time.Minute, i+4, 2)
	}
	ana.photograph(dir, "42-channel-eight")
	server.Kill()
	ana.says("No connection to the server")
	ana.photograph(dir, "44-channel-offline")
}
