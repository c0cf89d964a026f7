// The view of slots and queue: asks again and again, and shows what it is told.

import { byID, duration, element, rate } from "./element.js";
import { KEPT, SlotHistory } from "./history.js";
import { get, ServerError } from "./server.js";
import { Timeline } from "./timeline.js";

/** Milliseconds between two readings, while something runs and while nothing does. */
const BUSY = 250;
const QUIET = 1000;

export class LiveView {
  history = new SlotHistory();
  timeline = new Timeline(byID("timeline"));
  isPaused = false;

  /** `owner(request)` gives the prompt that made a request; `heard(error)` is told of each reading. */
  constructor(owner, heard) {
    this.owner = owner;
    this.heard = heard;
    byID("window").addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(byID("timeline"));
    byID("pause").addEventListener("click", () => {
      this.isPaused = !this.isPaused;
      byID("pause").setAttribute("aria-pressed", this.isPaused);
      byID("pause").textContent = this.isPaused ? "Go on" : "Pause";
      this.soon();
    });
    document.addEventListener("visibilitychange", () => this.soon());
  }

  /** Reads at once, and from then on in time. */
  soon() {
    clearTimeout(this.timer);
    if (this.isReading || this.isPaused || document.hidden) return;
    this.read();
  }

  async read() {
    this.isReading = true;
    let isBusy = false;
    try {
      // What ended since the last reading, and what a pause hid.
      const ago = this.newest === undefined ? KEPT : Math.ceil((performance.now() - this.newest) / 1000) + 1;
      const slots = await get(`slots?recent=${Math.min(KEPT, ago)}`);
      this.newest = performance.now();
      const load = await get("load");
      this.history.add(slots, load);
      isBusy = load.running + load.waiting > 0;
      this.fail(null);
      this.draw();
    } catch (error) {
      this.fail(error);
    }
    this.isReading = false;
    if (!this.isPaused && !document.hidden) this.timer = setTimeout(() => this.read(), isBusy ? BUSY : QUIET);
  }

  fail(error) {
    const text = error === null ? "" : error instanceof ServerError ? error.line : String(error);
    byID("live-failure").hidden = error === null;
    if (byID("live-failure").textContent !== text) byID("live-failure").textContent = text;
    this.heard(error);
  }

  draw() {
    const { samples, slots } = this.history;
    if (samples.length === 0) return;
    const newest = samples.at(-1);
    this.timeline.draw(this.history, Number(byID("window").value), this.owner);
    byID("tile-running").replaceChildren(String(newest.running), element("small", {}, ` of ${slots.length} slots`));
    byID("tile-waiting").textContent = String(newest.waiting);
    byID("tile-rate").textContent = rate(this.history.rates().at(-1));
    const first = this.history.firstTokenMedian();
    byID("tile-first").replaceChildren(duration(first), ...(first === null ? [] : [element("small", {}, " median")]));
    byID("tile-cache").textContent = `${(newest.cache * 100).toFixed(newest.cache < 0.1 ? 1 : 0)} %`;
    if (byID("table-details").open) this.drawTable(slots);
  }

  drawTable(slots) {
    byID("slot-rows").replaceChildren(...slots.map((slot) => {
      const owner = slot.is_processing ? this.owner(slot.id_task) : undefined;
      const cells = [slot.id, slot.state];
      if (slot.is_processing) {
        cells.push(
          `${owner?.name ?? ""} #${slot.id_task}`.trim(), slot.prompt_tokens, slot.generated_tokens,
          duration(slot.queue_seconds), duration(slot.time_to_first_token_seconds), rate(slot.tokens_per_second));
      } else cells.push(...Array(6).fill("–"));
      return element("tr", {}, ...cells.map((cell) => element("td", {}, String(cell))));
    }));
  }
}
