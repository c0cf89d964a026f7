// One prompt, or one chat, and its answers.

import { duration, element, rate } from "./element.js";
import { events } from "./events.js";
import { post, ServerError } from "./server.js";

/** Milliseconds between two times that text is shown. */
const SHOWN_EVERY = 100;

export class Pane {
  /** - host: `options()`, `system()`, `mode()`, `announce(text)`, `remove(pane)`, `changed()` */
  constructor(index, text, host) {
    this.index = index;
    this.name = "ABCDE"[index];
    this.host = host;
    /** The engine's numbers of the requests that were made here. */
    this.requests = new Set();
    this.messages = [];
    this.controller = null;
    this.field = element("textarea", { rows: 1, "aria-label": `Text of prompt ${this.name}` });
    this.field.value = text;
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.run();
    });
    this.button = element("button", { type: "button", onclick: () => (this.isRunning ? this.stop() : this.run()) });
    this.removeButton = element(
      "button",
      { type: "button", class: "plain", "aria-label": `Remove prompt ${this.name}`, onclick: () => host.remove(this) },
      "Remove");
    this.answers = element("div", {
      class: "answers", role: "log", tabindex: 0, "aria-label": `Answers to prompt ${this.name}`, "aria-busy": "false",
    });
    this.failure = element("p", { class: "failure", role: "alert", hidden: true });
    this.figures = element("p", { class: "figures" });
    this.node = element(
      "section", { class: `pane color-${index}`, "aria-label": `Prompt ${this.name}` },
      element("div", { class: "pane-head" }, element("h3", {}, `Prompt ${this.name}`), this.button, this.removeButton),
      this.field, this.failure, this.answers, this.figures);
    this.clear();
    this.showState();
  }

  get isRunning() {
    return this.controller !== null;
  }

  clear() {
    this.messages = [];
    this.answers.replaceChildren(element("p", { class: "hint" }, "Answers appear here."));
    this.figures.textContent = "";
  }

  /** Closes the stream, which ends the request on the server. */
  stop() {
    this.controller?.abort();
  }

  async run() {
    if (this.isRunning) return;
    const controller = new AbortController();
    this.controller = controller;
    this.failure.hidden = true;
    this.showState();
    const run = new Run();
    let ending = "";
    try {
      await this.stream(run, controller.signal);
      ending = run.reasons();
    } catch (error) {
      ending = controller.signal.aborted ? "stopped" : "failed";
      if (!controller.signal.aborted) this.fail(error);
    }
    this.controller = null;
    this.show(run);
    if (this.chats) this.keepTurn(run);
    for (const answer of this.answers.querySelectorAll(".open")) answer.classList.remove("open");
    if (run.begun !== null) this.figures.textContent = run.figures(ending);
    else if (ending === "stopped") this.figures.textContent = ending;
    this.showState();
    this.host.announce(`Prompt ${this.name}: ${this.failure.hidden ? this.figures.textContent : ending}`);
  }

  async stream(run, signal) {
    const [path, body] = this.request();
    const response = await post(path, body, signal);
    for (const id of (response.headers.get("Apus-Request-Ids") ?? "").split(",")) this.requests.add(Number(id));
    run.begun = performance.now();
    for await (const event of events(response.body)) {
      if (event.error) throw new ServerError(0, event.error);
      for (const choice of event.choices) this.append(run, choice);
      if (event.usage) run.usage = event.usage;
    }
  }

  /** Path and body, from what the page says now. */
  request() {
    const options = { ...this.host.options(), stream: true, stream_options: { include_usage: true } };
    this.chats = this.host.mode() === "chat";
    if (!this.chats) {
      this.answers.replaceChildren();
      return ["v1/completions", { prompt: this.field.value, ...options }];
    }
    if (this.messages.length === 0) this.answers.replaceChildren();
    this.messages.push({ role: "user", content: this.field.value });
    this.answers.append(answer("You", this.field.value, "asked"));
    this.field.value = "";
    const system = this.host.system();
    const opening = system === null ? [] : [{ role: "system", content: system }];
    return ["v1/chat/completions", { messages: [...opening, ...this.messages], ...options }];
  }

  /** The first answer is what the chat goes on from. What got none goes back to where it was typed. */
  keepTurn(run) {
    const part = run.parts.get(0);
    if (run.text(0) !== "" || part?.reason) {
      this.messages.push({ role: "assistant", content: run.text(0) });
    } else if (this.messages.at(-1)?.role === "user") {
      const text = this.messages.pop().content;
      this.field.value ||= text;
      for (const node of [...this.answers.querySelectorAll(".asked")].slice(-1)) node.remove();
    }
  }

  append(run, choice) {
    const text = choice.text ?? choice.delta?.content ?? "";
    let part = run.parts.get(choice.index);
    if (part === undefined) {
      part = { node: answer(`Answer ${choice.index + 1}`, "", "open"), reason: null, pending: "" };
      part.text = part.node.querySelector("p").appendChild(document.createTextNode(""));
      this.place(run, choice.index, part);
    }
    part.pending += text;
    run.count(text);
    if (choice.finish_reason) {
      part.reason = choice.finish_reason;
      part.node.classList.remove("open");
    }
    run.timer ??= setTimeout(() => this.show(run), SHOWN_EVERY);
  }

  /** Shows what came since the last time: laying out the page for each token would take all of a processor. */
  show(run) {
    clearTimeout(run.timer);
    run.timer = null;
    const parts = [...run.parts.values()].filter((part) => part.pending !== "");
    // Several texts scroll each for itself.
    const boxes = run.parts.size === 1 ? [this.answers] : parts.map((part) => part.node);
    const ends = boxes.filter((box) => box.scrollTop + box.clientHeight > box.scrollHeight - 30);
    for (const part of parts) {
      part.text.appendData(part.pending);
      part.pending = "";
    }
    for (const box of ends) box.scrollTop = 1e9;
    if (this.isRunning) this.figures.textContent = run.figures();
  }

  /** Answers stand in their order, whichever begins first. */
  place(run, index, part) {
    const later = [...run.parts.keys()].filter((other) => other > index).sort((a, b) => a - b)[0];
    this.answers.insertBefore(part.node, run.parts.get(later)?.node ?? null);
    run.parts.set(index, part);
    this.answers.classList.toggle("several", run.parts.size > 1 && !this.chats);
  }

  fail(error) {
    this.failure.textContent = error instanceof ServerError ? error.line : error.message;
    this.failure.hidden = false;
  }

  showState() {
    this.button.textContent = this.isRunning ? "Stop" : "Run";
    this.button.setAttribute("aria-label", `${this.button.textContent} prompt ${this.name}`);
    this.removeButton.disabled = this.isRunning;
    this.answers.setAttribute("aria-busy", this.isRunning);
    this.host.changed();
  }
}

