// Several prompts at once.

import { byID } from "./element.js";
import { OptionError, readOptions, systemMessage } from "./options.js";
import { Pane } from "./pane.js";

// Browsers open six connections to one server: five streams leave one for the view of the slots.
const PANES_MAX = 5;
const TEXTS = [
  "Tell me about the fox", "Tell me a story about a lighthouse", "What does the baker do at night?",
  "Tell me about the owl", "Tell me a story about the rain",
];

export class Playground {
  panes = [];
  /** Called when a prompt begins or ends. */
  onChange = () => {};

  constructor() {
    byID("add").addEventListener("click", () => this.add().field.focus());
    byID("run-all").addEventListener("click", () => {
      for (const pane of this.panes) if (pane.field.value !== "" || this.mode() !== "chat") pane.run();
    });
    byID("stop-all").addEventListener("click", () => {
      for (const pane of this.panes) pane.stop();
    });
    byID("options").addEventListener("submit", (event) => event.preventDefault());
    for (const input of document.getElementsByName("mode")) {
      input.addEventListener("change", () => {
        for (const pane of this.panes) {
          pane.stop();
          pane.clear();
          if (pane.field.value === "") pane.field.value = TEXTS[pane.index];
        }
      });
    }
    for (let count = 0; count < 4; count += 1) this.add();
  }

  add() {
    const taken = new Set(this.panes.map((pane) => pane.index));
    const index = TEXTS.findIndex((_, index) => !taken.has(index));
    const pane = new Pane(index, TEXTS[index], this);
    this.panes.push(pane);
    this.panes.sort((a, b) => a.index - b.index);
    const next = this.panes[this.panes.indexOf(pane) + 1];
    byID("prompts").insertBefore(pane.node, next?.node ?? null);
    this.changed();
    return pane;
  }

  remove(pane) {
    this.panes = this.panes.filter((other) => other !== pane);
    pane.node.remove();
    this.changed();
    byID("add").focus();
  }

  mode() {
    return document.querySelector("input[name=mode]:checked").value;
  }

  options() {
    return readOptions();
  }

  system() {
    return systemMessage();
  }

  announce(text) {
    byID("announcement").textContent = text;
  }

  changed() {
    byID("add").disabled = this.panes.length === PANES_MAX;
    byID("stop-all").disabled = !this.panes.some((pane) => pane.isRunning);
    for (const pane of this.panes) pane.removeButton.hidden = this.panes.length === 1;
    this.onChange();
  }

  /** The prompt that made the request with that number, if one on this page did. */
  owner(request) {
    return this.panes.find((pane) => pane.requests.has(request));
  }
}
