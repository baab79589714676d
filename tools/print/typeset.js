// Run in the document to be printed, by tools/print/browser.py and pdf.py.

const DRAWN_AT = 144; // dots per inch of the notebooks' pictures; an SVG has 96
const SCALE = 0.76; // of the pictures: their letters come out as large as the captions'

/** Wait for formulas and fonts; tell how many formulas there are, and what is broken. */
async function typeset() {
  await MathJax.startup.promise;
  await document.fonts.ready;
  return {
    formulas: document.querySelectorAll("mjx-container").length,
    missing: [...document.images].filter(image => !image.naturalWidth).map(image => image.src),
    wrong: [...document.querySelectorAll("mjx-merror, mtext[mathcolor=red]")].map(error => error.textContent),
  };
}

/** Set what is wider than the page smaller, as a typesetter would; return each ratio and where it was. */
function fit() {
  const shrunk = [];
  const widthOf = element => element?.getBoundingClientRect().width ?? 0;
  const shrink = (box, width, room) => {
    if (width <= room) return;
    box.style.zoom = room / width;
    shrunk.push([room / width, box.closest("[id]").id]);
  };
  for (const image of document.querySelectorAll(".print-page img:not([style])")) {
    const inches = image.naturalWidth / (image.src.endsWith(".svg") ? 96 : DRAWN_AT);
    image.style.width = `${inches * SCALE}in`;
  }
  for (const block of document.querySelectorAll("div.math")) {
    const room = block.clientWidth - widthOf(block.querySelector(":scope > .eqno"));
    for (const formula of block.querySelectorAll(":scope > mjx-container"))
      shrink(formula, widthOf(formula.querySelector("mjx-math")), room);
  }
  for (const table of document.querySelectorAll("table"))
    shrink(table, widthOf(table), table.parentElement.clientWidth);
  return shrunk;
}

/** Return the headings of all levels, in reading order, as an outline has them: without formulas. */
function headings() {
  return [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map(heading => {
    const copy = heading.cloneNode(true);
    copy.querySelectorAll("mjx-container").forEach(formula => formula.remove());
    return copy.textContent;
  });
}

/** Write page numbers, by the id of what they lead to, into the contents. */
function number(pages) {
  for (const link of document.querySelectorAll(".print-contents a"))
    link.querySelector(".print-at").textContent = pages[decodeURIComponent(link.hash.slice(1))] ?? "";
}

// Letters of another alphabet: where it begins in Unicode, and which letters are elsewhere.
const ALPHABETS = {
  bold: [0x1d400, {}],
  script: [0x1d49c, { B: "ℬ", E: "ℰ", F: "ℱ", H: "ℋ", I: "ℐ", L: "ℒ", M: "ℳ", R: "ℛ" }],
  "double-struck": [0x1d538, { C: "ℂ", H: "ℍ", N: "ℕ", P: "ℙ", Q: "ℚ", R: "ℝ", Z: "ℤ" }],
};

/** Write a letter of another alphabet as such: most readers no longer heed the attribute that says so. */
function spell(letter) {
  const [start, elsewhere] = ALPHABETS[letter.getAttribute("mathvariant")] ?? [];
  const text = letter.textContent;
  if (!start || !/^[A-Z]$/.test(text)) return;
  letter.textContent = elsewhere[text] ?? String.fromCodePoint(start + text.charCodeAt(0) - 65);
  letter.setAttribute("mathvariant", "normal");
}

/** Return name, headings of chapter and sections, and XHTML of each page, formulas as the MathML that MathJax keeps. */
function xhtml() {
  for (const formula of document.querySelectorAll("mjx-container"))
    formula.replaceWith(formula.querySelector("mjx-assistive-mml > math"));
  document.querySelectorAll("mi[mathvariant]").forEach(spell);
  return [...document.querySelectorAll(".print-page")].map(page => ({
    name: page.id,
    headings: [...page.querySelectorAll("h1, h2")].map(it => [it.closest("[id]").id, it.textContent.trim()]),
    html: new XMLSerializer().serializeToString(page),
  }));
}
