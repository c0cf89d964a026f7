// Asks for the API key.

import { byID } from "./element.js";
import { keyWanted, useKey } from "./server.js";

/** `changed` is called when there is a new key. */
export function setUpKey(changed) {
  const dialog = byID("key-dialog");
  const field = byID("key");
  let hasKey = false;
  let wasDeclined = false;

  function open() {
    if (!dialog.open) dialog.showModal();
    field.focus();
  }

  byID("key-button").addEventListener("click", open);
  byID("key-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    field.value = "";
  });
  dialog.addEventListener("cancel", () => {
    wasDeclined = true;
  });
  byID("key-cancel").addEventListener("click", () => {
    wasDeclined = true;
  });
  byID("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const value = field.value.trim();
    hasKey = value !== "";
    wasDeclined = false;
    useKey(value);
    byID("key-button").textContent = hasKey ? "API key is set" : "API key";
    dialog.close();
    changed();
  });
  keyWanted.addEventListener("wanted", () => {
    if (wasDeclined) return;
    byID("key-reason").textContent = hasKey
      ? "The server does not know this key."
      : "The server asks for a key. Requests bear it until this page is closed or loaded again. It is stored nowhere.";
    open();
  });
}
