// Runs in the page before its own scripts, put there by the test. It replaces the microphone by a
// tone and writes down what the page does: its connections, what it seals, what it sends.
(() => {
  const hz = Number('TONE_HZ');
  const seen = {
    pcs: [], streams: [], sealed: [], frames: [], candidates: [], problems: [], clicks: {}, heardAt: 0,
    deny: '', sockets: [], mics: [], screens: [], proof: [], hz, gain: 0.3, many: false,
  };
  Object.defineProperty(globalThis, 'seen', { value: seen });

  // Every screen that was shown, however short.
  new MutationObserver(() => {
    const { state } = document.documentElement.dataset;
    if (state && state !== seen.screens.at(-1)) seen.screens.push(state);
  }).observe(document, { attributes: true, subtree: true, attributeFilter: ['data-state'] });

  addEventListener('error', (e) => seen.problems.push(`error: ${e.message}`));
  addEventListener('unhandledrejection', (e) => seen.problems.push(`rejection: ${e.reason}`));
  addEventListener('securitypolicyviolation', (e) => seen.problems.push(`csp: ${e.violatedDirective} ${e.blockedURI}`));
  for (const level of ['error', 'warn']) {
    const real = console[level].bind(console);
    console[level] = (...said) => {
      seen.problems.push(`console.${level}: ${said.map(String).join(' ')}`);
      real(...said);
    };
  }
  addEventListener('click', (e) => {
    const id = e.target instanceof Element && e.target.closest('[data-testid]')?.getAttribute('data-testid');
    if (id) seen.clicks[id] = performance.now();
  }, true);

  // The microphone: a sine of hz, through the real getUserMedia first so that permissions count. A test
  // may make it fail, with the name of an error; 'pending' is a question that nobody answers.
  if (navigator.mediaDevices && hz > 0) {
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      if (seen.deny === 'pending') await new Promise((answer) => (seen.answer = () => answer(true) ?? true));
      if (seen.deny) throw new DOMException(`test says ${seen.deny}`, seen.deny);
      const given = await real(constraints);
      // The camera of the browser moves by itself.
      if (!constraints.audio) return given;
      given.getTracks().forEach((t) => t.stop());
      const audio = new AudioContext();
      const out = audio.createMediaStreamDestination();
      const tone = new OscillatorNode(audio, { frequency: seen.hz });
      const volume = new GainNode(audio, { gain: seen.gain });
      tone.connect(volume).connect(out);
      tone.start();
      seen.mics.push({ audio, volume, track: out.stream.getAudioTracks()[0] });
      return out.stream;
    };
  }

  // What the two pages say to prove that nobody is in between.
  const realSend = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function send(data) {
    if (this.label === 'sas') seen.proof.push(String(data));
    return realSend.call(this, data);
  };

  const RealPC = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends RealPC {
    constructor(config) {
      super(config);
      seen.pcs.push(this);
      seen.config = config;
      this.addEventListener('icecandidate', ({ candidate }) => candidate && seen.candidates.push(candidate.candidate));
      this.addEventListener('track', ({ streams, track }) => listen(streams[0] ?? new MediaStream([track])));
    }
  };

  // What is said in envelopes, before it is sealed. An insecure origin has neither.
  const realEncrypt = globalThis.SubtleCrypto?.prototype.encrypt;
  if (realEncrypt) {
    SubtleCrypto.prototype.encrypt = function encrypt(algorithm, key, data) {
      seen.sealed.push(new TextDecoder().decode(data));
      return realEncrypt.call(this, algorithm, key, data);
    };
  }

  const RealSocket = globalThis.WebSocket;
  globalThis.WebSocket = class extends RealSocket {
    constructor(...args) {
      super(...args);
      seen.sockets.push(this);
      this.addEventListener('message', ({ data }) => seen.frames.push(`< ${data}`));
    }
    send(data) {
      seen.frames.push(`> ${data}`);
      super.send(data);
    }
  };

  let spectrum = null;
  let ear = null;
  function listen(stream) {
    // Of many people on one machine only those who are asked about are listened to: seen.company.
    if (seen.many) return;
    ear ??= new AudioContext();
    spectrum = new AnalyserNode(ear, { fftSize: 8192, smoothingTimeConstant: 0 });
    ear.createMediaStreamSource(stream).connect(spectrum);
    seen.streams.push(stream);
    const first = new AnalyserNode(ear, { fftSize: 256 });
    ear.createMediaStreamSource(stream).connect(first);
    const wave = new Float32Array(first.fftSize);
    const timer = setInterval(() => {
      first.getFloatTimeDomainData(wave);
      if (wave.some((v) => Math.abs(v) > 0.01)) {
        seen.heardAt = performance.now();
        clearInterval(timer);
      }
    }, 5);
  }

  // The loudest frequency of a sound, 0 in silence.
  const loudest = (node) => {
    const bins = new Float32Array(node.frequencyBinCount);
    node.getFloatFrequencyData(bins);
    const top = bins.indexOf(Math.max(...bins));
    return bins[top] > -60 ? (top * ear.sampleRate) / node.fftSize : 0;
  };
  seen.tone = () => (spectrum ? loudest(spectrum) : 0);

  // Everybody else in a private room, as this person hears and sees them: the tone of each, and how often
  // another picture was seen.
  const ears = new WeakMap();
  const looks = new WeakMap();
  const small = { width: 32, height: 18 };
  function toneOf({ srcObject: stream }) {
    if (!stream?.getAudioTracks().length) return 0;
    if (!ears.has(stream)) {
      ear ??= new AudioContext();
      const node = new AnalyserNode(ear, { fftSize: 8192, smoothingTimeConstant: 0 });
      ear.createMediaStreamSource(stream).connect(node);
      ears.set(stream, node);
    }
    return loudest(ears.get(stream));
  }
  function picturesOf(video) {
    if (video.hidden || video.videoWidth === 0) return 0;
    if (!looks.has(video)) {
      const canvas = Object.assign(document.createElement('canvas'), small);
      looks.set(video, { paper: canvas.getContext('2d', { willReadFrequently: true }), last: '', changes: 0 });
    }
    const look = looks.get(video);
    look.paper.drawImage(video, 0, 0, small.width, small.height);
    const now = look.paper.getImageData(0, 0, small.width, small.height).data.join();
    if (look.last && now !== look.last) look.changes += 1;
    look.last = now;
    return look.changes;
  }
  seen.company = (listens) =>
    [...document.querySelectorAll('[data-testid="peer"]')].map((one) => ({
      phase: one.dataset.phase,
      way: one.dataset.path ?? '',
      hz: listens ? toneOf(one.querySelector('[data-testid="peer-audio"]')) : 0,
      pictures: picturesOf(one.querySelector('[data-testid="peer-video"]')),
    }));
  // To look is work, and many look at one another on one machine.
  const calm = () => new Promise((done) => setTimeout(done, 200));
  // meets waits until so many are live, these tones among them, each of somebody else, and the moving pictures of
  // so many.
  seen.meets = async (members, hz, pictures, ms) => {
    let company = [];
    await seen.until(ms, async () => {
      await calm();
      company = seen.company(hz.length > 0);
      const heard = hz.every((want) => company.filter((one) => Math.abs(one.hz - want) <= 12).length === 1);
      const live = company.length === members && company.every((one) => one.phase === 'live');
      return live && heard && company.filter((one) => one.pictures > 2).length === pictures;
    });
    return company;
  };

  // Mean square of what arrives, measured by this script: the browser's own totalAudioEnergy stays 0
  // for a stream that the page plays through WebAudio only.
  const energy = () => {
    if (!spectrum) return 0;
    const wave = new Float32Array(spectrum.fftSize);
    spectrum.getFloatTimeDomainData(wave);
    return wave.reduce((sum, v) => sum + v * v, 0) / wave.length;
  };

  seen.stats = async () => {
    const pc = seen.pcs.at(-1);
    const out = { received: 0, lost: 0, energy: energy(), pair: '', state: pc?.connectionState ?? '' };
    if (!pc || pc.signalingState === 'closed') return out;
    const all = await pc.getStats();
    for (const x of all.values()) {
      if (x.type === 'inbound-rtp' && x.kind === 'audio') {
        Object.assign(out, { received: x.packetsReceived, lost: x.packetsLost });
      }
      if (x.type === 'candidate-pair' && x.nominated) {
        out.pair = `${all.get(x.localCandidateId)?.candidateType}/${all.get(x.remoteCandidateId)?.candidateType}`;
      }
    }
    return out;
  };

  // Payload bytes of each packet of speech that this side sends, within ms. Chromium names Opus as the
  // codec also when RED carries it, but then each packet holds the one before as well.
  seen.weight = async (ms) => {
    const sent = async () => {
      const all = [...(await seen.pcs.at(-1).getStats()).values()];
      return all.find((x) => x.type === 'outbound-rtp' && x.kind === 'audio');
    };
    const before = await sent();
    await new Promise((done) => setTimeout(done, ms));
    const after = await sent();
    return Math.round((after.bytesSent - before.bytesSent) / Math.max(after.packetsSent - before.packetsSent, 1));
  };

  // The highest peak, within ms, of what arrives and of what the page lets its person hear.
  seen.peaks = async (ms) => {
    const hear = document.querySelector('[data-testid="peer-audio"]').srcObject;
    const ears = [seen.streams.at(-1), hear].map((stream) => {
      const node = new AnalyserNode(ear, { fftSize: 8192 });
      ear.createMediaStreamSource(stream).connect(node);
      return node;
    });
    const peaks = [0, 0];
    const wave = new Float32Array(8192);
    await seen.until(ms, () => {
      for (const [i, node] of ears.entries()) {
        node.getFloatTimeDomainData(wave);
        peaks[i] = wave.reduce((peak, v) => Math.max(peak, Math.abs(v)), peaks[i]);
      }
      return false;
    });
    return peaks;
  };

  // How pictures fare: of the own camera, and for each connection what leaves and what arrives.
  seen.fares = async () => {
    const mine = document.querySelector('[data-testid="my-video"]');
    const track = mine?.srcObject?.getVideoTracks()[0];
    const own = [track?.readyState, track?.muted && 'muted', mine?.getVideoPlaybackQuality?.().totalVideoFrames];
    const open = seen.pcs.filter((pc) => pc.connectionState === 'connected');
    const each = (await Promise.all(open.map((pc) => pc.getStats()))).map((all) => {
      const rows = [...all.values()];
      const out = rows.find((x) => x.type === 'outbound-rtp' && x.kind === 'video') ?? {};
      const inn = rows.find((x) => x.type === 'inbound-rtp' && x.kind === 'video') ?? {};
      const pair = rows.find((x) => x.type === 'candidate-pair' && x.nominated) ?? {};
      return `sent ${out.framesSent} of ${out.framesEncoded} at ${out.targetBitrate} (${out.qualityLimitationReason}, active ${out.active}), ` +
        `received ${inn.framesReceived}, decoded ${inn.framesDecoded}, carries ${pair.availableOutgoingBitrate}`;
    });
    const shown = [...document.querySelectorAll('[data-testid="peer-video"]')].map((v) => [v.hidden && 'hidden', v.videoWidth, v.readyState, v.paused && 'paused'].join(' '));
    return [`own camera: ${own.join(' ')}`, ...each, ...shown].join('\n');
  };

  // In which codec each connection sends its picture.
  seen.encodes = async () => {
    const open = seen.pcs.filter((pc) => pc.connectionState === 'connected');
    const reports = await Promise.all(open.map((pc) => pc.getStats()));
    return reports.map((all) => {
      const sent = [...all.values()].find((x) => x.type === 'outbound-rtp' && x.kind === 'video');
      return all.get(sent?.codecId)?.mimeType ?? '';
    });
  };

  // When the first picture of somebody else was on the screen, and of so many; 0 if that was not within ms.
  seen.pictured = async (most, ms) => {
    const when = [];
    const showing = new WeakSet(document.querySelectorAll('[data-testid="peer-video"]')); // of before
    await seen.until(ms, () => {
      for (const video of document.querySelectorAll('[data-testid="peer-video"]')) {
        if (showing.has(video) || video.hidden || !video.getVideoPlaybackQuality().totalVideoFrames) continue;
        showing.add(video);
        when.push(performance.now());
      }
      return when.length >= most;
    });
    return [when[0] ?? 0, when[most - 1] ?? 0];
  };

  // until polls a condition; it answers whether it came true within ms.
  seen.until = async (ms, holds) => {
    for (const end = performance.now() + ms; performance.now() < end;) {
      if (await holds()) return true;
      await new Promise((done) => setTimeout(done, 20));
    }
    return Boolean(await holds());
  };
  const root = () => document.documentElement.dataset;
  seen.state = (states, ms) => seen.until(ms, () => states.includes(root().state)).then(() => `${root().state} ${root().reason ?? ''}`.trim());
  seen.hears = async (want, ms) => {
    const heard = { hz: 0, energy: 0 };
    await seen.until(ms, () => {
      Object.assign(heard, { hz: seen.tone(), energy: energy() });
      return heard.energy > 1e-5 && Math.abs(heard.hz - want) <= 12;
    });
    return { ...(await seen.stats()), ...heard, screen: root().state };
  };
})();
