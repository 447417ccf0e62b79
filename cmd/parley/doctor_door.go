package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answerBytes bounds what is read of an answer.
const answerBytes = 1 << 20

// relayServer is what the page /check gets, of which the doctor tries the relay.
type relayServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// ask asks for one address, as a visitor: redirects are for browsers to follow.
func (d *doctor) ask(ctx context.Context, where string, headers ...string) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, nil, err
	}
	for i := 0; i+1 < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := client.Do(q)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = a.Body.Close() }()
	if a.StatusCode == http.StatusSwitchingProtocols {
		return a, nil, nil // the socket is closed with the body
	}
	body, err := io.ReadAll(io.LimitReader(a.Body, answerBytes))
	return a, body, err
}

// operator is an address on the operators' listener.
func (d *doctor) operator(path string) string { return "http://" + d.cfg.OperatorListen + path }

// answers tells whether a parley runs here.
func (d *doctor) answers(ctx context.Context) bool {
	_, body, err := d.ask(ctx, d.operator("/healthz"))
	return err == nil && bytes.Contains(body, []byte(`"alive"`))
}

// metric reads one number of the parley that runs.
func (d *doctor) metric(ctx context.Context, name string) (float64, bool) {
	if !d.runs {
		return 0, false
	}
	_, body, err := d.ask(ctx, d.operator("/metrics"))
	if err != nil {
		return 0, false
	}
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		if value, is := strings.CutPrefix(lines.Text(), name+" "); is {
			n, err := strconv.ParseFloat(value, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// lookAtPage asks for the page as visitors do, by every public-url, and for what hangs on it.
func (d *doctor) lookAtPage(ctx context.Context) {
	if !d.runs {
		between := ""
		if len(d.cfg.TrustedProxies) > 0 {
			between = ", proxy"
		}
		d.warn("page", "parley does not run, so page"+between+" and relay cannot be tried.", "Start it, and run the doctor again.")
		return
	}
	for _, at := range d.cfg.PublicURL {
		if d.lookAtOrigin(ctx, at) {
			d.lookAtProxy(ctx, at)
		}
	}
	_, body, err := d.ask(ctx, d.cfg.PublicURL[0]+d.cfg.BasePath+"/check.json")
	var servers []relayServer
	if err == nil {
		err = json.Unmarshal(body, &servers)
	}
	if err != nil {
		d.warn("relay", "the page does not tell of the relay, so it cannot be tried.", "Mend the page first, and run the doctor again.")
		return
	}
	d.lookAtRelay(ctx, servers)
}

// pageMark is in the policy of every page of parley.
const pageMark = "trusted-types parley-solver"

// lookAtOrigin asks for one page and opens its WebSocket. It reports whether that worked.
func (d *doctor) lookAtOrigin(ctx context.Context, at string) bool {
	a, _, err := d.ask(ctx, at+d.cfg.BasePath+"/")
	switch {
	case err != nil && certificateTrouble(err) != "":
		d.bad("tls", fmt.Sprintf("browsers do not take the certificate of %s: %s.", at, certificateTrouble(err)), "Give whoever speaks TLS there a certificate for this name, with its chain.")
		return false
	case err != nil:
		d.bad("page", fmt.Sprintf("%s cannot be reached from this machine: %v.", at, err), "See whether the name in public-url leads here, and whether the proxy runs.")
		return false
	case !strings.Contains(a.Header.Get("Content-Security-Policy"), pageMark):
		d.bad("page", fmt.Sprintf("what answers at %s (status %d) is not parley's page.", at, a.StatusCode), "Let public-url name the address at which the proxy serves parley, and let the proxy pass headers on unchanged.")
		return false
	}
	d.good("page", "%s shows parley's page", at)
	if a.TLS != nil && len(a.TLS.PeerCertificates) > 0 {
		d.judgeExpiry("the certificate of "+at, a.TLS.PeerCertificates[0].NotAfter)
	}
	if told, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		d.judgeClock("the answer of "+at, time.Since(told))
	}
	return d.lookAtSocket(ctx, at)
}

// handshake asks for the WebSocket as the page at origin does.
func (d *doctor) handshake(ctx context.Context, at string, more ...string) (*http.Response, error) {
	a, _, err := d.ask(ctx, at+d.cfg.BasePath+"/ws", append([]string{
		"Origin", at, "Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "cGFybGV5LWRvY3Rvci1rZQ==", "Sec-WebSocket-Protocol", "parley.v1",
	}, more...)...)
	return a, err
}

func (d *doctor) lookAtSocket(ctx context.Context, at string) bool {
	a, err := d.handshake(ctx, at)
	switch {
	case err != nil:
		d.bad("origin", fmt.Sprintf("the WebSocket at %s cannot be opened: %v.", at, err), "Let the proxy pass on /ws with Upgrade, Connection and Origin.")
	case a.StatusCode == http.StatusForbidden:
		d.bad("origin", fmt.Sprintf("the parley that runs refuses pages from %s.", at), "Set public-url of the parley that runs to what visitors open, and let the proxy pass on Origin unchanged.")
	case a.StatusCode != http.StatusSwitchingProtocols:
		d.bad("origin", fmt.Sprintf("the WebSocket at %s is answered with status %d.", at, a.StatusCode), "Let the proxy pass on /ws with Upgrade, Connection and Origin.")
	default:
		d.good("origin", "pages from %s may connect", at)
		return true
	}
	return false
}

// madeUp is an address that nobody has (RFC 5737), which a visitor might write into the headers.
const madeUp = "192.0.2.77"

// said is how often the parley that runs heard of visitors' addresses, by what it made of them.
func (d *doctor) said(ctx context.Context) map[string]float64 {
	all := map[string]float64{}
	for _, how := range []string{"believed", "doubted", "missing", "made_up", "inside"} {
		all[how], _ = d.metric(ctx, `parley_forwarded_total{how="`+how+`"}`)
	}
	return all
}

// knock opens the WebSocket once and returns what was made of this visitor's address. Others
// come at the same time, so several things may be.
func (d *doctor) knock(ctx context.Context, at string, headers ...string) map[string]bool {
	before := d.said(ctx)
	if _, err := d.handshake(ctx, at, headers...); err != nil {
		return nil // lookAtSocket tells
	}
	rose := map[string]bool{}
	for how, n := range d.said(ctx) {
		rose[how] = n > before[how]
	}
	return rose
}

// lookAtProxy looks what became of the address of a visitor on the way, a true one and a forged
// one: the parley that runs counts what it made of each. Where there is no proxy, none is spoken of.
func (d *doctor) lookAtProxy(ctx context.Context, at string) {
	const check = "proxy"
	plain := d.knock(ctx, at)
	forged := d.knock(ctx, at, "X-Forwarded-For", madeUp, "X-Real-IP", madeUp, "Forwarded", "for="+madeUp)
	switch {
	case plain["doubted"]:
		d.bad(check, fmt.Sprintf("a proxy passes on what visitors of %s ask, and is not believed: all of them share the limits of one.", at), "Add the address from which the proxy connects to trusted-proxies.")
	case plain["inside"]:
		d.warn(check, fmt.Sprintf("the proxy in front of %s says for whom it asks, but this machine comes to it from an address of trusted-proxies, so a forged X-Forwarded-For cannot be tried from here.", at), "Name only the proxy itself in trusted-proxies, and let public-url lead to it by its public address.")
	case forged["made_up"]:
		d.bad(check, fmt.Sprintf("the proxy in front of %s passes on X-Forwarded-For as visitors write it: anybody can be anybody.", at), "Let the proxy append the address that it sees to X-Forwarded-For, or replace the header with it.")
	case plain["missing"]:
		d.bad(check, fmt.Sprintf("the proxy in front of %s does not say for whom it asks: all visitors share the limits of one.", at), "Let the proxy set X-Forwarded-For, or take its address out of trusted-proxies.")
	case plain["believed"]:
		d.good(check, "the proxy in front of %s says for whom it asks, and a forged X-Forwarded-For is not believed", at)
	case len(d.cfg.TrustedProxies) > 0:
		d.warn(check, fmt.Sprintf("what is asked at %s does not come from any of trusted-proxies.", at), "Take what is not needed out of trusted-proxies: whoever connects from there may name any address.")
	default:
		d.good("visitors", "nobody stands between %s and its visitors, and a forged X-Forwarded-For is not believed", at)
	}
}

// How far clocks may be apart: beyond the first, times in logs do not fit together; beyond the
// second, certificates and credentials of the relay fail.
const clockApart, clockWrong = 5 * time.Second, 2 * time.Minute

// judgeClock compares with somebody who told the time to the second.
func (d *doctor) judgeClock(who string, ahead time.Duration) {
	const check = "clock"
	apart := ahead.Abs().Round(time.Second)
	says := fmt.Sprintf("this machine's clock and that of %s are %v apart", who, apart)
	switch {
	case apart > clockWrong:
		d.bad(check, says+".", "Let both keep time by NTP, for example with systemd-timesyncd.")
	case apart > clockApart:
		d.warn(check, says+".", "Let both keep time by NTP, for example with systemd-timesyncd.")
	default:
		d.good(check, "%s", says)
	}
}
