// What a reader touches: handles on a canvas, sliders, buttons, choices; and the line of numbers in text.
(function (live) {
  "use strict";

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  let count = 0;
  const newId = () => `live-${++count}`;

  // A point of `canvas` that moves by mouse, touch and keyboard (arrows; with shift five times as far).
  //   label: its name;  kind: "point", "stretch" or "probe", for the style sheet;  colour: CSS
  //   position: () => [px, py];  move: (px, py), both in CSS pixels of the canvas
  //   step: pixels per arrow key;  text: () => value in words;  value: () => number for aria-valuenow
  // Returns { element, place() where position() says, grab(pointerdown event) to drag from elsewhere }.
  function handle(canvas, { label, kind = "point", colour = "", position, move, step = 4, text, value }) {
    const node = live.element(canvas.frame, "div", {
      class: `live-handle live-${kind}`, role: "slider", tabindex: "0", "aria-label": label,
    });
    if (colour) node.style.setProperty("--live-colour", colour);
    let grip = null;

    function place() {
      const [x, y] = position();
      node.style.transform = `translate(${x}px, ${y}px)`;
      node.setAttribute("aria-valuetext", text());
      node.setAttribute("aria-valuenow", value ? value() : Math.round(x));
      if (!value) node.setAttribute("aria-valuemax", Math.max(Math.round(x), canvas.width));
    }
    function grab(event) {
      if (event.button !== 0) return;
      const [x, y] = position();
      grip = [event.clientX - x, event.clientY - y];
      node.setPointerCapture(event.pointerId);
      node.classList.add("live-held");
      node.focus({ preventScroll: true });
      event.preventDefault();
    }
    node.addEventListener("pointerdown", grab);
    node.addEventListener("pointermove", (event) => {
      if (grip) move(event.clientX - grip[0], event.clientY - grip[1]);
    });
    const release = () => {
      grip = null;
      node.classList.remove("live-held");
    };
    node.addEventListener("lostpointercapture", release);
    node.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      const [x, y] = position();
      const far = step * (event.shiftKey ? 5 : 1);
      move(x + far * arrow[0], y - far * arrow[1]);
    });
    const self = { element: node, place, grab };
    canvas.handles.push(self);
    return self;
  }

  // A row of controls, named for screen readers.
  function panel(parent, label) {
    return live.element(parent, "div", { class: "live-panel", role: "group", "aria-label": label });
  }

  // A labelled range with its value beside it. Returns { element, input, value (get, set) }.
  function slider(parent, { label, min, max, step, value, format = String, onInput }) {
    const id = newId();
    const box = live.element(parent, "div", { class: "live-slider" });
    live.element(box, "label", { for: id }, label);
    const input = live.element(box, "input", { type: "range", id, min, max, step });
    const output = live.element(box, "output", { for: id });
    const show = () => {
      output.textContent = format(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
      input.style.setProperty("--live-fill", `${(100 * (input.value - min)) / (max - min)}%`);
    };
    input.value = value;
    show();
    input.addEventListener("input", () => {
      show();
      onInput(Number(input.value));
    });
    return {
      element: box,
      input,
      get value() {
        return Number(input.value);
      },
      set value(next) {
        input.value = next;
        show();
      },
    };
  }

  // A button; `title` explains it where the label is a sign. Returns the element.
  function button(parent, { label, title = "", onClick }) {
    const node = live.element(parent, "button", { type: "button", class: "live-button" }, label);
    if (title) {
      node.title = title;
      node.setAttribute("aria-label", title);
    }
    node.addEventListener("click", onClick);
    return node;
  }

  // A switch: a check box with its label. Returns the input.
  function toggle(parent, { label, checked = false, onChange }) {
    const box = live.element(parent, "label", { class: "live-toggle" });
    const input = live.element(box, "input", { type: "checkbox" });
    live.element(box, "span", {}, label);
    input.checked = checked;
    input.addEventListener("change", () => onChange(input.checked));
    return input;
  }

  // One of several, as radio buttons in a row. options: [[value, label], ...]. Returns { element, value (get, set) }.
  function choice(parent, { label, options, value, onChange }) {
    const name = newId();
    const box = live.element(parent, "fieldset", { class: "live-choice" });
    live.element(box, "legend", {}, label);
    const inputs = options.map(([key, text]) => {
      const item = live.element(box, "label");
      const input = live.element(item, "input", { type: "radio", name, value: key });
      live.element(item, "span", {}, text);
      input.checked = key === value;
      input.addEventListener("change", () => onChange(key));
      return [key, input];
    });
    return {
      element: box,
      get value() {
        return inputs.find(([, input]) => input.checked)[0];
      },
      set value(next) {
        inputs.forEach(([key, input]) => (input.checked = key === next));
      },
    };
  }

  // The figure's numbers as text. Returns say(text): read out once the reader has paused for half a second.
  function status(parent) {
    const node = live.element(parent, "p", { class: "live-status", role: "status" });
    let waiting = 0;
    return function say(text) {
      clearTimeout(waiting);
      waiting = setTimeout(() => (node.textContent = text), 500);
    };
  }

  Object.assign(live, { handle, panel, slider, button, toggle, choice, status });
})((globalThis.emvaeLive ??= {}));
