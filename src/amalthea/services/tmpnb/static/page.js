// What the pages of tmpnb do by themselves: send a form that is there to be sent, and watch a place in the queue.
"use strict";

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => {
    const spinner = form.querySelector(".spinner");
    if (spinner) spinner.hidden = false;
  });
}

const unsent = document.querySelector("form[data-send]");
if (unsent && document.visibilityState !== "hidden") unsent.requestSubmit();
else if (unsent) document.addEventListener("visibilitychange", () => unsent.requestSubmit(), { once: true });

const queue = document.querySelector("[data-wait]");
if (queue) watch(queue);

function watch(queue) {
  const part = (name) => queue.querySelector(`[data-${name}]`);
  const ordinary = document.title;
  let first = 0;
  const events = new EventSource(`${queue.dataset.wait}/events`);
  events.onmessage = (event) => {
    const now = JSON.parse(event.data);
    if (now.phase === "ready" || now.phase === "failed") {
      events.close();
      location.replace(queue.dataset.wait);
      return;
    }
    if (now.phase === "launching") {
      part("title").textContent = "Your notebook server is starting";
      part("expected").textContent = "";
      part("progress").removeAttribute("value");
      document.title = "Starting…";
      return;
    }
    first = Math.max(first, now.position);
    part("title").textContent = `You are number ${now.position} in the queue`;
    part("expected").textContent = expected(now.expected);
    part("progress").max = first + 1;
    part("progress").value = first + 1 - now.position;
    part("elsewhere").hidden = now.waited < Number(queue.dataset.patience);
    document.title = now.position ? `Number ${now.position} in the queue` : ordinary;
  };
  // Without a connection for a while the ticket may be gone: then the page says so.
  events.onerror = () => { if (events.readyState === EventSource.CLOSED) location.reload(); };
}

function expected(seconds) {
  if (seconds === undefined || seconds === null) return "Nobody can say how long it takes.";
  if (seconds < 60) return "Less than a minute, at the latest.";
  const minutes = Math.ceil(seconds / 60);
  const told = minutes < 100 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
  return `In ${told} at the latest; mostly it is sooner.`;
}
