// The options of a request, as the form has them. What is right and what is not is for the server to say.

import { byID } from "./element.js";

export class OptionError extends Error {}

/** The fields of a request; what was left empty is not among them. */
export function readOptions() {
  const form = byID("options");
  const fields = {};
  for (const input of form.querySelectorAll("input")) {
    const isWrong = input.type === "number" && !isNumber(input);
    input.setAttribute("aria-invalid", isWrong);
    if (isWrong) throw new OptionError(`${label(input)} is not a number that can be sent`);
    if (input.name === "system") continue;
    if (input.type === "checkbox") {
      if (input.checked) fields[input.name] = true;
    } else if (input.value !== "") {
      fields[input.name] = input.type === "number" ? Number(input.value) : input.value;
    }
  }
  return fields;
}

/** The system message of chats; null if there is none. */
export function systemMessage() {
  return byID("options").elements.system.value || null;
}

/** Whole numbers beyond 2^53 would be sent as others. */
function isNumber(input) {
  if (input.validity.badInput) return false;
  const value = Number(input.value);
  return !Number.isInteger(value) || Number.isSafeInteger(value);
}

function label(input) {
  return input.closest("label").textContent.trim();
}
