// The sound of the practice telephone: between the browser's sample rate and the telephone's 8 kHz PCM16.

const PHONE_RATE = 8000;
const FRAME = 160; // 20 ms
const CUSHION = 4 * FRAME; // 80 ms are gathered before sound begins, so that a late frame is not heard

/** Band-limited resampling from one rate to another: a windowed sinc around every output sample. */
class Resampler {
  constructor(from, to) {
    this.step = from / to;
    this.cutoff = Math.min(1, to / from) * 0.94;
    this.reach = Math.ceil(8 / this.cutoff);
    this.past = new Float32Array(2 * this.reach);
    this.place = this.reach;
  }

  take(samples) {
    const all = new Float32Array(this.past.length + samples.length);
    all.set(this.past);
    all.set(samples, this.past.length);
    const made = [];
    for (; this.place + this.reach < all.length; this.place += this.step) made.push(this.at(all, this.place));
    const keep = Math.max(0, Math.floor(this.place) - this.reach);
    this.past = all.slice(keep);
    this.place -= keep;
    return made;
  }

  at(all, place) {
    let sum = 0;
    const first = Math.ceil(place - this.reach);
    const last = Math.floor(place + this.reach);
    for (let index = Math.max(0, first); index <= last; index += 1) {
      const away = index - place;
      const angle = Math.PI * away * this.cutoff;
      const sinc = Math.abs(away) < 1e-9 ? 1 : Math.sin(angle) / angle;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * away) / this.reach);
      sum += all[index] * sinc * window;
    }
    return sum * this.cutoff;
  }
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, PHONE_RATE);
    this.waiting = [];
  }

  process([input]) {
    if (input.length > 0) {
      this.waiting.push(...this.resampler.take(input[0]));
      while (this.waiting.length >= FRAME) {
        const frame = Int16Array.from(this.waiting.splice(0, FRAME), (s) => Math.max(-1, Math.min(1, s)) * 32767);
        this.port.postMessage(frame.buffer, [frame.buffer]);
      }
    }
    return true;
  }
}

class Loudspeaker extends AudioWorkletProcessor {
  constructor() {
    super();
    this.empty();
    this.port.onmessage = ({ data }) => {
      if (data === "flush") this.empty();
      else for (const sample of new Int16Array(data)) this.frames.push(sample / 32768);
    };
  }

  empty() {
    this.resampler = new Resampler(PHONE_RATE, sampleRate);
    this.frames = [];
    this.ready = [];
    this.isPlaying = false;
  }

  process(_, [output]) {
    if (!this.isPlaying && this.frames.length >= CUSHION) this.isPlaying = true;
    if (this.isPlaying) {
      while (this.ready.length < output[0].length && this.frames.length > 0) {
        this.ready.push(...this.resampler.take(Float32Array.from(this.frames.splice(0, FRAME))));
      }
      if (this.ready.length === 0) this.isPlaying = false;
    } else if (this.frames.length > 0) {
      this.waited = (this.waited || 0) + 1; // the tail of a sentence is shorter than the cushion: let it out
      if (this.waited > 40) { this.isPlaying = true; this.waited = 0; }
    }
    const sound = this.ready.splice(0, output[0].length);
    for (const channel of output) channel.set(sound);
    return true;
  }
}

registerProcessor("phone-microphone", Microphone);
registerProcessor("phone-loudspeaker", Loudspeaker);
