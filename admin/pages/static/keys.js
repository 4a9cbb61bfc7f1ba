// One key, one act: what carries data-key is pressed, followed or entered by it. A switch turns this off.
"use strict";
(() => {
  const kept = "tingjian-keys";
  const box = document.querySelector("[data-keys-switch]");
  let isOn = localStorage.getItem(kept) !== "off";
  if (box) {
    box.checked = isOn;
    box.addEventListener("change", () => {
      isOn = box.checked;
      localStorage.setItem(kept, isOn ? "on" : "off");
    });
  }

  const isTyping = (place) =>
    place.isContentEditable || (place.matches("input, textarea, select") && place.type !== "checkbox");

  const rows = () => [...document.querySelectorAll("[data-rows] a")];
  const move = (step) => {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step];
    if (next) next.focus();
  };

  const use = (found) => {
    if (found.matches("audio")) found.paused ? found.play() : found.pause();
    else if (found.matches("summary")) {
      found.parentElement.open = !found.parentElement.open;
      found.focus();
    } else if (found.matches("input, textarea, select")) {
      found.focus();
      found.scrollIntoView({ block: "center" });
    } else found.click();
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
    if (!isOn || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (rows().length && (event.key === "j" || event.key === "k")) return move(event.key === "j" ? 1 : -1);
    const found = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!found || found.closest("[hidden]")) return;
    event.preventDefault();
    use(found);
  });
})();
