// A figure can be seen as large as the window, and from there at its full size. The button works by keyboard.
(function () {
  "use strict";

  const PICTURES = "article figure img, article .cell_output img";
  let dialog = null;

  function makeDialog() {
    dialog = document.createElement("dialog");
    dialog.className = "zoom-dialog";
    dialog.setAttribute("aria-label", "Enlarged figure");
    dialog.innerHTML =
      '<form method="dialog"><button type="button" class="zoom-size" aria-pressed="false">Full size</button>' +
      '<button class="zoom-close">Close</button></form>' +
      '<div class="zoom-area" tabindex="0" role="group" aria-label="Figure"><img alt=""></div>';
    const size = dialog.querySelector(".zoom-size");
    size.addEventListener("click", () => setFull(size.getAttribute("aria-pressed") === "false"));
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    document.body.append(dialog);
  }

  function setFull(full) {
    dialog.classList.toggle("zoom-full", full);
    dialog.querySelector(".zoom-size").setAttribute("aria-pressed", String(full));
  }

  function enlarge(picture) {
    if (!dialog) makeDialog();
    const shown = dialog.querySelector("img");
    shown.src = picture.src;
    shown.alt = picture.alt;
    setFull(false);
    dialog.showModal();
  }

  function nameOf(picture) {
    const number = picture.closest("figure")?.querySelector(".caption-number");
    return number ? `Enlarge ${number.textContent.trim()}` : "Enlarge this figure";
  }

  for (const picture of document.querySelectorAll(PICTURES)) {
    if (picture.closest("a")) continue;
    const frame = document.createElement("span");
    frame.className = "zoom-frame";
    picture.replaceWith(frame);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "zoom-button";
    button.setAttribute("aria-label", nameOf(picture));
    button.addEventListener("click", () => enlarge(picture));
    picture.addEventListener("click", () => enlarge(picture));
    frame.append(picture, button);
  }
})();
