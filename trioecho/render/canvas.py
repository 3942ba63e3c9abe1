"""The elements of an SVG, on a page ``WIDTH`` units wide."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from trioecho.text import printable

#: Width of a picture; its height depends on what it shows.
WIDTH = 880
MARGIN = 26
#: Height of a line about calls, and of a sentence.
LINE, SMALL = 15.0, 16.0

# Names are scoped, so that the picture can be pasted into a page. Colours contrast with the ground
# by at least 4.5 to 1, and are never the only sign.
_STYLE = """
.tl{--ground:#fcfcfb;--edge:#e3e2de;--ink:#20242b;--quiet:#666b75;--rule:#d3d5da;--ack:#7a808b;\
--data:#1c64b8;--open:#1f7a46;--close:#8a5a00;--bad:#c0262d;--call:#0f6f74;\
--idle:#c9ccd2;--listen:#8d93a1;--opening:#9fd3a8;--up:#43a363;--closing:#e0a83a;--wait:#a58bd6}
@media (prefers-color-scheme:dark){.tl{--ground:#1b1e25;--edge:#2e333d;--ink:#e8eaef;\
--quiet:#a1a7b3;--rule:#3a404b;--ack:#98a0ae;--data:#7db5f5;--open:#6fcf90;--close:#e2b457;\
--bad:#ff8080;--call:#62c8c8;--idle:#4a505c;--listen:#767d8d;--opening:#3f7a50;--up:#48a869;\
--closing:#b98a2f;--wait:#8a70bd}}
.tl text{font:12.5px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",\
sans-serif;fill:var(--ink)}
.tl .halo{paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}
.tl .title{font-size:16px;font-weight:600}
.tl .end{font-size:13.5px;font-weight:600}
.tl .time,.tl .head{fill:var(--quiet);font-variant-numeric:tabular-nums;font-size:11.5px}
.tl .rung{font-variant-numeric:tabular-nums;font-size:11.5px;font-weight:600}
.tl .call,.tl .label,.tl .rest{font-family:ui-monospace,"SF Mono",Menlo,Consolas,\
"DejaVu Sans Mono",monospace;font-size:11px}
.tl .call{fill:var(--call)}
.tl .label{font-size:11.5px}.tl .label .flags{font-weight:700}
.tl .rest{fill:var(--quiet);font-size:10.5px}
.tl .said{fill:var(--quiet);font-size:12px}
.tl .quiet{fill:var(--quiet);font-size:11px}
.tl .strong{font-weight:600;font-size:12px}
.tl .trouble{fill:var(--bad);font-size:12px;font-weight:600}
.tl .state{font-size:10.5px;font-weight:700;letter-spacing:.03em}
.tl .life{stroke:var(--rule);stroke-width:2}
.tl .tick{stroke:var(--call);stroke-width:1.5;opacity:.7}
.tl .shaft{fill:none;stroke-width:1.8}
.tl .ack .shaft{stroke:var(--ack);stroke-width:1.3}.tl .ack .tip{fill:var(--ack)}
.tl .data .shaft{stroke:var(--data)}.tl .data .tip,.tl .data .flags{fill:var(--data)}
.tl .open .shaft{stroke:var(--open)}.tl .open .tip,.tl .open .flags{fill:var(--open)}
.tl .close .shaft{stroke:var(--close)}.tl .close .tip,.tl .close .flags{fill:var(--close)}
.tl .bad .shaft{stroke:var(--bad)}.tl .bad .tip,.tl .bad .flags,.tl .bad .said{fill:var(--bad)}
.tl .cut{stroke:var(--bad);stroke-width:2.6;stroke-linecap:round}
.tl .ghost{stroke:var(--rule);stroke-width:1.2;stroke-dasharray:2 5}
.tl .fold{stroke:var(--quiet);stroke-width:2;stroke-dasharray:1 5;stroke-linecap:round}
"""


def number(value: float) -> str:
    """A coordinate, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


class Canvas:
    """Elements of a picture, in the order in which they are painted.

    All text passes through here and is escaped; control characters are written out.
    """

    def __init__(self) -> None:
        self._elements: list[str] = []

    def __len__(self) -> int:
        return len(self._elements)

    def text(self, x: float, y: float, text: str, style: str, turn: float = 0) -> None:
        """Adds a line of text."""
        self.words(x, y, [(text, "")], style, turn)

    def words(
        self, x: float, y: float, words: Sequence[tuple[str, str]], style: str, turn: float = 0
    ) -> None:
        """Adds a line of text whose parts have their own classes; otherwise as ``text``."""
        anchor = ""
        for name, value in (("right", "end"), ("middle", "middle")):
            if name in style.split():
                anchor = f' text-anchor="{value}"'
                style = style.replace(name, "").strip()
        turned = f' transform="rotate({number(turn)} {number(x)} {number(y)})"' if turn else ""
        spans = "".join(
            f'<tspan class="{name}">{_safe(text)}</tspan>' if name else _safe(text)
            for text, name in words
        )
        self._elements.append(
            f'<text x="{number(x)}" y="{number(y)}" class="{style}"{anchor}{turned}>{spans}</text>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        """Adds a straight line."""
        ends = zip(("x1", "y1", "x2", "y2"), (x1, y1, x2, y2), strict=True)
        at = " ".join(f'{name}="{number(value)}"' for name, value in ends)
        self._elements.append(f'<line {at} class="{style}"/>')

    def band(self, x: float, top: float, bottom: float, width: float, color: str) -> None:
        """Adds an upright band around ``x`` in one of the palette's colours."""
        self._elements.append(
            f'<rect x="{number(x - width / 2)}" y="{number(top)}" width="{number(width)}"'
            f' height="{number(max(bottom - top, 1))}" fill="var(--{color})"/>'
        )

    def shape(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """Adds a filled polygon."""
        at = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self._elements.append(f'<polygon points="{at}" class="{style}"/>')

    def open(self, style: str, title: str = "") -> None:
        """Begins a group; a browser shows its title under the pointer."""
        said = f"<title>{_safe(title)}</title>" if title else ""
        self._elements.append(f'<g class="{style}">{said}')

    def close(self) -> None:
        """Ends the group."""
        self._elements.append("</g>")

    def file(self, height: float, title: str, description: str) -> bytes:
        """The picture as a file."""
        size = f'width="{WIDTH}" height="{number(height)}"'
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="tl" role="img" {size}'
            f' viewBox="0 0 {WIDTH} {number(height)}"'
            ' style="max-width:100%;height:auto;color-scheme:light dark">\n'
            f"<title>{_safe(title) or 'TCP ladder'}</title>\n<desc>{_safe(description)}</desc>\n"
            f"<style>{_STYLE}</style>\n"
            f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{number(height - 1)}" rx="10"'
            ' fill="var(--ground)" stroke="var(--edge)"/>\n'
        )
        return (head + "\n".join(self._elements) + "\n</svg>\n").encode()


def _safe(text: str) -> str:
    return escape(printable(text))
