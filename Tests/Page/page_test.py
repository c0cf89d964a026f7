"""The page at `/`: what it shows is what the server says; nothing it does breaks its own rules."""

import asyncio
import json
import pathlib
import re
import signal
import sys
import time
import urllib.error
import urllib.request

from browser import PATIENCE, Browser

PANES = "ABCD"


class Server:
    """`apus serve` on a free port. Use as a context."""

    def __init__(self, apus, *arguments):
        self.command = [apus, "serve", "--port", "0", *arguments]

    async def __aenter__(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        async for line in self.process.stdout:
            found = re.match(r"listening on (http://\S+)", line.decode())
            if found:
                self.url = found[1]
                return self
        raise SystemExit((await self.process.stderr.read()).decode())

    async def __aexit__(self, *_):
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        assert await self.process.wait() == 0, "the server ended with an error"

    def ask(self, path, body=None, key=None):
        request = urllib.request.Request(self.url + path)
        request.add_header("Content-Type", "application/json")
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=PATIENCE) as answer:
            return json.load(answer)

    async def until_free(self, key=None):
        """Seconds until no request runs or waits."""
        start = time.monotonic()
        while True:
            load = await asyncio.to_thread(self.ask, "/load", None, key)
            if load["running"] + load["waiting"] == 0:
                return time.monotonic() - start
            assert time.monotonic() - start < PATIENCE, load
            await asyncio.sleep(0.05)


def pane(name):
    return f"[aria-label='Prompt {name}']"


def button(name, what):
    return f"[aria-label='{what} prompt {name}']"


async def answers(page, name):
    script = f"""[...document.querySelectorAll("{pane(name)} .answer:not(.asked) p")].map((node) => node.textContent)"""
    return await page.run(script)


async def fields(page, **values):
    for name, value in values.items():
        await page.fill(f"#options [name={name}]", value)


IDLE = "document.querySelectorAll('[aria-busy=true]').length === 0"


async def streamed_text_is_the_answer(page, server):
    """Four prompts at once: each shows what the same request gives alone."""
    options = dict(max_tokens=400, temperature=0.8, seed=7, n=2, ignore_eos=True)
    await fields(page, max_tokens=400, seed=7, n=2)
    await page.run("document.querySelector('[name=ignore_eos]').checked = true")
    await page.click("#run-all")
    most = 0
    seen = 0
    while not await page.run(IDLE) or seen == 0:
        most = max(most, int((await page.text("#tile-running")).split()[0].replace("–", "0")))
        seen = max(seen, await page.run("document.querySelectorAll('.stay:not(.color-other)').length"))
        await asyncio.sleep(0.05)
    await page.run("document.querySelector('[name=ignore_eos]').checked = false")
    assert most > 2, f"at most {most} requests were seen to run together"
    colors = await page.run(
        "[...new Set([...document.querySelectorAll('.stay')].map((node) => node.getAttribute('class')))].sort()")
    assert [f"stay color-{index}" for index in range(4)] == colors, colors
    for name in PANES:
        prompt = await page.run(f"""document.querySelector("{pane(name)} textarea").value""")
        expected = await asyncio.to_thread(server.ask, "/v1/completions", dict(prompt=prompt, **options))
        assert await answers(page, name) == [choice["text"] for choice in expected["choices"]], name
        tokens = expected["usage"]["completion_tokens"]
        assert (await page.text(f"{pane(name)} .figures")).startswith(f"{tokens} tokens · "), name


async def chats_go_on(page, server):
    """The second turn is asked with the first and its answer."""
    await fields(page, max_tokens=24, n=1, system="You tell stories.")
    await page.click("[name=mode][value=chat]")
    messages = [{"role": "system", "content": "You tell stories."}]
    for text in ["Tell me about the fox", "And the owl?"]:
        await page.fill(f"{pane('A')} textarea", text)
        await page.click(button("A", "Run"))
        await page.wait(f"{IDLE} && document.querySelector(\"{pane('A')} textarea\").value === ''")
        messages.append({"role": "user", "content": text})
        body = dict(messages=messages, max_tokens=24, temperature=0.8, seed=7)
        expected = await asyncio.to_thread(server.ask, "/v1/chat/completions", body)
        messages.append({"role": "assistant", "content": expected["choices"][0]["message"]["content"]})
        assert (await answers(page, "A"))[-1] == messages[-1]["content"], text
    await fields(page, system="")
    await page.click("[name=mode][value=completion]")


