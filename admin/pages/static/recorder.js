// Speaking a reply: what the microphone hears becomes the file of the form, and the form is sent as any other.
"use strict";
(() => {
  const form = document.querySelector("[data-recorder]");
  if (!form || !navigator.mediaDevices || !window.MediaRecorder) return;
  const start = form.querySelector("[data-record]");
  const stop = form.querySelector("[data-stop]");
  const elapsed = form.querySelector("[data-elapsed]");
  const problem = form.querySelector("[data-no-microphone]");
  const field = form.querySelector("input[type=file]");
  const mostSeconds = 120;
  form.querySelector("[data-script-only]").removeAttribute("hidden");

  let recorder = null;
  let clock = 0;

  const end = () => {
    clearInterval(clock);
    if (recorder && recorder.state !== "inactive") recorder.stop();
    start.disabled = false;
    stop.disabled = true;
  };

  const keep = (pieces, stream) => {
    stream.getTracks().forEach((track) => track.stop());
    const sound = new Blob(pieces, { type: pieces[0] ? pieces[0].type : "audio/webm" });
    const files = new DataTransfer();
    files.items.add(new File([sound], "reply", { type: sound.type }));
    field.files = files.files;
    form.requestSubmit();
  };

  start.addEventListener("click", async () => {
    problem.hidden = true;
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch {
      problem.hidden = false;
      return;
    }
    const pieces = [];
    recorder = new MediaRecorder(stream);
    recorder.addEventListener("dataavailable", (event) => event.data.size && pieces.push(event.data));
    recorder.addEventListener("stop", () => keep(pieces, stream));
    recorder.start();
    start.disabled = true;
    stop.disabled = false;
    stop.focus();
    const began = Date.now();
    clock = setInterval(() => {
      const seconds = Math.floor((Date.now() - began) / 1000);
      elapsed.textContent = `${seconds} s`;
      if (seconds >= mostSeconds) end();
    }, 250);
  });
  stop.addEventListener("click", end);
})();