function answer(title, text, kind) {
  return element("div", { class: `answer ${kind}` }, element("h4", {}, title), element("p", {}, text));
}

/** What came of one request so far. Times are the page's. */
class Run {
  asked = performance.now();
  begun = null;
  first = null;
  newest = null;
  chunks = 0;
  usage = null;
  parts = new Map();
  /** Set while there is text to be shown. */
  timer = null;

  count(text) {
    if (text === "") return;
    this.newest = performance.now();
    this.first ??= this.newest;
    this.chunks += 1;
  }

  text(index) {
    return this.parts.get(index)?.text.data ?? "";
  }

  reasons() {
    return [...new Set([...this.parts.values()].map((part) => part.reason).filter((reason) => reason))].join(", ");
  }

  /** Until the server has told how many tokens there are, pieces of text are counted. */
  figures(ending = "") {
    const count = this.usage?.completion_tokens ?? this.chunks;
    const seconds = (this.newest - this.first) / 1000;
    const parts = [`${this.usage ? "" : "~"}${count} tokens`];
    if (this.chunks > 1 && seconds > 0) parts.push(`${rate((count - this.parts.size) / seconds)} tokens/s`);
    if (this.first !== null) parts.push(`first after ${duration((this.first - this.asked) / 1000)}`);
    if (ending !== "") parts.push(ending);
    return parts.join(" · ");
  }
}
