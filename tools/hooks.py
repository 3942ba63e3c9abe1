"""MkDocs hooks: pages that are generated from the code at build time.

No generated page is kept in the repository. The commands' pages come from Typer's parameters, the
picture of the rooms from the code's imports, the tables of rules and kinds from the engine and its
ladders, those of captures from their readers, and a lesson's page from its TOML and a recorded
performance.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]

import capture_tables  # noqa: E402
import cli_pages  # noqa: E402
import lesson_pages  # noqa: E402
import rooms  # noqa: E402
import rule_tables  # noqa: E402
from mkdocs.structure.files import File  # noqa: E402

from trioecho.lessons.shelf import FOLDER  # noqa: E402

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOMS = "<!-- the picture of the rooms stands here on the site -->"
RULES = "<!-- the table of the rules stands here on the site -->"
KINDS = "<!-- the table of the kinds stands here on the site -->"


def on_config(config: MkDocsConfig) -> None:
    """Insert the lessons into the navigation."""
    if config.nav is not None:
        place = next(at for at, entry in enumerate(config.nav) if "Tutorials" in entry) + 1
        config.nav.insert(place, {"Lessons": lesson_pages.navigation(FOLDER)})


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the generated pages."""
    made = {f"reference/cli/{name}.md": text for name, text in cli_pages.pages().items()}
    made["lessons/index.md"] = lesson_pages.index(FOLDER)
    for lesson in lesson_pages.lessons(FOLDER):
        made[f"lessons/{lesson.name}.md"] = lesson_pages.page(lesson)
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Insert pictures and tables where a page asks for them."""
    if ROOMS in markdown:
        markdown = markdown.replace(ROOMS, f'<div class="rooms">{rooms.picture()}</div>')
    if RULES in markdown:
        markdown = markdown.replace(RULES, rule_tables.rules())
    if KINDS in markdown:
        markdown = markdown.replace(KINDS, rule_tables.kinds())
    for marker, table in capture_tables.TABLES.items():
        if marker in markdown:
            markdown = markdown.replace(marker, table())
    return markdown


def on_post_build(config: MkDocsConfig) -> None:
    """Remove the 404 page: no server serves these files."""
    Path(config.site_dir, "404.html").unlink(missing_ok=True)