async def stopping_frees_the_slot(page, server):
    await fields(page, max_tokens=480, n=1)
    await page.run("document.querySelector('[name=ignore_eos]').checked = true")
    await page.click(button("B", "Run"))
    await page.wait(f"document.querySelector(\"{pane('B')} .answer p\")?.textContent.length > 20")
    assert (await asyncio.to_thread(server.ask, "/load"))["running"] == 1
    await page.click(button("B", "Stop"))
    await server.until_free()
    await page.wait(IDLE)
    assert (await page.text(f"{pane('B')} .figures")).endswith("stopped")
    slots = await asyncio.to_thread(server.ask, "/slots?recent=60")
    newest = max((stay for slot in slots for stay in slot["recent"]), key=lambda stay: stay["ended"])
    assert newest["generated_tokens"] < 480, "the request ran to its end"
    await page.run("document.querySelector('[name=ignore_eos]').checked = false")


async def refusals_are_shown_as_such(page):
    await fields(page, max_tokens=16, temperature=-3)
    await page.click(button("A", "Run"))
    await page.wait(f"document.querySelector(\"{pane('A')} .failure\").hidden === false")
    line = await page.text(f"{pane('A')} .failure")
    assert line.startswith("400") and "temperature is -3" in line, line
    await fields(page, temperature=0.8)
    await page.click(button("A", "Run"))
    await page.wait(f"{IDLE} && document.querySelector(\"{pane('A')} .failure\").hidden")


async def the_keyboard_is_enough(page):
    """Tab reaches everything that can be used, each thing has a name, and Ctrl+Enter runs."""
    reachable = "button:not(:disabled), input, select, textarea, summary, a, [tabindex='0']"
    names = await page.run(f"""[...document.querySelectorAll("{reachable}")]
      .filter((node) => node.checkVisibility() && !node.closest("details:not([open]) > :not(summary)"))
      .filter((node) => node.type !== "radio" || node.checked).length""")
    await page.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    await page.run("window.reached = new Set()")
    for _ in range(names + 3):
        await page.press("Tab", 9)
        await page.run("reached.add(document.activeElement)")
    missed = await page.run(f"""[...document.querySelectorAll("{reachable}")]
      .filter((node) => node.checkVisibility() && !node.closest("details:not([open]) > :not(summary)"))
      .filter((node) => (node.type !== "radio" || node.checked) && !reached.has(node)).map((node) => node.outerHTML)""")
    assert missed == [], missed
    tree = await page.send("Accessibility.getFullAXTree")
    used = {"button", "textbox", "spinbutton", "combobox", "checkbox", "radio", "link", "log", "region", "image"}
    nameless = [node for node in tree["nodes"]
                if not node["ignored"] and node.get("role", {}).get("value") in used
                and not node.get("name", {}).get("value")]
    assert nameless == [], nameless
    await page.run(f"document.querySelector(\"{pane('C')} textarea\").focus()")
    await page.press("Enter", 13, modifiers=2)
    await page.wait(f"document.querySelector(\"{pane('C')} .figures\").textContent.includes('first after') && {IDLE}")


async def narrow_screens_lose_nothing(page, pictures):
    for width in [320, 390, 768]:
        await page.resize(width, 800, mobile=True)
        wide = await page.run("document.documentElement.scrollWidth")
        assert wide <= width, f"{width}: the page is {wide} wide"
    await page.resize(390, 844, mobile=True)
    await page.run("window.scrollTo(0, 0)")
    await asyncio.sleep(1)
    await page.picture(pictures / "narrow.png", whole=False)
    await page.run("document.querySelector('#playground-title').scrollIntoView()")
    await asyncio.sleep(0.5)
    await page.picture(pictures / "narrow-playground.png")
    await page.resize(1440, 1000)


