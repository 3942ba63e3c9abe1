"""Open every page of a built site in a browser, and print what is wrong, one line each.

::

    python walk.py SITE CHROMIUM
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from playwright.sync_api import Page, Request, sync_playwright

WIDTHS = (1280, 390)
#: How much wider than the window the page is, once it is laid out for that window.
WIDER = """() => new Promise(tell => requestAnimationFrame(() => requestAnimationFrame(() => tell(
    Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth))))"""
LADDERS = """async () => {
  await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  return [...document.querySelectorAll("img.ladder")].filter(one => one.checkVisibility())
    .map(one => [one.src, one.getBoundingClientRect(), one.parentElement.getBoundingClientRect()])
    .map(([source, drawn, box]) => [source, drawn.x, drawn.width, box.left, box.right])
}"""
LIFELINE = re.compile(r'<line x1="([\d.]+)" y1="[\d.]+" x2="\1" [^>]*class="life"')
DRAWN = re.compile(r'viewBox="0 0 ([\d.]+) ')
BROKEN = "[...document.images].filter(one => one.complete && !one.naturalWidth).map(one => one.src)"


def walk(page: Page, site: Path, wrong: list[str]) -> None:
    """Every page, loaded in the first width and narrowed to the second."""
    here = ""

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the browser itself went on to the next page
            wrong.append(f"{here}: {request.url} failed: {request.failure}")

    def asked(request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            wrong.append(f"{here}: asks for {request.url}")

    page.on("console", lambda said: wrong.append(f"{here}: console: {said.text}"))
    page.on("pageerror", lambda error: wrong.append(f"{here}: {error}"))
    page.on("requestfailed", failed)
    page.on("request", asked)
    for file in sorted(site.rglob("*.html")):
        here = str(file.relative_to(site))
        # All lessons have one template: only one in five is also looked at in the first width.
        alike = file.parent.name == "lessons" and sum(file.stem.encode()) % 5
        widths = WIDTHS[1:] if alike else WIDTHS
        page.set_viewport_size({"width": widths[0], "height": 900})
        page.goto(file.as_uri())
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            if (over := page.evaluate(WIDER)) > 0:
                wrong.append(f"{here} at {width}: {over} pixels wider than the window")
            wrong.extend(f"{here} at {width}: {one} is out of view" for one in out_of_view(page))
            pictures = page.evaluate(BROKEN)
            wrong.extend(f"{here} at {width}: no picture {source}" for source in pictures)


def out_of_view(page: Page) -> list[str]:
    """The lifelines of ladders that a reader does not see before scrolling sideways."""
    found = []
    for source, x, width, left, right in page.evaluate(LADDERS):
        path = Path(url2pathname(urlsplit(source).path))
        svg = path.read_text("utf-8")
        (drawn,) = DRAWN.findall(svg)
        lifelines = [x + width * float(one) / float(drawn) for one in LIFELINE.findall(svg)]
        assert len(lifelines) >= 2, source
        found += [f"a lifeline of {path.name}" for one in lifelines if not left <= one <= right]
    return found


def search(page: Page, site: Path) -> None:
    """The search finds something, from a disk."""
    page.goto((site / "index.html").as_uri())
    page.click("input.md-search__input")
    page.keyboard.type("handshake")
    page.locator(".md-search-result__link").first.wait_for()


def main(site: Path, chromium: str) -> None:
    """Walk, and print."""
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        walk(page, site, wrong)
        page.close()
        search(browser.new_page(viewport={"width": 1280, "height": 900}), site)
        browser.close()
    print("\n".join(wrong))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
