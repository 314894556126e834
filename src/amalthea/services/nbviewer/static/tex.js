// Typesets what the server left as TeX. KaTeX's MathML output needs neither style sheet nor fonts; what KaTeX does not
// know stays the TeX that it is.
"use strict";
for (const place of document.querySelectorAll(".tex")) {
  const displayMode = place.hasAttribute("data-display");
  const tex = place.textContent.slice(displayMode ? 2 : 1, displayMode ? -2 : -1);
  const made = document.createElement("span");
  try {
    katex.render(tex, made, { displayMode, output: "mathml", trust: false, strict: "ignore", maxExpand: 200, maxSize: 40 });
  } catch (error) {
    place.title = String(error.message).slice(0, 200);
    continue;
  }
  place.replaceChildren(made);
}
