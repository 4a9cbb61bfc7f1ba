// The page of a programme whose sound is being made, or of an airing that goes on: shows the news as it comes.
// Without this script the link "look again" does the same.
"use strict";

const EVERY_MS = 2000;
const AT_MOST = 900; // half an hour; after that nobody is watching

function later(look, times = 0) {
  if (times < AT_MOST) setTimeout(() => look(times + 1), EVERY_MS);
}

function watchSound(making) {
  const look = async (times) => {
    try {
      const answer = await fetch(making.dataset.state, { credentials: "same-origin" });
      const told = answer.ok ? await answer.json() : null;
      if (told && (told.sound !== "wanted" || String(told.version) !== making.dataset.version)) {
        location.reload();
        return;
      }
    } catch {
      // the network is away: asked again
    }
    later(look, times);
  };
  later(look);
}

function watchAiring() {
  const look = async (times) => {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main");
      if (answer.ok && fresh) {
        for (const part of ["#outcome", "tbody"]) {
          const [now, next] = [document.querySelector(`main ${part}`), fresh.querySelector(part)];
          if (now && next && now.innerHTML !== next.innerHTML) now.innerHTML = next.innerHTML;
        }
        if (!fresh.querySelector("[data-watch]")) {
          location.reload();
          return;
        }
      }
    } catch {
      // the network is away: asked again
    }
    later(look, times);
  };
  later(look);
}

const making = document.querySelector("#making");
if (making) watchSound(making);
if (document.querySelector("[data-watch]")) watchAiring();
