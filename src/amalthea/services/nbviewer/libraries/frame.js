/* First in every frame: tells the page around it how tall the document is, and says inside it what went wrong. */
(() => {
  "use strict";
  let reported = -1;
  let waiting = false;

  function height() {
    const root = document.documentElement;
    const body = document.body;
    const style = getComputedStyle(body);
    const inside = body.scrollHeight + parseFloat(style.marginTop) + parseFloat(style.marginBottom);
    const bar = root.scrollWidth > root.clientWidth ? innerHeight - root.clientHeight : 0;
    return Math.ceil(Math.max(root.offsetHeight, inside)) + bar;
  }

  function report() {
    waiting = false;
    if (!document.body || !innerWidth) return;
    const now = height();
    if (now === reported) return;
    reported = now;
    parent.postMessage({ height: now }, "*");
  }

  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(report);
  }

  const observer = new ResizeObserver(soon);
  observer.observe(document.documentElement);
  document.addEventListener("DOMContentLoaded", () => {
    observer.observe(document.body);
    soon();
  });
  addEventListener("load", () => [0, 300, 1500, 4000].forEach((delay) => setTimeout(soon, delay)));

  /* For the scripts that start a library: the reason in words, and the text that stands in for the output. */
  window.nbFailed = (reason) => {
    const note = document.createElement("p");
    note.className = "nb-note";
    note.textContent = String(reason);
    document.body.prepend(note);
    const standin = document.getElementById("standin");
    if (standin) standin.hidden = false;
    soon();
  };
  /* A script of the notebook's failed: worth a word only where nothing else is to be seen. */
  let told = false;
  window.nbTrouble = (error) => {
    if (told) return;
    told = true;
    setTimeout(() => {
      if (document.body && height() < 24) nbFailed(`A script of this output failed here: ${(error && error.message) || error}`);
    }, 1500);
  };
  addEventListener("error", (event) => event.message && nbTrouble(event.error || event.message));
  window.nbData = (id) => JSON.parse(document.getElementById(id || "data").textContent);
})();
