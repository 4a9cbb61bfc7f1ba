// The practice telephone: one call at a time over a WebSocket; keys and captions as JSON, sound as binary frames.

const WORDS = {
  zh: {
    idle: "可以拨打了。", connecting: "正在接通……", nothing: "请听……", keys: "请按键，也可以先听完。",
    speech: "正在录音，请说话。说完按 # 号。", ended: "通话结束。可以再打一次。", busy: "线路正忙，请过一会儿再打。",
    noLine: "电话没有接通。请过一会儿再试。", lost: "电话断了。已经记下的不会丢。",
    asksMicrophone: "浏览器问能不能用麦克风，请选“允许”。不允许也能打。",
    refusedMicrophone: "麦克风没有打开，不要紧：照样可以听、可以按键表态，只是说的话录不下来。要说话，请在浏览器里允许这个网页用麦克风，再打一次。",
    noMicrophone: "没有找到能用的麦克风，不要紧：照样可以听、可以按键表态，只是说的话录不下来。",
    unheard: "现在轮到说话，可是麦克风没有打开。请按 # 号，或者等一会儿，接着往下听。",
  },
  en: {
    idle: "Ready to call.", connecting: "Connecting…", nothing: "Listen…", keys: "Press a key, or hear it to the end.",
    speech: "Recording: please speak. Press # when done.", ended: "The call has ended. You may call again.",
    busy: "All lines are busy. Please try again in a while.", noLine: "The call did not get through. Please try again.",
    lost: "The line was cut. What was kept stays kept.",
    asksMicrophone: "The browser asks for the microphone: please allow it. You may also call without.",
    refusedMicrophone: "The microphone is off. Never mind: you can listen and vote, only what you say is not recorded. To speak, allow this page to use the microphone and call again.",
    noMicrophone: "No microphone was found. Never mind: you can listen and vote, only what you say is not recorded.",
    unheard: "It is your turn to speak, but the microphone is off. Press #, or just wait: the call goes on.",
  },
};

const find = (id) => document.getElementById(id);
const page = document.body.dataset;
let language = "zh";
let call = null;
let shown = "idle";
const MICROPHONE_SECONDS = 8; // nobody answers the browser's question: the call begins, the microphone may join later

// --- language ---
const translated = [...document.querySelectorAll("[data-en]")].map((element) => ({
  element, zh: element.textContent.trim(), en: element.dataset.en,
}));
const labelled = [...document.querySelectorAll("[data-en-label]")].map((element) => ({
  element, zh: element.getAttribute("aria-label"), en: element.dataset.enLabel,
}));

function remark(state) {
  caption(WORDS[language][state], language);
  find("captions").lastElementChild.className = "remark";
}

function speakIn(chosen) {
  language = chosen;
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  for (const text of translated) text.element.textContent = text[chosen];
  for (const label of labelled) label.element.setAttribute("aria-label", label[chosen]);
  find("language").textContent = chosen === "zh" ? "English" : "中文";
  find("language").lang = chosen === "zh" ? "en" : "zh-CN";
  show(shown);
}

function show(state) {
  shown = state;
  find("status").textContent = WORDS[language][state];
  find("status").dataset.state = state;
}

function caption(text, spokenIn = "zh", isInRow = false) {
  const before = find("captions").lastElementChild;
  if (isInRow && before?.dataset.row) {
    before.textContent += text; // a number that is read digit by digit
    return;
  }
  const line = document.createElement("li");
  if (isInRow) line.dataset.row = "yes";
  line.lang = spokenIn === "zh" ? "zh-CN" : "en";
  line.textContent = text;
  find("captions").append(line);
  find("captions").scrollTop = find("captions").scrollHeight;
}

// --- one call ---
class Call {
  constructor() {
    this.isSpeaking = false;
    this.isOver = false;
  }

  async begin(caller, dialled) {
    show("connecting");
    find("captions").replaceChildren();
    enable(true);
    this.audio = new AudioContext();
    await Promise.all([this.audio.resume(), this.audio.audioWorklet.addModule(page.worklet)]);
    this.loudspeaker = new AudioWorkletNode(this.audio, "phone-loudspeaker", { outputChannelCount: [1] });
    this.loudspeaker.connect(this.audio.destination);
    await this.awaitMicrophone();
    const answer = await fetch(location.pathname, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`no ticket: ${answer.status}`);
    if (this.isOver) return;
    this.connect((await answer.json()).ticket, caller, dialled);
  }

