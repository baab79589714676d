// The search page of a book that is read from files: what surrounds a word that was found. From a server, Sphinx
// fetches the pages to show it, which files may not do.
(function () {
  "use strict";

  const results = document.getElementById("search-results");
  if (location.protocol !== "file:" || !results) return;

  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  const LENGTH = 240;
  const words = (new URLSearchParams(location.search).get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);

  function excerpt(text) {
    const lower = text.toLowerCase();
    const found = words.map((word) => lower.indexOf(word)).filter((place) => place >= 0);
    if (!found.length) return "";
    const start = Math.max(Math.min(...found) - LENGTH / 2, 0);
    return `${start > 0 ? "…" : ""}${text.slice(start, start + LENGTH).trim()}…`;
  }

  function addExcerpts() {
    for (const item of results.querySelectorAll("li:not([data-excerpt])")) {
      item.dataset.excerpt = "";
      const link = item.querySelector("a").getAttribute("href").split("#")[0];
      const shown = excerpt(window.emvaeTexts[link.replace(/\.html$/, "")] || "");
      if (!shown) continue;
      const paragraph = document.createElement("p");
      paragraph.className = "context";
      paragraph.textContent = shown;
      item.append(paragraph);
    }
  }

  const script = document.createElement("script");
  script.src = `${document.documentElement.dataset.content_root}_static/texts.js`;
  script.onload = () => {
    addExcerpts();
    new MutationObserver(addExcerpts).observe(results, { childList: true, subtree: true });
  };
  document.head.append(script);
})();
