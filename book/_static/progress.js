// What a reader has read and known, kept in this browser and nowhere else. Without storage nothing of it shows,
// but quick questions, which are answered all the same.
(function () {
  "use strict";

  const KEY = "emvae-progress";
  const page = DOCUMENTATION_OPTIONS.pagename || "";
  const article = document.querySelector("article");

  // --- the record: {read: {page: [section, ...]}, sections: {page: count}, known: {question: true or false},
  //     chosen: {page#question: option}}
  function load() {
    const empty = { read: {}, sections: {}, known: {}, chosen: {} };
    try {
      return { ...empty, ...JSON.parse(localStorage.getItem(KEY)) };
    } catch {
      return empty;
    }
  }

  let record = load();
  const kept = storageWorks();

  function save() {
    if (kept) localStorage.setItem(KEY, JSON.stringify(record));
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

  // --- quick questions: the options become one choice, which is judged at once
  const questions = () => article.querySelectorAll("fieldset.question");
  const nameOf = (question) => `${page}#${question.id}`;

  function addChoices() {
    for (const question of questions()) {
      question.querySelectorAll(":scope > ol > li").forEach((option, i) => {
        const label = document.createElement("label");
        const choice = document.createElement("input");
        Object.assign(choice, { type: "radio", name: question.id, value: i + 1 });
        label.append(choice, ...option.firstElementChild.childNodes);
        option.firstElementChild.replaceChildren(label);
        choice.addEventListener("change", () => {
          record.chosen[nameOf(question)] = i + 1;
          save();
          question.querySelector("details").open = true;
        });
      });
      const verdict = document.createElement("p");
      verdict.className = "question-verdict";
      verdict.setAttribute("role", "status");
      question.querySelector("details").before(verdict);
    }
  }

  function showChoices() {
    for (const question of questions()) {
      const chosen = record.chosen[nameOf(question)];
      const right = chosen === Number(question.dataset.right);
      for (const choice of question.querySelectorAll("input")) choice.checked = Number(choice.value) === chosen;
      question.dataset.verdict = chosen ? (right ? "right" : "wrong") : "";
      const verdict = question.querySelector(".question-verdict");
      verdict.textContent = chosen ? (right ? "Right." : "Not this one.") : "";
      if (!chosen) question.querySelector("details").open = false;
    }
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
    showChoices();
    line.hidden = !kept || count + known + Object.keys(record.chosen).length === 0;
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

  if (article) {
    addChoices();
    if (kept && (/\/\d/.test(page) || page.includes("/further/"))) addTicks();
    if (kept && page.endsWith("/prerequisites")) addAnswers();
    if (kept) addLine();
    show();
  }
})();
