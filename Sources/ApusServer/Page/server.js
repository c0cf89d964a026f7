// Asks the server that the page came from. Paths are relative, so that it may stand behind a prefix.

let key = "";
/** Told when the server asks for a key, or for another one. */
export const keyWanted = new EventTarget();

/** For this page only: it is kept in this variable and nowhere else. */
export function useKey(value) {
  key = value;
}

/** What the server said instead of an answer; status 0 if it said nothing. */
export class ServerError extends Error {
  constructor(status, error = {}, retryAfter = null) {
    super(error.message ?? "no answer");
    this.status = status;
    this.code = error.code ?? null;
    this.retryAfter = retryAfter;
  }

  /** On one line, as it is shown. */
  get line() {
    const name = [this.status || null, this.code].filter((part) => part !== null).join(" ");
    const again = this.retryAfter === null ? "" : ` – try again in ${this.retryAfter} s`;
    return (name === "" ? this.message : `${name}: ${this.message}`) + again;
  }
}

/** The response, if its status says that all went well. `body` is sent as JSON. */
async function ask(path, { body, signal, asksForKey = true } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key !== "") headers["Authorization"] = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, {
      method: body === undefined ? "GET" : "POST", headers, signal, cache: "no-store", credentials: "omit",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, { message: "the server cannot be reached" });
  }
  if (response.ok) return response;
  const error = await response.json().then((json) => json.error, () => undefined);
  const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  if (response.status === 401 && asksForKey) keyWanted.dispatchEvent(new Event("wanted"));
  throw new ServerError(
    response.status, error ?? { message: response.statusText }, Number.isNaN(retryAfter) ? null : retryAfter);
}

export async function get(path, options = {}) {
  return (await ask(path, options)).json();
}

/** A response whose body is a stream of events. */
export async function post(path, body, signal) {
  return ask(path, { body, signal });
}
