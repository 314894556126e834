/* Runs JavaScript outputs in their places. `element` is the place of each, as a jQuery object (classic notebooks) that
   also does what an element does (JupyterLab). */
(() => {
  "use strict";
  const both = (place) => {
    const wrapped = window.jQuery(place);
    const target = (name) => (name in wrapped ? wrapped : place);
    return new Proxy(wrapped, {
      has: (_, name) => name in wrapped || name in place,
      get(_, name) {
        const found = target(name)[name];
        return typeof found === "function" && target(name) === place ? found.bind(place) : found;
      },
      set(_, name, value) {
        target(name)[name] = value;
        return true;
      },
    });
  };
  for (const script of document.querySelectorAll("script.nb-run")) {
    const place = document.createElement("div");
    script.before(place);
    window.element = both(place);
    try {
      (0, eval)(JSON.parse(script.textContent));
    } catch (error) {
      console.warn(error);
      nbTrouble(error);
    }
  }
})();