async def pictures_of_a_busy_server(page, server, pictures):
    """Eight slots and more requests than they hold, in light and in dark."""
    await page.run("window.scrollTo(0, 0)")
    await fields(page, max_tokens=160, n=3, seed=1)
    await page.run("document.querySelector('[name=mode][value=completion]').checked = true")
    for scheme in ["light", "dark"]:
        await page.surroundings(scheme)
        before = (await asyncio.to_thread(server.ask, "/load"))["generation_tokens_total"]
        await page.click("#run-all")
        await page.run("window.scrollTo(0, 0)")
        while (await asyncio.to_thread(server.ask, "/load"))["generation_tokens_total"] < before + 900:
            await asyncio.sleep(0.1)
            if await page.run(IDLE):
                break
        await page.picture(pictures / f"{scheme}.png")
        if scheme == "dark":
            await page.run("document.querySelector('#table-details').open = true")
            await asyncio.sleep(1)
            await page.picture(pictures / "dark-table.png")
            await page.run("document.querySelector('#table-details').open = false")
        await page.click("#stop-all")
        await page.wait(IDLE)
        await server.until_free()
    await page.surroundings("light")


async def the_page_keeps_its_own_rules(page, server, refusals):
    assert page.complaints == [], page.complaints
    strangers = [url for url in page.requested if not url.startswith(server.url)]
    assert strangers == [], strangers
    unexpected = [entry for entry in page.refusals if not re.search(f"status of ({refusals})", entry)]
    assert unexpected == [], unexpected
    stored = await page.run("[localStorage.length, sessionStorage.length, document.cookie, location.search].join()")
    assert stored == "0,0,,", stored


async def open_server(apus, browser, pictures):
    async with Server(apus, "--slots", "8") as server:
        page = await browser.open(server.url)
        await page.wait("document.querySelector('#state').textContent === 'ready'")
        await page.wait("document.querySelector('#model').textContent.startsWith('apus-stories')")
        await streamed_text_is_the_answer(page, server)
        await stopping_frees_the_slot(page, server)
        await chats_go_on(page, server)
        await refusals_are_shown_as_such(page)
        await the_keyboard_is_enough(page)
        await pictures_of_a_busy_server(page, server, pictures)
        await narrow_screens_lose_nothing(page, pictures)
        await the_page_keeps_its_own_rules(page, server, "400")
        await page.close()


async def guarded_server(apus, browser):
    """A key is asked for, and used; a full queue and a server that ends are shown as what they are."""
    async with Server(apus, "--api-key", "right-key", "--slots", "1", "--queue-requests", "2") as server:
        page = await browser.open(server.url)
        for key in ["wrong-key", "right-key"]:
            await page.wait("document.querySelector('#key-dialog').open && document.activeElement.id === 'key'")
            await page.type(key)
            await page.press("Enter", 13)
            await page.wait("!document.querySelector('#key-dialog').open || key.value === ''")
        await page.wait("document.querySelector('#state').textContent === 'ready'")
        assert await page.run("document.querySelector('#key').value") == ""
        await fields(page, max_tokens=400, n=1)
        await page.run("document.querySelector('[name=ignore_eos]').checked = true")
        await page.click("#run-all")
        line = await page.wait("document.querySelector('.pane .failure:not([hidden])')?.textContent")
        assert line.startswith("429 queue_full: ") and "try again in" in line, line
        await page.wait("document.querySelector('#tile-waiting').textContent === '2'")
        full = await page.run("document.querySelectorAll('.pane .failure:not([hidden])').length")
        assert full == 1, f"{full} prompts were refused"
        server.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        refused = "document.querySelector('.pane:has(.failure:not([hidden]))')"
        name = await page.run(f"{refused}.getAttribute('aria-label').at(-1)")
        await page.click(button(name, "Run"))
        line = await page.wait(
            f"document.querySelector(\"{pane(name)} .failure:not([hidden])\")?.textContent.match(/^503.*/)?.[0]")
        assert line.startswith("503 draining: "), line
        await page.click("#stop-all")
        await page.wait("document.querySelector('#state').textContent === 'no answer'")
        await the_page_keeps_its_own_rules_with_a_key(page, server)
        await page.close()


async def the_page_keeps_its_own_rules_with_a_key(page, server):
    # The server has gone: that connections fail is right.
    page.refusals = [entry for entry in page.refusals if "net::ERR_" not in entry]
    await the_page_keeps_its_own_rules(page, server, "401|429|503")
    assert not any("key" in url.removeprefix(server.url).replace("page/key.js", "") for url in page.requested)


async def main():
    apus, chromium, pictures = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    async with Browser(chromium) as browser:
        await open_server(apus, browser, pictures)
        await guarded_server(apus, browser)
    print("page: passed")


if __name__ == "__main__":
    asyncio.run(main())