  /** The call waits a moment for the microphone, never longer: listening and voting need none. */
  async awaitMicrophone() {
    const hint = setTimeout(() => show("asksMicrophone"), 1000);
    const patience = new Promise((resolve) => setTimeout(resolve, MICROPHONE_SECONDS * 1000));
    await Promise.race([this.openMicrophone(), patience]);
    clearTimeout(hint);
    if (!this.isOver) show("connecting");
  }

  async openMicrophone() {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      if (!this.isOver) remark(error.name === "NotAllowedError" ? "refusedMicrophone" : "noMicrophone");
      return;
    }
    if (this.isOver) {
      for (const track of stream.getTracks()) track.stop();
      return;
    }
    this.stream = stream;
    for (const track of stream.getTracks()) track.onended = () => this.loseMicrophone();
    if (this.isSpeaking) show("speech");
    const microphone = new AudioWorkletNode(this.audio, "phone-microphone", { numberOfOutputs: 0 });
    microphone.port.onmessage = ({ data }) => {
      if (this.isSpeaking && this.socket?.readyState === WebSocket.OPEN) this.socket.send(data);
    };
    this.audio.createMediaStreamSource(this.stream).connect(microphone);
  }

  connect(ticket, caller, dialled) {
    this.socket = new WebSocket(`${page.exchange}?ticket=${encodeURIComponent(ticket)}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.wasOpen = true;
      this.send({ type: "call", from: caller, to: dialled });
    };
    this.socket.onmessage = ({ data }) => (data instanceof ArrayBuffer ? this.play(data) : this.take(JSON.parse(data)));
    this.socket.onclose = () => this.end(this.wasOpen ? "lost" : "noLine");
  }

  play(sound) {
    this.loudspeaker.port.postMessage(sound, [sound]);
  }

  take(message) {
    if (message.type === "answered") show("nothing");
    else if (message.type === "caption") caption(message.text, "zh", message.row);
    else if (message.type === "flush") this.loudspeaker.port.postMessage("flush");
    else if (message.type === "ended") this.end(message.reason === "busy" ? "busy" : "ended");
    else if (message.type === "wait") {
      this.isSpeaking = message.for === "speech";
      show(this.isSpeaking && !this.stream ? "unheard" : message.for);
    }
  }

  /** Unplugged, or taken back by the browser in mid-call. */
  loseMicrophone() {
    if (this.isOver) return;
    this.stream = null;
    remark("noMicrophone");
    if (this.isSpeaking) show("unheard");
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  end(state) {
    if (this.isOver) return;
    this.isOver = true;
    this.send({ type: "hangup" });
    this.socket?.close();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    const audio = this.audio;
    setTimeout(() => audio?.close(), 500); // the last word is still on its way to the loudspeaker
    if (call === this) {
      call = null;
      enable(false);
      show(state);
      find("call").focus();
    }
  }
}

function enable(isCalling) {
  find("call").disabled = isCalling;
  find("hangup").disabled = !isCalling;
  for (const key of find("keypad").children) key.disabled = !isCalling;
  if (isCalling) find("captions").focus({ preventScroll: true }); // not a key: Enter held too long must press nothing
}

async function start() {
  if (call) return;
  const begun = new Call();
  call = begun;
  try {
    await begun.begin(find("caller").value, find("dialled").value);
  } catch (error) {
    console.warn(error);
    begun.end("noLine");
  }
}

function press(key) {
  const button = [...find("keypad").children].find((each) => each.dataset.key === key);
  if (!call || !button) return;
  call.send({ type: "key", key });
  button.classList.add("pressed");
  setTimeout(() => button.classList.remove("pressed"), 180);
}

find("dial").addEventListener("submit", (event) => {
  event.preventDefault();
  start();
});
find("hangup").addEventListener("click", () => call?.end("ended"));
find("language").addEventListener("click", () => speakIn(language === "zh" ? "en" : "zh"));
find("keypad").addEventListener("click", ({ target }) => target.dataset.key && press(target.dataset.key));
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target.matches("input, select");
  if (event.key === "Escape") call?.end("ended");
  else if (event.key === "Enter" && !call && event.target === document.body) start();
  else if (!isTyping && "0123456789*#".includes(event.key)) press(event.key);
});
window.addEventListener("pagehide", () => call?.end("ended"));
speakIn("zh");
