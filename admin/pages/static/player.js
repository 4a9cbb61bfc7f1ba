// The player of one opinion: speed, skipping, words lit while they are heard, a click on a word plays it.
// wavesurfer.js draws the wave from peaks that the server reckoned, around the page's own audio element.
"use strict";
(() => {
  const player = document.querySelector("[data-player]");
  if (!player) return;
  const audio = player.querySelector("audio");
  const speed = player.querySelector("[data-speed]");
  const wave = player.querySelector("[data-wave]");
  const words = [...document.querySelectorAll("[data-words] .said")];
  const speeds = [0.5, 0.75, 1, 1.25, 1.5, 2];

  player.querySelectorAll("[data-script-only]").forEach((part) => part.removeAttribute("hidden"));

  const once = (act) => {
    if (audio.readyState >= 1) act();
    else {
      audio.addEventListener("loadedmetadata", act, { once: true });
      audio.load();
    }
  };
  const goTo = (seconds) => once(() => {
    audio.currentTime = Math.max(0, Math.min(seconds, audio.duration || seconds));
    show();
  });

  player.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.skip) goTo(audio.currentTime + Number(button.dataset.skip));
    if (button.dataset.faster) {
      const at = speeds.indexOf(audio.playbackRate) + Number(button.dataset.faster);
      audio.playbackRate = speeds[Math.max(0, Math.min(at, speeds.length - 1))];
      speed.textContent = `${audio.playbackRate}×`;
    }
  });
  words.forEach((word) => word.addEventListener("click", () => {
    goTo(Number(word.dataset.from));
    once(() => audio.play());
  }));

  const show = () => {
    const now = audio.currentTime;
    words.forEach((word) => {
      const isLit = now >= Number(word.dataset.from) && now < Number(word.dataset.to);
      word.classList.toggle("lit", isLit);
    });
  };
  audio.addEventListener("timeupdate", show);
  const follow = () => {
    show();
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", follow);

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const inks = () => ({ waveColor: token("--quiet"), progressColor: token("--act"), cursorColor: token("--focus") });
  const draw = () => {
    const surfer = WaveSurfer.create({
      ...inks(),
      container: wave,
      media: audio,
      peaks: [wave.dataset.peaks.split(" ").map((loud) => Number(loud) / 100)],
      duration: Number(wave.dataset.seconds),
      height: wave.clientHeight,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      dragToSeek: true,
      hideScrollbar: true,
      cspNonce: wave.dataset.nonce,
    });
    const marks = surfer.registerPlugin(WaveSurfer.Regions.create());
    surfer.on("ready", () => {
      for (const stretch of wave.dataset.bleeps.trim().split(" ").filter(Boolean)) {
        const [start, end] = stretch.split("-").map(Number);
        marks.addRegion({ start, end, color: token("--bleep"), drag: false, resize: false });
      }
    });
    surfer.on("interaction", show);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => surfer.setOptions(inks()));
    addEventListener("beforeprint", () => surfer.setOptions({ waveColor: "#000", progressColor: "#000" }));
    addEventListener("afterprint", () => surfer.setOptions(inks()));
  };
  if (window.WaveSurfer) draw();
  else wave.hidden = true;
})();
