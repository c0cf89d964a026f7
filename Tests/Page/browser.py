"""A headless Chromium, driven by its DevTools protocol, and one page in it."""

import asyncio
import base64
import json
import pathlib
import tempfile
import time
import urllib.request

import websockets

FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
         "--no-first-run", "--disable-extensions", "--disable-background-networking", "--remote-debugging-port=0"]
# A loaded machine takes its time.
PATIENCE = 240


class Browser:
    """Use as a context: the process ends with it."""

    def __init__(self, executable):
        self.executable = executable
        self.folder = tempfile.TemporaryDirectory()

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            self.executable, *FLAGS, f"--user-data-dir={self.folder.name}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL)
        port_file = pathlib.Path(self.folder.name, "DevToolsActivePort")
        deadline = time.monotonic() + PATIENCE
        while not port_file.exists() or not port_file.read_text().strip():
            if time.monotonic() > deadline or self.process.returncode is not None:
                raise SystemExit("chromium did not start")
            await asyncio.sleep(0.1)
        self.port = int(port_file.read_text().split()[0])
        return self

    async def __aexit__(self, *_):
        self.process.terminate()
        await self.process.wait()
        try:
            self.folder.cleanup()
        except OSError:
            pass

    async def open(self, url, width=1440, height=1000):
        """A page of its own, without what others stored."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request) as answer:
            target = json.load(answer)
        socket = await websockets.connect(target["webSocketDebuggerUrl"], max_size=None)
        page = Page(socket, url)
        await page.begin(width, height)
        return page


class Page:
    def __init__(self, socket, url):
        self.socket = socket
        self.url = url
        self.count = 0
        self.answers = {}
        # What must not happen: exceptions, errors and warnings on the console, violations of the page's policy.
        self.complaints = []
        # Answers with an error status: the browser writes these on the console, too.
        self.refusals = []
        self.requested = []
        self.reader = asyncio.create_task(self.read())

    async def read(self):
        try:
            async for text in self.socket:
                message = json.loads(text)
                if "id" in message:
                    self.answers.pop(message["id"]).set_result(message)
                else:
                    self.heard(message["method"], message["params"])
        except websockets.ConnectionClosed:
            pass

    def heard(self, method, params):
        if method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"].get("exception", {}).get("description", str(params)))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            entry = params["entry"]
            (self.refusals if entry["source"] == "network" else self.complaints).append(str(entry))
        elif method == "Audits.issueAdded" and "ContentSecurityPolicy" in params["issue"]["code"]:
            self.complaints.append(str(params["issue"]))
        elif method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])

    async def send(self, method, **params):
        self.count += 1
        future = asyncio.get_running_loop().create_future()
        self.answers[self.count] = future
        await self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        message = await asyncio.wait_for(future, PATIENCE)
        if "error" in message:
            raise AssertionError(f"{method}: {message['error']}")
        return message["result"]

    async def begin(self, width, height):
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"]:
            await self.send(f"{domain}.enable")
        await self.resize(width, height)
        await self.send("Page.navigate", url=self.url)
        await self.wait("document.readyState === 'complete'")

    async def resize(self, width, height, mobile=False):
        await self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                        mobile=mobile)

    async def surroundings(self, scheme):
        await self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def run(self, script):
        """The value of an expression, which may be a promise."""
        result = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def wait(self, script):
        """The value of an expression as soon as it is true."""
        deadline = time.monotonic() + PATIENCE
        while True:
            value = await self.run(script)
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"waited too long for {script}; the page says: {await self.text('body')}")
            await asyncio.sleep(0.05)

    async def text(self, selector):
        return await self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    async def fill(self, selector, value):
        script = f"""(() => {{ const node = document.querySelector({json.dumps(selector)});
          node.value = {json.dumps(str(value))};
          node.dispatchEvent(new Event("input", {{ bubbles: true }})); }})()"""
        await self.run(script)

    async def click(self, selector):
        """As a mouse does: what is hidden or covered cannot be hit."""
        box = await self.run(f"""(() => {{ const node = document.querySelector({json.dumps(selector)});
          node.scrollIntoView({{ block: "center" }});
          const box = node.getBoundingClientRect();
          const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
          return [x, y, node.contains(document.elementFromPoint(x, y))]; }})()""")
        if not box[2]:
            raise AssertionError(f"{selector} cannot be clicked")
        for kind in ["mousePressed", "mouseReleased"]:
            await self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    async def press(self, key, code=0, modifiers=0):
        # A form is submitted by the character that Enter types, not by the key.
        text = {"text": "\r"} if key == "Enter" and modifiers == 0 else {}
        for kind in ["keyDown" if text else "rawKeyDown", "keyUp"]:
            await self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                            modifiers=modifiers, **text)

    async def type(self, text):
        await self.send("Input.insertText", text=text)

    async def picture(self, path, whole=False):
        result = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        pathlib.Path(path).write_bytes(base64.b64decode(result["data"]))

    async def close(self):
        self.reader.cancel()
        await self.socket.close()
