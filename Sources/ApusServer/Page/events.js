// Server-sent events (WHATWG HTML, section 9.2) of a body, as far as the server uses them: data, no names.

/** The JSON values of the events, up to the one that says that all is said. */
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) throw new TypeError("the stream ended too early");
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.startsWith("data:")) continue;
        const data = line.slice(5).trim();
        if (data === "[DONE]") return;
        yield JSON.parse(data);
      }
    }
  } finally {
    // Closes the connection if the reader left before the end.
    await reader.cancel().catch(() => {});
  }
}
