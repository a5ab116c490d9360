"""The picture in the README: a bar for each way at each server, as SVG."""

from collections.abc import Iterator, Mapping
from html import escape
from statistics import median

import attrs
from _run import Outcome

Ways = Mapping[str, Mapping[str, list[Outcome]]]

_WIDTH, _MARGIN, _LEFT, _RIGHT = 760, 16, 200, 150
_ROW, _BAR, _TOP, _GAP = 17, 12, 58, 34
_OURS, _THEIRS, _INK, _FAINT, _PAPER = "#1f6feb", "#9aa4af", "#1f2328", "#59636e", "#ffffff"
_MOST = 2.0
"""Times the bound. Longer bars are cut."""
_BOLD = 'font-weight="600"'
_TITLE = "5,000 calls: elapsed ÷ the least that a sender needs who sees the server's state"
_NOTE = "1.00 is that bound, under the same reserve: a tenth of the hour for the library, none for the others"


@attrs.define
class _Sheet:
    """Elements of a drawing, from the top down."""

    scale: float
    lines: list[str] = attrs.field(factory=list[str])
    y: float = _TOP

    def text(self, x: float, y: float, words: str, style: str = "") -> None:
        """Write."""
        self.lines.append(f'<text x="{x:.1f}" y="{y:g}" {style}>{escape(words)}</text>')

    def bar(self, name: str, outcomes: list[Outcome], colour: str) -> None:
        """A way's name, its bar, and what it came to."""
        ratio = median(outcome.ratio for outcome in outcomes)
        refused = int(median(outcome.refused for outcome in outcomes))
        end = _LEFT + min(ratio, _MOST) * self.scale
        middle = self.y + _BAR - 2
        self.text(_LEFT - 8, middle, name, 'text-anchor="end"')
        size = f'width="{end - _LEFT:.1f}" height="{_BAR}"'
        self.lines.append(f'<rect x="{_LEFT}" y="{self.y:g}" {size} fill="{colour}"/>')
        if ratio > _MOST:
            cut = f"M{end - 22:.1f} {self.y + _BAR:g}l5 -{_BAR}h4l-5 {_BAR}z"
            self.lines.append(f'<path d="{cut}" fill="{_PAPER}"/>')
        said = f"{ratio:.2f}" + (f", {refused:,} refused" if refused else "")
        self.text(end + 6, middle, said, _BOLD if refused else "")
        self.y += _ROW


def draw(ways: Ways, *, ours: str) -> str:
    """Draw all ways.

    Args:
        ways: For each way what came of it at each server.
        ours: What the names of the library's own ways begin with.
    """
    servers = list(next(iter(ways.values())))
    sheet = _Sheet((_WIDTH - _LEFT - _RIGHT) / _MOST)
    for server in servers:
        sheet.y += _GAP - _ROW
        sheet.text(_MARGIN, sheet.y - 5, server, _BOLD)
        for name, cells in ways.items():
            sheet.bar(name, cells[server], _OURS if name.startswith(ours) else _THEIRS)
    return "\n".join(_page(sheet)) + "\n"


def _page(sheet: _Sheet) -> Iterator[str]:
    height = sheet.y + 14
    bound = _LEFT + sheet.scale
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:g}" width="{_WIDTH}" '
        f'height="{height:g}" font-family="system-ui, sans-serif" font-size="11" fill="{_INK}" role="img">'
    )
    yield f"<title>{escape(_TITLE)}</title>"
    yield f'<rect width="100%" height="100%" rx="6" fill="{_PAPER}"/>'
    yield f'<text x="{_MARGIN}" y="24" font-size="14" font-weight="600">{escape(_TITLE)}</text>'
    yield f'<text x="{_MARGIN}" y="42" fill="{_FAINT}">{escape(_NOTE)}</text>'
    yield from sheet.lines
    yield f'<path d="M{bound:.1f} {_TOP}V{height - 12:g}" stroke="{_INK}" stroke-dasharray="2 3" fill="none"/>'
    yield "</svg>"
