"""Load through a balancer while one of two instances ends. Every answer must be, byte for byte, what the same request
gives alone; nothing may be lost but, where the instance is killed, streams that it had begun.

Usage: balanced_load.py BALANCER_PORT SURVIVOR_PORT VICTIM_PORT VICTIM_PID KILL|TERM"""

import http.client
import json
import os
import random
import signal
import sys
import threading
import time

WORKERS = 12
REQUESTS = int(os.environ.get("REQUESTS", "160"))
DISTINCT = 24
TOPICS = ["fox", "owl", "lighthouse", "rain", "baker", "otter", "clock", "river"]


def request(number):
    """A request of its own for each number: half of them stream, with a prompt of some length."""
    chance = random.Random(number)
    text = " ".join(f"Tell me about the {chance.choice(TOPICS)}." for _ in range(chance.randrange(1, 12)))
    return dict(
        model="apus-stories",
        prompt=text,
        # Long enough to be at work still when the victim ends.
        max_tokens=chance.randrange(64, 320),
        temperature=chance.choice([0, 0.8]),
        seed=number,
        ignore_eos=True,
        stream=number % 2 == 0,
    )


def send(port, fields):
    """The text and whether an answer was begun; the text is None with the reason where there is no whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun = False
    try:
        connection.request("POST", "/v1/completions", json.dumps(fields), {"Content-Type": "application/json"})
        response = connection.getresponse()
        begun = True
        body = response.read().decode()
        if response.status != 200:
            return None, False, f"status {response.status}: {body[:200]}"
        if not fields["stream"]:
            return json.loads(body)["choices"][0]["text"], True, None
        events = [line[6:] for line in body.split("\n") if line.startswith("data: ")]
        if not events or events[-1] != "[DONE]":
            return None, True, "the stream was cut"
        chunks = [json.loads(event) for event in events[:-1]]
        errors = [chunk["error"] for chunk in chunks if "error" in chunk]
        if errors:
            return None, True, f"error in the stream: {errors[0]}"
        return "".join(chunk["choices"][0]["text"] for chunk in chunks if chunk["choices"]), True, None
    except (OSError, http.client.HTTPException) as error:
        return None, begun, repr(error)
    finally:
        connection.close()


def running(port):
    """Requests in the slots of an instance."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/load")
    load = json.loads(connection.getresponse().read())
    connection.close()
    return load["running"]


class Load:
    def __init__(self, port, alone):
        self.port = port
        self.alone = alone
        self.lock = threading.Lock()
        self.next = 0
        self.finished = 0
        self.wrong = []
        self.failed = []

    def work(self):
        while True:
            with self.lock:
                number = self.next
                self.next += 1
            if number >= REQUESTS:
                return
            fields = request(number % DISTINCT)
            text, begun, reason = send(self.port, fields)
            with self.lock:
                self.finished += 1
                if text is None:
                    self.failed.append((number, fields["stream"], begun, reason))
                elif text != self.alone[number % DISTINCT]:
                    self.wrong.append((number, text, self.alone[number % DISTINCT]))


def main(balancer, survivor, victim, process, kind):
    alone = []
    for number in range(DISTINCT):
        text, _, reason = send(survivor, request(number))
        if text is None:
            raise SystemExit(f"request {number} alone: {reason}")
        alone.append(text)
    load = Load(balancer, alone)
    workers = [threading.Thread(target=load.work) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    # Not before the load runs on both, and while the victim has work: else nothing is shown.
    deadline = time.monotonic() + 120
    at_work = 0
    while load.finished < REQUESTS // 4 or at_work < 3:
        if time.monotonic() > deadline or load.finished > REQUESTS * 3 // 4:
            raise SystemExit(f"the victim never had three requests at once: {at_work}, {load.finished} finished")
        at_work = running(victim)
    os.kill(process, signal.SIGKILL if kind == "KILL" else signal.SIGTERM)
    for worker in workers:
        worker.join()

    if load.wrong:
        raise SystemExit(f"{kind}: {len(load.wrong)} wrong answers; the first: {load.wrong[0]}")
    allowed = [f for f in load.failed if kind == "KILL" and f[1] and f[2]]
    lost = [f for f in load.failed if f not in allowed]
    if lost:
        raise SystemExit(f"{kind}: {len(lost)} of {REQUESTS} lost; the first: {lost[0]}")
    if len(allowed) > at_work + WORKERS:
        raise SystemExit(f"{kind}: {len(allowed)} streams were cut, more than ran: {allowed}")
    print(
        f"SIG{kind} with {at_work} requests at work: {REQUESTS - len(allowed)} of {REQUESTS} answered, equal to the "
        f"same alone; {len(allowed)} begun streams cut; none lost"
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:5]), sys.argv[5])
