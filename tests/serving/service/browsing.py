"""A real browser and its tabs, for the tests of the pages."""

from __future__ import annotations

import os
import shutil
from urllib.parse import urlsplit

import pytest

BROWSER = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser():
    """Debian's chromium, driven by Playwright."""
    program = shutil.which("chromium")
    if program is None:
        reason = "chromium is not installed (Debian: chromium)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason} (in CI it has to be there)", pytrace=False)
        pytest.skip(reason)
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=BROWSER)
        yield running
        running.close()


@pytest.fixture
def tab(browser, address, keys):
    """`tab(**how)`: a page signed in as operations; afterwards nothing may have gone wrong."""
    opened, faults = [], []

    def open_tab(**how):
        signed_in = {"username": "me", "password": keys["admin"]}
        context = browser.new_context(http_credentials=signed_in, base_url=address, **how)
        page = context.new_page()
        # Nothing is timed: a busy machine may be slow.
        page.set_default_timeout(180_000)
        page.on("console", lambda said: faults.append(said.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda asked: seen.append(asked.url))
        opened.append(context)
        return page

    seen: list[str] = []
    yield open_tab
    for context in opened:
        context.close()
    assert faults == []
    assert {urlsplit(url).netloc for url in seen} == {urlsplit(address).netloc}
    assert not [url for url in seen if "shopper" in url]
