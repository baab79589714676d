// A reference to an equation, a theorem, a figure or an exercise shows it when it is pointed at or has the focus.
// What stands on the same page is copied; an equation of another page comes from equations.js, loaded when needed.
(function () {
  "use strict";

  const article = document.querySelector("article");
  if (!article) return;

  const DELAY = 200; // milliseconds, so that a pointer that passes by shows nothing
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href).href;
  const box = document.createElement("div");
  box.id = "preview";
  box.setAttribute("role", "tooltip");
  box.hidden = true;
  document.body.append(box);

  let shownFor = null;
  let timer = 0;

  function hide() {
    clearTimeout(timer);
    if (shownFor) shownFor.removeAttribute("aria-describedby");
    shownFor = null;
    box.hidden = true;
  }

  async function show(link) {
    const content = samePage(link) || (await otherPage(link));
    if (!content || !link.matches(":hover, :focus")) return;
    hide();
    box.replaceChildren(content);
    box.hidden = false;
    shownFor = link;
    link.setAttribute("aria-describedby", box.id);
    place(link);
    if ("tex" in content.dataset) {
      await window.MathJax.typesetPromise([content]);
      place(link);
    }
  }

  // Below the reference, or above it where there is no room, and inside the window.
  function place(link) {
    const at = link.getBoundingClientRect();
    const below = at.bottom + box.offsetHeight + 8 < innerHeight;
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 8));
    box.style.left = `${left + scrollX}px`;
    box.style.top = `${scrollY + (below ? at.bottom + 4 : Math.max(4, at.top - box.offsetHeight - 4))}px`;
  }

  function samePage(link) {
    const url = new URL(link.href);
    if (url.origin + url.pathname !== location.origin + location.pathname) return null;
    const target = document.getElementById(decodeURIComponent(url.hash.slice(1)));
    if (!target || !target.matches("div.math, div.admonition, figure")) return null;
    const copy = target.cloneNode(true);
    copy.querySelectorAll(".headerlink, .zoom-button, details").forEach((element) => element.remove());
    for (const element of [copy, ...copy.querySelectorAll("[id]")]) element.removeAttribute("id");
    for (const element of [copy, ...copy.querySelectorAll("a, [tabindex]")]) {
      element.removeAttribute("href");
      element.removeAttribute("tabindex");
    }
    return copy;
  }

  async function otherPage(link) {
    if (!link.href.startsWith(root) || !link.hash.startsWith("#equation-") || !window.MathJax) return null;
    await loadEquations();
    const tex = window.emvaeEquations[link.href.slice(root.length)];
    if (!tex) return null;
    const formula = document.createElement("div");
    formula.className = "math";
    formula.dataset.tex = "";
    formula.textContent = `\\[${tex}\\]`;
    return formula;
  }

  let loading = null;
  function loadEquations() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${root}_static/equations.js`;
      script.onload = resolve;
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  const reference = (target) => target.closest && target.closest('a.internal[href*="#"]:not(.headerlink)');

  article.addEventListener("pointerover", (event) => {
    const link = event.pointerType !== "touch" && reference(event.target);
    if (!link || link === shownFor) return;
    clearTimeout(timer);
    timer = setTimeout(show, DELAY, link);
  });
  // The pointer may move onto what is shown, and read on there.
  article.addEventListener("pointerout", (event) => {
    if (!reference(event.target)) return;
    clearTimeout(timer);
    timer = setTimeout(() => { if (!box.matches(":hover")) hide(); }, DELAY);
  });
  box.addEventListener("pointerleave", hide);
  article.addEventListener("focusin", (event) => {
    const link = reference(event.target);
    if (link && link.matches(":focus-visible")) show(link);
  });
  article.addEventListener("focusout", hide);
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
})();
