// Chapter 1, live: the figure's numbers as a table and in words.
(function (live) {
  "use strict";

  const small = (value) => (value === 0 ? "0" : live.format(value, 3));
  const share = (log) => (log < Math.log(0.0005) ? `10${live.superscript(Math.round(log / Math.LN10))}` : Math.exp(log).toFixed(3));
  // Columns of the table: heading, class, and the value of row k.
  const COLUMNS = [
    ["ln p(x | k)", "live-wide", (result, k) => live.format(result.logLikelihood[k], 2)],
    ["ln π", "live-wide", (result, k) => live.format(result.logPrior[k], 2)],
    ["ln p(x, k)", "", (result, k) => live.format(result.logJoint[k], 2)],
    ["r", "live-bar", (result, k) => share(result.logPosterior[k])],
    ["naive product", "", (result, k) => small(result.naive.product[k])],
    ["naive r", "", (result, k) => (result.naive.total > 0 ? result.naive.resp[k].toFixed(3) : "0/0")],
  ];

  // A table of what Bayes' rule is made of. Returns show(result).
  function table(stage, n) {
    const whole = live.element(stage, "table", { class: "live-table" });
    const head = live.element(live.element(whole, "thead"), "tr");
    live.element(head, "th", { scope: "col" }, "source");
    COLUMNS.forEach(([text, kind]) => live.element(head, "th", { scope: "col", class: kind }, text));
    const body = live.element(whole, "tbody");
    const makeRow = (parent, name) => {
      const row = live.element(parent, "tr");
      live.element(row, "th", { scope: "row" }, name);
      return COLUMNS.map(([, kind]) => live.element(row, "td", { class: kind }));
    };
    const rows = Array.from({ length: n }, (_, k) => {
      const cells = makeRow(body, String(k + 1));
      const swatch = document.createElement("span");
      swatch.className = "live-swatch";
      swatch.style.background = live.css(live.colour(k));
      cells[0].parentNode.firstChild.prepend(swatch);
      return cells;
    });
    const totals = makeRow(live.element(whole, "tfoot"), "total");

    return function show(result) {
      rows.forEach((cells, k) => {
        cells.forEach((cell, i) => (cell.textContent = COLUMNS[i][2](result, k)));
        cells[3].style.setProperty("--live-share", `${100 * result.resp[k]}%`);
        cells[3].style.setProperty("--live-colour", live.css(live.colour(k), 0.35));
        cells[4].classList.toggle("live-lost", result.naive.product[k] === 0);
        cells[5].classList.toggle("live-lost", result.naive.total === 0);
      });
      totals[2].textContent = live.format(result.logEvidence, 2);
      totals[3].textContent = "1";
      totals[4].textContent = small(result.naive.total);
      totals[4].classList.toggle("live-lost", result.naive.total === 0);
    };
  }

  // The same in words.
  function sentence({ resp, logEvidence, naive }, [x, y], repeats) {
    const seen = repeats === 1 ? "once" : `${repeats} times (${2 * repeats} numbers)`;
    const shares = resp.map((r) => r.toFixed(2)).join(", ");
    const lost = naive.product.filter((p) => p === 0).length;
    const all = lost === resp.length;
    const verdict = lost === 0 ? "The product of the densities still fits into a floating-point number." : all
      ? "Every product of densities is below 10⁻³²³ and becomes 0; naively r = 0/0, not a number. The logarithms lose nothing."
      : `${lost} of ${resp.length} products have become 0.`;
    return `Seen ${seen} at (${live.format(x, 2)}, ${live.format(y, 2)}): r = ${shares}, ln p(x) = ${live.format(logEvidence, 2)}. ${verdict}`;
  }

  live.responsibilityWords = { table, sentence };
})((globalThis.emvaeLive ??= {}));
