// Folds, keys and wide formulas: what makes a page comfortable to read. Every page is complete without it.
(function () {
  "use strict";

  // A fold opens when a link leads into it. Chromium does so by itself, other browsers may not.
  function openFolds(element) {
    let fold = element && element.closest("details");
    while (fold) {
      fold.open = true;
      fold = fold.parentElement.closest("details");
    }
  }

  function goToTarget() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    openFolds(target);
    target.scrollIntoView();
  }

  // Formulas change their height when they are set, so the place that was asked for is looked up once more
  // afterwards, unless the reader has moved on.
  let moved = false;
  for (const kind of ["wheel", "pointerdown", "keydown", "touchstart"]) {
    addEventListener(kind, () => { moved = true; }, { once: true, passive: true });
  }
  addEventListener("hashchange", goToTarget);
  if (location.hash) {
    goToTarget();
    const set = window.MathJax && window.MathJax.startup && window.MathJax.startup.promise;
    if (set) set.then(() => { if (!moved) goToTarget(); });
  }

  // Words that were searched for are marked, and a fold that holds one opens. Sphinx would mark them itself if
  // the theme did not load the search on every page: Sphinx takes every page for the search page then.
  const article = document.querySelector("article");
  if (article && wasSearchedFor()) {
    const openMarked = () => article.querySelectorAll("details .highlighted").forEach(openFolds);
    new MutationObserver(openMarked).observe(article, { childList: true, subtree: true });
    SphinxHighlight.highlightSearchWords();
  }

  function wasSearchedFor() {
    try {
      return localStorage.getItem("sphinx_highlight_terms") || location.search.includes("highlight=");
    } catch {
      return false; // storage may be forbidden
    }
  }

  // The theme's folds in the table of contents are arrows without a name.
  for (const arrow of document.querySelectorAll("summary:has(> .toctree-toggle)")) {
    const page = arrow.closest("li").querySelector("a");
    arrow.setAttribute("aria-label", `Pages of ${page.textContent.trim()}`);
  }

  // On paper everything is unfolded but the code of checks.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("article details:not([open], .check-line)")];
    folded.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((fold) => { fold.open = false; }));

  // Left and right turn the page, as long as nothing has the focus that may want these keys.
  document.addEventListener("keydown", (event) => {
    const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (modified || event.defaultPrevented || event.target !== document.body) return;
    const relation = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
    const link = relation && document.querySelector(`link[rel="${relation}"]`);
    if (link) location.assign(link.href);
  });

  // What is wider than the column scrolls by itself; it can be reached by keyboard, and only then.
  const WIDE = {
    "mjx-container[display], article mjx-container.wide": "Wide formula",
    "div.pst-scrollable-table-container": "Wide table",
  };

  function markWide() {
    // A formula within a line scrolls only if it is wider than the line: its foot would leave the line otherwise.
    const edge = article.getBoundingClientRect().right + 1;
    for (const formula of article.querySelectorAll("mjx-container:not([display])")) {
      formula.classList.toggle("wide", formula.classList.contains("wide")
        ? formula.scrollWidth > formula.clientWidth : formula.getBoundingClientRect().right > edge);
    }
    for (const [selector, label] of Object.entries(WIDE)) {
      for (const element of document.querySelectorAll(`article ${selector}`)) {
        const wide = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
        if (wide) {
          element.tabIndex = 0;
          element.setAttribute("role", "group");
          element.setAttribute("aria-label", label);
        } else {
          unmark(element, label);
        }
      }
    }
    for (const formula of article.querySelectorAll("mjx-container:not([display], .wide)")) {
      unmark(formula, "Wide formula");
    }
  }

  function unmark(element, label) {
    if (element.getAttribute("aria-label") !== label) return;
    ["tabindex", "role", "aria-label"].forEach((name) => element.removeAttribute(name));
  }

  if (article) {
    new ResizeObserver(() => requestAnimationFrame(markWide)).observe(article);
  }
})();
