"""The page about compiled operations shows what is written."""

import ast
from pathlib import Path

from tests.compiled.example import DOCUMENT, compiled

PAGE = Path(__file__).parents[2] / "docs" / "compiled.md"


def test_the_page_shows_what_is_written_for_its_example() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = page.split("```python\n")[-1].split("```")[0]
    assert DOCUMENT in page
    assert ast.dump(ast.parse(shown)) == ast.dump(ast.parse(compiled().source({"by": "Ann"})))
