// What a reader has read and known, kept in this browser and nowhere else. Without storage nothing of it shows.
(function () {
  "use strict";

  const KEY = "emvae-progress";
  const page = DOCUMENTATION_OPTIONS.pagename || "";
  const article = document.querySelector("article");

  // --- the record: {read: {page: [section, ...]}, sections: {page: count}, known: {question: true or false}}
  function load() {
    const empty = { read: {}, sections: {}, known: {} };
    try {
      return { ...empty, ...JSON.parse(localStorage.getItem(KEY)) };
    } catch {
      return empty;
    }
  }

  let record = load();

  function save() {
    localStorage.setItem(KEY, JSON.stringify(record));
    show();
  }

  function storageWorks() {
    try {
      localStorage.setItem(`${KEY}-test`, "");
      localStorage.removeItem(`${KEY}-test`);
      return true;
    } catch {
      return false;
    }
  }

  // --- a chapter: a box to tick at the end of each section
  function addTicks() {
    const sections = sectionsOfPage();
    for (const section of sections) {
      const label = document.createElement("label");
      label.className = "progress-tick";
      const box = document.createElement("input");
      box.type = "checkbox";
      box.dataset.section = section.id;
      label.append(box, ` I have read “${headingOf(section)}”`);
      section.append(label);
      box.addEventListener("change", () => {
        const read = new Set(record.read[page]);
        if (box.checked) read.add(section.id);
        else read.delete(section.id);
        record.read[page] = [...read];
        record.sections[page] = sections.length;
        save();
      });
    }
  }

  const sectionsOfPage = () => [...article.querySelectorAll(":scope > section > section")];

  function headingOf(section) {
    const heading = section.querySelector("h2").cloneNode(true);
    heading.querySelectorAll(".headerlink, .section-number").forEach((element) => element.remove());
    return heading.textContent.trim();
  }

  // --- the self-test: right or not, question by question
  function addAnswers() {
    for (const section of sectionsOfPage()) {
      const group = document.createElement("fieldset");
      group.className = "progress-answer";
      const legend = document.createElement("legend");
      legend.textContent = "Was your answer right?";
      group.append(legend);
      for (const [value, text] of [["true", "Yes"], ["false", "Not quite"]]) {
        const label = document.createElement("label");
        const choice = document.createElement("input");
        Object.assign(choice, { type: "radio", name: `known-${section.id}`, value });
        choice.dataset.question = section.id;
        label.append(choice, ` ${text}`);
        group.append(label);
        choice.addEventListener("change", () => {
          record.known[section.id] = value === "true";
          save();
        });
      }
      section.append(group);
    }
  }

  function advice() {
    const known = Object.values(record.known);
    const right = known.filter(Boolean).length;
    const asked = sectionsOfPage().length;
    if (known.length < asked) return `${right} right so far, ${asked - known.length} to go.`;
    if (right >= 8) return `${right} of ${asked} right: begin with chapter 1.`;
    if (right >= 5) return `${right} of ${asked} right: read the sections named below the answers you missed.`;
    return `${right} of ${asked} right: a week with the books named above will make the course a pleasure.`;
  }

  // --- the state as it is shown: boxes, marks in the table of contents, and a line at the end of the page
  const line = document.createElement("p");
  const text = document.createElement("span");
  const reset = document.createElement("button");

  function addLine() {
    line.className = "progress-line";
    text.setAttribute("role", "status");
    reset.type = "button";
    reset.textContent = "Forget my progress";
    reset.addEventListener("click", () => {
      localStorage.removeItem(KEY);
      record = load();
      show();
    });
    line.append(text, " ", reset);
    article.append(line);
  }

  function show() {
    const read = new Set(record.read[page]);
    for (const box of article.querySelectorAll("[data-section]")) box.checked = read.has(box.dataset.section);
    for (const choice of article.querySelectorAll("[data-question]")) {
      choice.checked = String(record.known[choice.dataset.question]) === choice.value;
    }
    const count = Object.values(record.read).reduce((sum, sections) => sum + sections.length, 0);
    const known = Object.keys(record.known).length;
    line.hidden = count + known === 0;
    const isTest = article.querySelector("[data-question]") && known > 0;
    text.textContent = `${isTest ? `${advice()} ` : ""}Your progress is kept in this browser only.`;
    markContents();
  }

  function markContents() {
    for (const link of document.querySelectorAll("#pst-primary-sidebar .toctree-l1 > a")) {
      link.querySelector(".progress-mark")?.remove();
      const [name] = Object.keys(record.sections).filter((key) => link.href.split("#")[0].endsWith(`/${key}.html`));
      const done = name ? record.read[name].length : 0;
      if (done === 0) continue;
      const mark = document.createElement("span");
      mark.className = "progress-mark";
      mark.textContent = done === record.sections[name] ? "read" : `${done} of ${record.sections[name]} read`;
      link.append(" ", mark);
    }
  }

  if (article && storageWorks()) {
    if (/\/\d/.test(page)) addTicks();
    if (page.endsWith("/prerequisites")) addAnswers();
    addLine();
    show();
  }
})();
