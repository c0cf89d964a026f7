"""A server as a process of its own, and what can be seen of it from outside: memory, open files, its own counts."""

import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time


class Served:
    """`apus serve` with some options, on a free port."""

    def __init__(self, apus, *options):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [apus, "serve", "--port", "0", *options], stdout=subprocess.PIPE, stderr=self.errors
        )
        self.pid = self.process.pid
        self.port = None
        for line in self.process.stdout:
            found = re.match(rb"listening on .*:(\d+)$", line.strip())
            if found:
                self.port = int(found[1])
                return
        raise SystemExit(f"the server did not start: {self.error_text()}")

    def error_text(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")

    @property
    def is_alive(self):
        return self.process.poll() is None

    def resident_bytes(self):
        """Memory that is present, of all kinds."""
        with open(f"/proc/{self.pid}/status") as status:
            return 1024 * int(re.search(r"^VmRSS:\s+(\d+) kB", status.read(), re.M)[1])

    def files(self):
        """What is open, by its number."""
        found = {}
        for number in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                found[int(number)] = os.readlink(f"/proc/{self.pid}/fd/{number}")
            except OSError:
                pass
        return found

    def thread_count(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def get(self, path, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().read()
        finally:
            connection.close()

    def metrics(self):
        """Every value of `/metrics` by its name, with the labels beside the model's behind a colon."""
        values = {}
        for line in self.get("/metrics").decode().splitlines():
            found = re.match(r"apus:(\w+)\{(.*)\} (\S+)$", line)
            if found:
                labels = re.sub(r'model_name="[^"]*",?', "", found[2])
                values[found[1] + (":" + re.sub(r'\w+="([^"]*)"', r"\1", labels) if labels else "")] = float(found[3])
        return values

    def wait_until_idle(self, seconds=60):
        """Until no request holds or waits for anything. Returns the counts; ends the test if that never comes."""
        deadline = time.monotonic() + seconds
        while True:
            counts = self.metrics()
            slots = json.loads(self.get("/slots"))
            held = [counts["num_requests_running"], counts["num_requests_waiting"], counts["kv_cache_usage_perc"]]
            if held == [0, 0, 0] and not any(slot["is_processing"] for slot in slots):
                return counts
            if time.monotonic() > deadline:
                raise SystemExit(f"not idle after {seconds} s: running, waiting, pages {held}, slots {slots}")
            time.sleep(0.02)

    def settled_files(self, expected, seconds=10):
        """Open files once they are as few as `expected`, or when that does not come."""
        deadline = time.monotonic() + seconds
        while len(self.files()) > len(expected) and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.files()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self, seconds=60):
        return self.process.wait(timeout=seconds)

    def end(self):
        """Ends it, if it lives, without a check."""
        if self.is_alive:
            self.process.kill()
            self.process.wait()


def load_average():
    return " ".join(f"{value:.1f}" for value in os.getloadavg()[:2])
