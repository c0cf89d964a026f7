// Draws who held which slot, and below it the queue and the speed, over one axis of time.

import { duration, rate, shape } from "./element.js";

const LANE = 18;
const GAP = 3;
const STRIP = 26;
const TOP = 2;
const LEFT = 68;
const RIGHT = 44;
const AXIS = 20;

export class Timeline {
  constructor(parent) {
    this.parent = parent;
    this.svg = shape("svg", { role: "img", "aria-label": "Who held which slot, the queue and the speed, over time" });
    parent.append(this.svg);
    this.slotCount = -1;
    this.stays = new Map();
  }

  /** `owner(request)` gives the prompt that made a request, if this page did. */
  draw(history, seconds, owner) {
    const width = this.parent.clientWidth;
    if (width === 0 || history.now === null) return;
    if (history.slots.length !== this.slotCount || width !== this.width) this.build(history.slots.length, width);
    const scale = (this.width - LEFT - RIGHT) / seconds;
    const x = (time) => LEFT + Math.max(0, time - (history.now - seconds)) * scale;
    this.drawAxis(seconds, scale);
    this.drawStays(history, seconds, x, owner);
    const strips = [
      history.samples.map((sample) => sample.waiting), history.rates(),
      history.samples.map((sample) => sample.cache * 100),
    ];
    this.strips.forEach((strip, index) => this.drawStrip(strip, history, seconds, strips[index], x));
  }

  build(slotCount, width) {
    this.slotCount = slotCount;
    this.width = width;
    this.stays.clear();
    const lanes = TOP + slotCount * (LANE + GAP);
    const height = lanes + 3 * (STRIP + GAP) + AXIS;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("height", height);
    const inner = width - LEFT - RIGHT;
    const parts = [];
    for (let slot = 0; slot < slotCount; slot += 1) {
      parts.push(
        shape("rect", { class: "lane", x: LEFT, y: this.y(slot), width: inner, height: LANE, rx: 3 }),
        shape("text", { x: 0, y: this.y(slot) + 13 }, `Slot ${slot}`));
    }
    this.axis = shape("g");
    this.bars = shape("g");
    this.height = lanes + 3 * (STRIP + GAP);
    const strips = [["Waiting", 1, ""], ["Tokens/s", 10, ""], ["KV cache", 100, " %"]];
    this.strips = strips.map(([name, least, unit], index) => {
      const top = lanes + index * (STRIP + GAP);
      const area = shape("path", { class: "area" });
      const curve = shape("path", { class: "curve" });
      const most = shape("text", { x: width - RIGHT + 5, y: top + 12 });
      parts.push(
        shape("rect", { class: "lane", x: LEFT, y: top, width: inner, height: STRIP, rx: 3 }),
        shape("text", { x: 0, y: top + 17 }, name), area, curve, most);
      return { top, least, unit, area, curve, most };
    });
    this.svg.replaceChildren(...parts, this.axis, this.bars);
  }

  y(slot) {
    return TOP + slot * (LANE + GAP);
  }

  drawAxis(seconds, scale) {
    if (this.axisSeconds === seconds && this.axis.childElementCount > 0) return;
    this.axisSeconds = seconds;
    const step = seconds / (this.width < 560 ? 2 : 6);
    const marks = [];
    for (let ago = 0; ago <= seconds + 0.01; ago += step) {
      const x = LEFT + (seconds - ago) * scale;
      const label = ago === 0 ? "now" : `−${Math.round(ago * 10) / 10} s`;
      marks.push(
        shape("line", { class: "tick", x1: x, x2: x, y1: TOP, y2: this.height }),
        shape("text", { x, y: this.height + 14, "text-anchor": "middle" }, label));
    }
    this.axis.replaceChildren(...marks);
  }

  drawStays(history, seconds, x, owner) {
    for (const [name, bar] of this.stays) {
      if (history.stays.has(name)) continue;
      bar.group.remove();
      this.stays.delete(name);
    }
    for (const [name, stay] of history.stays) {
      let bar = this.stays.get(name);
      if (bar === undefined) {
        bar = this.makeBar(stay);
        this.stays.set(name, bar);
      }
      const end = stay.ended ?? history.now;
      const isSeen = end > history.now - seconds;
      bar.group.style.display = isSeen ? "" : "none";
      if (isSeen) this.drawBar(bar, stay, end, x, owner(stay.request));
    }
  }

  makeBar(stay) {
    const y = this.y(stay.slot);
    const [prefill, decode, edge] = ["prefill", "decode", "edge"].map((name) =>
      shape("rect", { class: name, y: y + 1, height: LANE - 2, rx: name === "edge" ? 0 : 2 }));
    const label = shape("text", { y: y + 13 });
    const title = shape("title");
    const group = shape("g", {}, title, prefill, decode, edge, label);
    this.bars.append(group);
    return { group, prefill, decode, edge, label, title };
  }

  drawBar(bar, stay, end, x, pane) {
    const name = `${pane?.name ?? ""} #${stay.request}`.trim();
    const begin = x(stay.entered);
    // Who comes back after a preemption has had its first token: its prompt is computed again.
    const turn = Math.max(begin, x(stay.firstToken === null ? end : Math.min(stay.firstToken, end)));
    const right = Math.max(x(end), begin + 2);
    bar.group.setAttribute("class", `stay color-${pane?.index ?? "other"}`);
    place(bar.prefill, begin, turn);
    place(bar.decode, turn, right);
    place(bar.edge, begin, begin + 2);
    bar.label.setAttribute("x", begin + 6);
    const text = right - begin > 10 + 8 * name.length ? name : "";
    if (bar.label.textContent !== text) bar.label.textContent = text;
    const words = [
      `request ${name} in slot ${stay.slot}`, `${stay.prompt} prompt tokens`, `waited ${duration(stay.waited)}`,
      `first token after ${duration(stay.toFirstToken)}`, `${stay.generated} tokens`, `${rate(stay.rate)} tokens/s`,
    ];
    if (stay.end === "preempted") words.push("preempted");
    const title = words.join(", ");
    if (bar.title.textContent !== title) bar.title.textContent = title;
  }

  drawStrip(strip, history, seconds, values, x) {
    const from = history.now - seconds;
    const first = Math.max(0, history.samples.findIndex((sample) => sample.time >= from) - 1);
    const most = Math.max(strip.least, ...values.slice(first));
    const bottom = strip.top + STRIP - 1;
    const points = [];
    for (let index = first; index < values.length; index += 1) {
      const y = bottom - (values[index] / most) * (STRIP - 4);
      points.push(`${x(history.samples[index].time).toFixed(1)} ${y.toFixed(1)}`);
    }
    const line = `M${points.join("L")}`;
    const left = points[0].split(" ")[0];
    strip.curve.setAttribute("d", line);
    strip.area.setAttribute("d", `${line}V${bottom}H${left}Z`);
    const text = `${Math.round(most)}${strip.unit}`;
    if (strip.most.textContent !== text) strip.most.textContent = text;
  }
}

function place(rect, left, right) {
  rect.setAttribute("x", left.toFixed(1));
  rect.setAttribute("width", Math.max(0, right - left).toFixed(1));
}
