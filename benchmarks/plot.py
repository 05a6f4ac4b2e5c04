"""The picture of docs/benchmarks.md: a panel of bars for each measurement that has some."""

from html import escape

from benchmarks.figures import Section

WIDTH, BAR, GAP, HEAD, LEFT, RIGHT = 720, 22, 8, 44, 190, 110
COLOURS = ("#2f6f4f", "#b08d57")
STYLE = "text{font:13px system-ui,sans-serif;fill:#444}.t{font-weight:600;font-size:15px;fill:#222}"


def draw_panel(section: Section, top: int) -> tuple[list[str], int]:
    """Return a section's bars as SVG from `top` on, and where they end."""
    longest = max(bar.value for bar in section.bars)
    room = WIDTH - LEFT - RIGHT
    parts = [f'<text class="t" x="16" y="{top + 28}">{escape(section.title)}</text>']
    at = top + HEAD
    for bar in section.bars:
        length = max(1.0, room * bar.value / longest)
        middle, colour = at + BAR - 6, COLOURS[bar.name == "naive"]
        parts += [
            f'<text x="{LEFT - 10}" y="{middle}" text-anchor="end">{escape(bar.name)}</text>',
            f'<rect x="{LEFT}" y="{at}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{LEFT + length + 8:.1f}" y="{middle}">{escape(bar.label)}</text>',
        ]
        at += BAR + GAP
    return parts, at


def draw(sections: list[Section]) -> str:
    """Return the picture as SVG text."""
    parts: list[str] = []
    bottom = 0
    for section in sections:
        if section.bars:
            drawn, bottom = draw_panel(section, bottom)
            parts += drawn
    height = bottom + GAP
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
        f' viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Benchmarks">'
    )
    ground = f'<rect width="{WIDTH}" height="{height}" rx="6" fill="#fbfaf7"/>'
    return "\n".join([opening, f"<style>{STYLE}</style>", ground, *parts, "</svg>", ""])
