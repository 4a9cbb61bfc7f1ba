// The player of one opinion: speed, skipping, words lit while they are heard, a click on a word plays it.
"use strict";
(() => {
  const player = document.querySelector("[data-player]");
  if (!player) return;
  const audio = player.querySelector("audio");
  const speed = player.querySelector("[data-speed]");
  const played = player.querySelector(".played");
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
  wave.addEventListener("click", (event) => {
    const box = wave.getBoundingClientRect();
    once(() => goTo(((event.clientX - box.left) / box.width) * audio.duration));
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
    if (audio.duration) played.setAttribute("width", String((240 * now) / audio.duration));
  };
  audio.addEventListener("timeupdate", show);
  const follow = () => {
    show();
    if (!audio.paused) requestAnimationFrame(follow);
  };
  audio.addEventListener("play", follow);
})();
