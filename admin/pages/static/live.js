// What is still being made is looked for again. [data-live] parts are replaced by themselves; a page with
// [data-live-page] is read anew once what it waits for has gone, unless somebody is typing in it.
"use strict";
(() => {
  const pause = 3000;
  const isTyping = () => document.activeElement && document.activeElement.matches("input, textarea, select");

  const look = async () => {
    const parts = [...document.querySelectorAll("[data-live]")];
    const pages = [...document.querySelectorAll("[data-live-page]")];
    if (!parts.length && !pages.length) return;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of parts) {
          const found = fresh.getElementById(part.id);
          if (found) part.replaceWith(found);
        }
        if (pages.some((part) => !fresh.getElementById(part.id)) && !isTyping()) {
          location.reload();
          return;
        }
      }
    } catch (error) {
      console.warn("the desk can't be reached just now", error);
    }
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
})();
