// Puts the page together.

import { byID } from "./element.js";
import { setUpKey } from "./key.js";
import { LiveView } from "./live.js";
import { Playground } from "./playground.js";
import { get } from "./server.js";

const playground = new Playground();
const live = new LiveView((request) => playground.owner(request), showState);

/** As `/v1/models` tells of it; null until it did. */
let model = null;

setUpKey(() => live.soon());
// Between two readings of a quiet server a short request would come and go.
playground.onChange = () => live.soon();

/** Told of each reading of the slots: null, or why there was none. */
async function showState(error) {
  const state = byID("state");
  const [name, text] =
    error === null ? ["ready", "ready"]
    : error.status === 401 ? ["bad", "needs a key"]
    : error.status === 503 ? ["waiting", "not ready"]
    : ["bad", "no answer"];
  if (error !== null) model = null;
  state.dataset.state = name;
  if (state.textContent !== text) state.textContent = text;
  if (error !== null || model !== null) return;
  model = (await get("v1/models").catch(() => null))?.data?.[0] ?? null;
  if (model !== null) byID("model").textContent = `${model.id} · ${model.max_model_len} tokens of context`;
}

live.soon();
