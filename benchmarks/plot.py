"""The pictures of docs/benchmarks.md: panels of bars, and curves of how cost grows."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

from benchmarks.figures import Line, Picture, Section

WIDTH, BAR, GAP, HEAD, LEFT, RIGHT = 720, 22, 8, 44, 220, 110
COLOURS = ("#2f6f4f", "#b08d57", "#5b7fa6", "#a65b5b")
STYLE = "text{font:13px system-ui,sans-serif;fill:#444}.t{font-weight:600;font-size:15px;fill:#222}"
OURS = ("tuppence", "page of")
"""By what is in its name, a bar is ours."""

HEIGHT, TOP, BOTTOM, SIDE, LEGEND = 320, 52, 44, 70, 130
TICKS = 4
GRID = "#dcd9d0"


def opening(height: int, label: str) -> list[str]:
    """Return how every picture begins."""
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(label)}">',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#fbfaf7"/>',
    ]


# ── bars ─────────────────────────────────────────────────────────────────────────────────────────


def draw_panel(section: Section, top: int) -> tuple[list[str], int]:
    """Return a section's bars as SVG from `top` on, and where they end."""
    longest = max(bar.value for bar in section.bars) or 1.0
    room = WIDTH - LEFT - RIGHT
    parts = [f'<text class="t" x="16" y="{top + 28}">{escape(section.title)}</text>']
    at = top + HEAD
    for bar in section.bars:
        length = max(1.0, room * bar.value / longest)
        middle = at + BAR - 6
        colour = COLOURS[0 if any(name in bar.name for name in OURS) else 1]
        parts += [
            f'<text x="{LEFT - 10}" y="{middle}" text-anchor="end">{escape(bar.name)}</text>',
            f'<rect x="{LEFT}" y="{at}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{LEFT + length + 8:.1f}" y="{middle}">{escape(bar.label)}</text>',
        ]
        at += BAR + GAP
    return parts, at


def draw(sections: list[Section]) -> str:
    """Return the picture of all bars as SVG text."""
    parts: list[str] = []
    bottom = 0
    for section in sections:
        if section.bars:
            drawn, bottom = draw_panel(section, bottom)
            parts += drawn
    return "\n".join([*opening(bottom + GAP, "Benchmarks"), *parts, "</svg>", ""])


# ── curves ───────────────────────────────────────────────────────────────────────────────────────


def step_of(most: float) -> float:
    """Return a round distance for the lines of a scale that reaches `most`."""
    rough = most / TICKS
    power = 10.0 ** floor(log10(rough))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)


def tell(value: float) -> str:
    """Return a number as a scale shows it."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:g}"


class Frame:
    """Where a curve's values lie: sizes by their powers of ten, amounts from nought up."""

    def __init__(self, lines: Sequence[Line]) -> None:
        sizes = [size for line in lines for size, _ in line.points]
        most = max((value for line in lines for _, value in line.points), default=0) or 1.0
        self.step = step_of(most)
        self.most = self.step * ceil(most / self.step)
        self.low, self.high = log10(min(sizes)), log10(max(sizes))

    def x(self, size: float) -> float:
        """Return where a size lies."""
        room = WIDTH - SIDE - LEGEND
        span = self.high - self.low
        return SIDE + room * ((log10(size) - self.low) / span if span else 0.5)

    def y(self, value: float) -> float:
        """Return where an amount lies."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.most

    def scales(self, picture: Picture) -> list[str]:
        """Return the lines behind the curves, and what they stand for."""
        parts: list[str] = []
        right, foot = WIDTH - LEGEND, HEIGHT - BOTTOM
        for number in range(round(self.most / self.step) + 1):
            at = self.y(number * self.step)
            told = tell(number * self.step)
            parts += [
                f'<path d="M{SIDE} {at:.1f}H{right}" stroke="{GRID}"/>',
                f'<text x="{SIDE - 8}" y="{at + 4:.1f}" text-anchor="end">{told}</text>',
            ]
        for size in sorted({size for line in picture.lines for size, _ in line.points}):
            parts.append(
                f'<text x="{self.x(size):.1f}" y="{foot + 18}" text-anchor="middle">'
                f"{tell(size)}</text>"
            )
        middle = (SIDE + right) / 2
        unit = (
            f'<text x="{SIDE - 8}" y="{TOP - 12}" text-anchor="end">{escape(picture.unit)}</text>'
        )
        axis = f'<text x="{middle}" y="{foot + 36}" text-anchor="middle">{escape(picture.size)}'
        return [*parts, unit, axis + "</text>"]


def draw_curves(picture: Picture) -> str:
    """Return a picture of lines as SVG text."""
    frame = Frame(picture.lines)
    title = f'<text class="t" x="16" y="24">{escape(picture.title)}</text>'
    parts = [*opening(HEIGHT, picture.title), title, *frame.scales(picture)]
    ends: list[float] = []
    for number, line in enumerate(picture.lines):
        colour = COLOURS[number % len(COLOURS)]
        places = [(frame.x(size), frame.y(value)) for size, value in line.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
        x, y = places[-1]
        while any(abs(y - other) < 15 for other in ends):
            y -= 15
        ends.append(y)
        parts.append(
            f'<text x="{x + 10:.1f}" y="{y + 4:.1f}" style="fill:{colour}">'
            f"{escape(line.name)}</text>"
        )
    return "\n".join([*parts, "</svg>", ""])
