// What the server told of its slots and queue, over time. Times are seconds on the engine's clock.

/** Seconds that are kept. */
export const KEPT = 60;

export class SlotHistory {
  constructor() {
    this.reset();
  }

  reset() {
    this.now = null;
    this.slots = [];
    /** A request's time in a slot, by names that hold while it lasts. */
    this.stays = new Map();
    /** `{ time, waiting, tokens, cache }` of each reading */
    this.samples = [];
  }

  /** Takes up an answer of `/slots?recent=` and one of `/load`. */
  add(slots, load) {
    const now = slots[0]?.now ?? 0;
    // A server that was started again counts from zero.
    const tokens = load.generation_tokens_total;
    if (this.now !== null && (now < this.now || tokens < this.samples.at(-1).tokens)) this.reset();
    this.now = now;
    this.slots = slots;
    for (const slot of slots) {
      for (const stay of slot.recent) this.put(slot.id, stay, stay.ended);
      if (slot.is_processing) this.put(slot.id, slot, null);
    }
    for (const [name, stay] of this.stays) {
      if (stay.ended === null && !this.holds(stay)) stay.ended = now;
      if (stay.ended !== null && stay.ended < now - KEPT) this.stays.delete(name);
    }
    this.samples.push({
      time: now, waiting: load.waiting, running: load.running, tokens, cache: load.kv_cache_usage,
    });
    // One before the first that is seen, so that a curve comes in from the edge.
    while (this.samples.length > 2 && this.samples[1].time < now - KEPT) this.samples.shift();
  }

  put(slot, stay, ended) {
    this.stays.set(`${slot}/${stay.id_task}/${stay.entered}`, {
      slot, request: stay.id_task, entered: stay.entered, firstToken: stay.first_token, ended,
      end: stay.end ?? null, prompt: stay.prompt_tokens, generated: stay.generated_tokens,
      waited: stay.queue_seconds, toFirstToken: stay.time_to_first_token_seconds, rate: stay.tokens_per_second,
    });
  }

  holds(stay) {
    const slot = this.slots[stay.slot];
    return slot.is_processing && slot.id_task === stay.request && slot.entered === stay.entered;
  }

  /** Tokens a second at each sample, over the second before it. */
  rates() {
    let start = 0;
    return this.samples.map((sample, index) => {
      while (start < index - 1 && this.samples[start + 1].time <= sample.time - 1) start += 1;
      const seconds = sample.time - this.samples[start].time;
      return seconds > 0 ? (sample.tokens - this.samples[start].tokens) / seconds : 0;
    });
  }

  /** Median seconds to the first token, of requests that were seen in a slot. */
  firstTokenMedian() {
    const times = new Map();
    for (const stay of this.stays.values()) {
      if (stay.toFirstToken !== null) times.set(stay.request, stay.toFirstToken);
    }
    const sorted = [...times.values()].sort((a, b) => a - b);
    return sorted.length === 0 ? null : sorted[Math.floor((sorted.length - 1) / 2)];
  }
}
