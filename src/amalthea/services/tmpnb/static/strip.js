// The strip in a session's pages: how long it lives, more time, my work. It stands in a shadow of its own, so that the
// notebook's styles and it do not touch each other.
"use strict";

(() => {
  const base = document.currentScript.dataset.session;
  const own = `${base}-/`;
  const style = `
    :host { all: initial; position: fixed; top: 3px; right: 8px; z-index: 10000; font: 13px/1.4 system-ui, sans-serif; }
    button, a { font: inherit; }
    .pill { display: inline-flex; gap: .5em; align-items: center; border: 1px solid #c9c4ba; border-radius: 99px; padding: 1px 11px;
      background: #f6f5f2; color: #22201c; cursor: pointer; }
    .pill:hover { border-color: #a3450f; }
    .soon .pill { background: #a3450f; border-color: #a3450f; color: #fff; }
    .over .pill { background: #b3261e; border-color: #b3261e; color: #fff; }
    .menu { position: absolute; right: 0; top: calc(100% + 5px); width: 250px; box-sizing: border-box; padding: 10px 12px; border: 1px solid #c9c4ba;
      border-radius: 8px; background: #fff; color: #22201c; box-shadow: 0 4px 18px #0003; }
    .menu[hidden] { display: none; }
    .menu p { margin: 0 0 8px; color: #625d54; }
    .menu button, .menu a { display: block; width: 100%; box-sizing: border-box; text-align: left; margin: 2px 0; padding: 5px 8px; border: 0; border-radius: 5px;
      background: none; color: #a3450f; cursor: pointer; text-decoration: none; font-weight: 600; }
    .menu button:hover, .menu a:hover { background: #f6f5f2; }
    :focus-visible { outline: 2px solid #a3450f; outline-offset: 1px; }
  `;
  const host = document.createElement("amalthea-strip");
  const root = host.attachShadow({ mode: "open" });
  root.innerHTML = `<style>${style}</style><div class="strip">
    <button class="pill" aria-haspopup="true" aria-expanded="false" title="How long this notebook server lives">…</button>
    <div class="menu" role="menu" hidden>
      <p class="told"></p>
      <button class="more" role="menuitem">Give me more time</button>
      <a class="work" role="menuitem" href="${own}work.zip" download>Download my work</a>
      <button class="link" role="menuitem">Copy the link that lets others in</button>
      <button class="end" role="menuitem">End it now</button>
    </div></div>`;
  const $ = (name) => root.querySelector(`.${name}`);
  let read = 0, state = {}, warned = false, over = false;

  const words = (seconds) => {
    const minutes = Math.floor(seconds / 60);
    if (seconds < 600) return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
    return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  };

  function show() {
    if (over || !state.until) return;
    const since = (Date.now() - read) / 1000;
    const end = Math.max(0, state.until - since), idle = Math.max(0, state.left - since);
    const soon = idle <= state.warning;
    $("strip").className = `strip${soon ? " soon" : ""}`;
    $("pill").textContent = soon ? `Ends in ${words(idle)}` : `${words(end)} left`;
    if (soon && !warned) { warned = true; open(true); }
    if (!soon) warned = false;
    $("told").textContent = [
      idle < end - 1 ? `It ends in ${words(idle)} if nothing happens. Running a cell, or saving, counts.` : "",
      state.slowed ? "Its computing time is used up, so it is slow." : "",
      state.trouble ? "Your work cannot be saved at the moment: download it." : state.saved === null ? "" : "Your files are saved by themselves.",
    ].filter(Boolean).join(" ");
    $("more").hidden = !state.more;
  }

  async function ask(path, method = "GET") {
    const answer = await fetch(own + path, { method, credentials: "same-origin", cache: "no-store" });
    if (answer.status === 404) return end();
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  }

  async function refresh(path = "time", method = "GET") {
    try {
      const told = await ask(path, method);
      if (!told) return;
      state = told; read = Date.now();
      show();
    } catch { /* the next time */ }
  }

  function end() {
    over = true;
    $("strip").className = "strip over";
    $("pill").textContent = "Ended: go on with your files";
    $("pill").onclick = () => location.reload();
    open(false);
  }

  function open(yes) {
    $("menu").hidden = !yes;
    $("pill").setAttribute("aria-expanded", String(yes));
  }

  $("pill").onclick = () => { open($("menu").hidden); refresh(); };
  $("more").onclick = () => refresh("more", "POST");
  $("end").onclick = async () => {
    if (!confirm("End this notebook server? Your files are kept for a while.")) return;
    await ask("end", "POST").catch(() => {});
    location.reload();
  };
  $("link").onclick = async () => {
    const told = await ask("link", "POST").catch(() => null);
    if (!told) return;
    const url = new URL(told.url, location.href).href;
    try { await navigator.clipboard.writeText(url); $("link").textContent = "Copied: who has it can read and write"; } catch { prompt("The link that lets others in:", url); }
  };
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") open(false); });
  document.addEventListener("pointerdown", (event) => { if (!event.composedPath().includes(host)) open(false); }, true);

  document.body.append(host);
  refresh();
  setInterval(show, 1000);
  setInterval(refresh, 20000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
})();
