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
