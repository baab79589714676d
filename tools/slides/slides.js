// Begin the presentation once the formulas are set; what is too large for its slide is set smaller.
(async function () {
  "use strict";

  const LEAST = 0.4;
  const STEP = 0.04;

  await window.MathJax?.startup?.promise;
  await document.fonts.ready;
  const ownKeys = (event) => !event.target.closest(".live-stage") || !["Enter", " "].includes(event.key);
  await Reveal.initialize({
    plugins: [RevealNotes],
    disableLayout: true, // sizes follow the screen, so a pointer on a live figure is where it seems to be
    hash: true,
    controls: false,
    progress: false,
    transition: "none",
    viewDistance: 1000,
    mobileViewDistance: 1000,
    keyboardCondition: ownKeys,
  });

  const right = (node) => node?.getBoundingClientRect().right;
  const meetsNumber = (line) => right(line.querySelector("mjx-math")) > line.querySelector(".eqno")?.getBoundingClientRect().left;
  const isTooLarge = (box) =>
    box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1 ||
    [...box.querySelectorAll("div.math")].some(meetsNumber);
  const settled = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

  async function fit() {
    const boxes = [...document.querySelectorAll(".content")];
    boxes.forEach((box) => box.style.setProperty("--fit", 1));
    for (let size = 1; size > LEAST; size -= STEP) {
      await settled();
      const large = boxes.filter(isTooLarge);
      if (!large.length) break;
      large.forEach((box) => box.style.setProperty("--fit", size - STEP));
    }
    document.documentElement.dataset.fitted = "yes";
  }

  await fit();
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(fit, 200);
  });
})();
