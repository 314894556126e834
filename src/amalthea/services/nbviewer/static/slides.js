/* Starts Reveal on slides that read well without it. Notes are shown beside the slides with the key `s`. */
(() => {
  "use strict";
  const deck = document.querySelector(".deck");
  if (!deck || !window.Reveal) return;
  const narrow = matchMedia("(max-width: 46rem)").matches; // a wide slide on a phone would be too small to read
  document.documentElement.classList.add("presenting");
  deck.classList.add("reveal");
  Reveal.initialize({
    hash: true,
    history: false,
    embedded: true,
    center: false,
    margin: 0.04,
    width: narrow ? 420 : 1100,
    height: narrow ? 740 : 700,
    transition: "none",
    backgroundTransition: "none",
    jumpToSlide: false,
    slideNumber: "c/t",
    pdfSeparateFragments: false,
    postMessage: false,
    keyboardCondition: (event) => !event.target?.closest?.(".bar, input, summary"),
    scrollActivationWidth: 0,
  });
  let notes = false;
  Reveal.addKeyBinding({ keyCode: 83, key: "S", description: "Notes" }, () => {
    notes = !notes;
    Reveal.configure({ showNotes: notes });
  });
  deck.setAttribute("tabindex", "-1");
  deck.focus({ preventScroll: true });
})();
