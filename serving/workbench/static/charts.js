// Draws each chart of a page again, so that it answers to the pointer. Without it the drawing stays.
for (const figure of document.querySelectorAll("figure.chart")) {
  const specification = JSON.parse(figure.querySelector("script").textContent);
  const place = document.createElement("div");
  const drawn = figure.querySelector("svg");
  // Expressions are walked, not compiled: the page allows no code from text.
  const how = { ast: true, renderer: "svg", actions: false, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
  vegaEmbed(place, specification, how).then(() => drawn.replaceWith(place));
}
