/* What a page can do besides being read: remember how it is looked at, copy its link, move by keys.

   Everything that is remembered stays in this browser. The controls work without this file; it only sets them again. */
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("with-script");
  const boxes = ["hide-code", "wrap-lines"];
  const themes = ["auto", "light", "dark"];

  const recall = (name) => {
    try {
      return localStorage.getItem(`nbviewer.${name}`);
    } catch {
      return null; // storage is turned off
    }
  };
  const remember = (name, value) => {
    try {
      localStorage.setItem(`nbviewer.${name}`, value);
    } catch {
      // it is forgotten, then
    }
  };

  // Before anything is drawn: the controls are not there yet, so the root says it for them.
  for (const name of boxes) if (recall(name) === "on") root.classList.add(name);
  const theme = recall("theme");
  if (themes.includes(theme)) root.dataset.theme = theme;

  const change = (control) => {
    control.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const flip = (name) => {
    const box = document.getElementById(name);
    if (!box) return;
    box.checked = !box.checked;
    change(box);
  };
  const nextTheme = () => {
    const now = document.querySelector("input[name=theme]:checked");
    const next = document.getElementById(`theme-${themes[(themes.indexOf(now?.value) + 1) % themes.length]}`);
    if (!next) return;
    next.checked = true;
    change(next);
  };
  const move = (step) => {
    const cells = [...document.querySelectorAll("section.cell")];
    const here = cells.findIndex((cell) => cell.getBoundingClientRect().bottom > 8);
    const start = here < 0 ? cells.length - 1 : here;
    const stands = Math.abs(cells[start]?.getBoundingClientRect().top ?? 0) < 8 || step > 0;
    const cell = cells[Math.min(cells.length - 1, Math.max(0, start + (stands ? step : 0)))];
    cell?.scrollIntoView({ block: "start" });
  };
  const keys = { j: () => move(1), k: () => move(-1), c: () => flip("hide-code"), w: () => flip("wrap-lines"), t: nextTheme };

  const controls = () => {
    for (const name of boxes) {
      const box = document.getElementById(name);
      if (!box) continue;
      box.checked = root.classList.contains(name);
      root.classList.remove(name);
      box.addEventListener("change", () => remember(name, box.checked ? "on" : "off"));
    }
    for (const name of themes) {
      const radio = document.getElementById(`theme-${name}`);
      if (!radio) continue;
      radio.checked = (root.dataset.theme ?? "auto") === name;
      radio.addEventListener("change", () => {
        remember("theme", name);
        root.dataset.theme = name;
      });
    }
    const use = document.getElementById("use-keys");
    if (!use) return;
    use.checked = recall("keys") !== "off";
    use.addEventListener("change", () => remember("keys", use.checked ? "on" : "off"));
  };

  const copying = () => {
    for (const button of document.querySelectorAll("button.copy")) {
      const label = button.textContent;
      button.setAttribute("aria-live", "polite");
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(location.href);
          button.textContent = "Copied";
        } catch {
          button.textContent = "Not copied: the browser does not allow it";
        }
        setTimeout(() => (button.textContent = label), 2500);
      });
    }
  };

  /* A file that is chosen or dropped, anywhere on the page, is sent at once. */
  const dropping = () => {
    const input = document.querySelector(".upload input[type=file]");
    if (!input) return;
    input.addEventListener("change", () => input.files.length && input.form.requestSubmit());
    for (const [kind, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
      document.addEventListener(kind, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        input.classList.toggle("over", over);
        if (kind !== "drop" || !event.dataTransfer.files.length) return;
        input.files = event.dataTransfer.files;
        input.form.requestSubmit();
      });
    }
  };

  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
  };

  document.addEventListener("DOMContentLoaded", () => {
    controls();
    copying();
    dropping();
    document.addEventListener("click", (event) => closeMenus(event.target.closest?.("details.menu")));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        const open = document.querySelector("details.menu[open]");
        closeMenus();
        open?.querySelector("summary").focus();
      }
      const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, .reveal");
      if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
      if (document.getElementById("use-keys")?.checked && keys[event.key]) {
        event.preventDefault();
        keys[event.key]();
      }
    });
  });
})();
