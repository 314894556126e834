/* Draws the Vega or Vega-Lite chart in #data. */
(() => {
  "use strict";
  const given = nbData();
  const options = { actions: { export: true, source: false, compiled: false, editor: false }, ...given.options };
  if (given.base) options.loader = { ...options.loader, baseURL: given.base };
  Promise.resolve()
    .then(() => vegaEmbed("#output", given.spec, options))
    .catch((error) => nbFailed(`Vega could not draw this chart: ${error.message || error}`));
})();
