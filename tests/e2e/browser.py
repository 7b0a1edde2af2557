"""A real Chromium for the web app's tests, strict about what a page may do: no console error, no request to anybody else."""

import os
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

from tokenx_cli.runtime.paths import project_root

FRONTEND: Final = project_root() / "frontend"
ARGUMENTS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE: Final = (390, 844)
DESK: Final = (1440, 900)


def chromium_path() -> str:
    """The Chromium to drive: TOKENX_CHROMIUM, else the system's."""
    return os.environ.get("TOKENX_CHROMIUM", "/usr/bin/chromium")


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """A headless browser, closed at the end."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Seat:
    """One person's browser window. faults: what its pages did that they must not."""

    page: Page
    context: BrowserContext
    faults: list[str] = field(default_factory=list[str])
    forgiven: re.Pattern[str] | None = None
    """Faults that a test causes itself, e.g. by cutting the stream."""

    async def open(self, path: str) -> None:
        """Go to a page and wait until it answers to clicks: React takes over after the HTML is there."""
        await self.page.goto(path)
        await self.page.locator("html[data-hydrated]").wait_for(state="attached")

    async def sign_in(self, email: str, password: str) -> None:
        """By keyboard: the e-mail field has the focus."""
        await self.page.goto("/login")
        await self.page.keyboard.type(email)
        await self.page.keyboard.press("Tab")
        await self.page.keyboard.type(password)
        await self.page.keyboard.press("Enter")
        await self.page.wait_for_url(lambda url: "/login" not in url and "/session" not in url)
        await self.page.locator("html[data-hydrated]").wait_for(state="attached")

    def heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.blame(f"console {message.type}: {message.text}")

    def asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname != "127.0.0.1":
            self.blame(f"request to {request.url}")

    def blame(self, fault: str) -> None:
        where = urlsplit(self.page.url).path
        if self.forgiven is None or not self.forgiven.search(fault):
            self.faults.append(f"{where}: {fault}")


@asynccontextmanager
async def seat(
    browser: Browser,
    url: str,
    *,
    size: tuple[int, int] = DESK,
    theme: Literal["dark", "light"] = "dark",
    scripts: bool = True,
    forgiven: str | None = None,
) -> AsyncGenerator[Seat]:
    """A fresh window at the web app. Fails at the end when a page misbehaved."""
    context = await browser.new_context(
        base_url=url,
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=scripts,
        reduced_motion="reduce",
        timezone_id="UTC",
    )
    context.set_default_timeout(15_000)
    await context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page = await context.new_page()
    taken = Seat(page, context, forgiven=re.compile(forgiven) if forgiven else None)
    page.on("console", taken.heard)
    page.on("pageerror", lambda error: taken.blame(f"uncaught {error}"))
    page.on("request", taken.asked)
    try:
        yield taken
        assert taken.faults == []
    finally:
        await context.close()


def nav_pages() -> dict[str, list[str]]:
    """Every page of nav.ts by the first segment of its address: {'investor': ['/investor', '/investor/trade', …], …}."""
    text = (FRONTEND / "src" / "lib" / "nav.ts").read_text()
    pages: dict[str, list[str]] = {}
    for href in re.findall(r'href: "([^"]+)"', text):
        pages.setdefault(href.split("/")[1], []).append(href)
    return pages


async def overflow(page: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(await page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


async def axe(page: Page) -> list[str]:
    """Violations of WCAG 2.2 AA and of axe's best practice, one line each with the first node."""
    source = (Path(FRONTEND) / "node_modules" / "axe-core" / "axe.min.js").read_text()
    await page.evaluate(source)
    tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
    result: Any = await page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
    return [f"{item['id']}: {_first(item['nodes'])}" for item in cast(Iterable[dict[str, Any]], result["violations"])]


def _first(nodes: list[dict[str, Any]]) -> str:
    return f"{nodes[0]['html'][:160]} ({len(nodes)} nodes)"
