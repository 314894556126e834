/* Draws the Plotly figure in #data. */
(() => {
  "use strict";
  const figure = nbData();
  const layout = figure.layout || {};
  const config = { responsive: !layout.width, displaylogo: false, ...figure.config };
  delete config.plotlyServerURL;
  const fine = Object.values(layout).some((part) => part && part.resolution === 50); // coasts that are not here
  if (!fine) config.topojsonURL = new URL("../lib/", location.href).href;
  const output = document.getElementById("output");
  Promise.resolve()
    .then(() => Plotly.newPlot(output, figure.data, layout, config))
    .then(() => figure.frames && figure.frames.length && Plotly.addFrames(output, figure.frames))
    .catch((error) => nbFailed(`Plotly could not draw this figure: ${error.message || error}`));
})();
