package e2e_test

import (
	"fmt"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	browser := chromium(t)
	house := assemble(t)
	ana, bo := pair(t, browser, house.URL)
	ana.hears(bo.hz, 10*time.Second)
	bo.hears(ana.hz, 10*time.Second)
	for _, p := range []*person{ana, bo} {
		js[bool](p, `(() => { seen.log = []; const t0 = performance.now(); const say = (s) => seen.log.push((performance.now()-t0).toFixed(0)+' '+s);
		 const push = seen.sealed.push.bind(seen.sealed); seen.sealed.push = (s) => { const m = /"kind":"(\w+)".*?(?:"what":"(\w+)")?/.exec(s); say('sealed '+m?.[1]+' '+(/"what":"\w+"/.exec(s)??'')+' '+(/"o":\d+/.exec(s)??'')+(/candidate:.*?typ \w+/.exec(s)??'')); return push(s); };
		 const pushf = seen.frames.push.bind(seen.frames); seen.frames.push = (s) => { say(s.slice(0,26)); return pushf(s); };
		 const pc = seen.pcs.at(-1); for (const e of ['connectionstatechange','iceconnectionstatechange','icegatheringstatechange','signalingstatechange']) pc.addEventListener(e, () => say(e+' '+pc.connectionState+' '+pc.iceConnectionState+' '+pc.iceGatheringState+' '+pc.signalingState));
		 pc.addEventListener('icecandidateerror', (e) => say('icecandidateerror '+e.errorCode+' '+e.errorText+' '+e.url));
		 new MutationObserver(() => say('state '+document.documentElement.dataset.state)).observe(document.documentElement,{attributes:true,attributeFilter:['data-state']});
		 return true; })()`)
	}
	time.Sleep(4 * time.Second)
	house.stopRelay(t)
	js[bool](ana, `new Promise((done) => setTimeout(() => done(true), 1000))`)
	house.startRelay(t)
	js[bool](ana, `seen.until(12000, () => document.documentElement.dataset.state === 'reconnecting')`)
	ana.reaches("live", 12*time.Second)
	for _, p := range []*person{ana, bo} {
		fmt.Println(p.hz, js[[]string](p, `seen.problems`), js[string](p, `seen.log.join('\n')`))
	}
}
