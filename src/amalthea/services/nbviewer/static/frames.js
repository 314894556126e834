/* Frames of interactive outputs say how tall they are; this is all that they can say.

   A message counts only where it comes from a frame of this page: its window is compared, since a sandboxed document
   has no origin. A frame that goes on growing, because its content follows its height, is left alone after a while. */
(() => {
  "use strict";
  const LOWEST = 20;
  const TALLEST = 20000;
  const CHANGES = 100;
  const changes = new WeakMap();

  addEventListener("message", (event) => {
    const height = event.data && typeof event.data === "object" ? event.data.height : undefined;
    if (typeof height !== "number" || !Number.isFinite(height) || !event.source) return;
    const frame = [...document.querySelectorAll("iframe.frame")].find((one) => one.contentWindow === event.source);
    if (!frame) return;
    const count = (changes.get(frame) || 0) + 1;
    if (count > CHANGES) return;
    changes.set(frame, count);
    frame.height = Math.round(Math.min(TALLEST, Math.max(LOWEST, height)));
  });
})();
