"""A client that streams without a pause and notes when tokens come."""

import multiprocessing
import socket
import time

from wire import post_json

PATIENCE = 60


def requests(more):
    """Long answers, each another."""
    seed = 0
    while True:
        seed += 1
        fields = dict(prompt="Tell me about the fox", max_tokens=480, temperature=1, seed=seed, ignore_eos=True)
        yield post_json("/v1/completions", fields | dict(stream=True) | more)


def run(port, more, pipe, begun):
    """Until the other end of the pipe says so. Times are of the clock that all processes share."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    # Pairs of times, of one answer's tokens that follow each other.
    gaps = []
    for request in requests(more):
        connection.sendall(request)
        tail, previous = b"", None
        while not tail.endswith(b"0\r\n\r\n"):
            piece = connection.recv(1 << 16)
            now = time.monotonic()
            if not piece:
                raise SystemExit("the normal client was cut")
            if b"data: {" in piece:
                if previous is not None:
                    if not gaps:
                        begun.set()
                    gaps.append((previous, now))
                previous = now
            tail = (tail + piece)[-16:]
            while pipe.poll():
                asked = pipe.recv()
                if asked is None:
                    return
                pipe.send([end - begin for begin, end in gaps if begin >= asked[0] and end <= asked[1]])
                gaps.clear()


class Meter:
    """The client's process, as another sees it. `more`: fields of its requests."""

    def __init__(self, port, more):
        self.pipe, inner = multiprocessing.Pipe()
        begun = multiprocessing.Event()
        self.process = multiprocessing.Process(target=run, args=(port, more, inner, begun), daemon=True)
        self.process.start()
        if not begun.wait(PATIENCE):
            raise SystemExit("the normal client got nothing")

    def gaps(self, begin, end):
        """Seconds between tokens, of those that came in between. Forgets what came before."""
        self.pipe.send((begin, end))
        if not self.pipe.poll(PATIENCE):
            raise SystemExit("the normal client says nothing")
        return self.pipe.recv()

    def end(self):
        self.pipe.send(None)
        self.process.join(PATIENCE)
