"""What the site adds to its pages: the notebooks as text, and formulas as MathML, which needs no scripts."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import jupytext
from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
DISPLAY = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add every notebook as a page of Markdown, without its header."""
    for path in sorted(NOTEBOOKS.glob("*.py")):
        text = re.sub(r"\A---\n.*?\n---\n", "", jupytext.writes(jupytext.read(path), "md"), flags=re.DOTALL)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
    return files


def on_page_content(content: str, **_: Any) -> str:
    """Turn the LaTeX that Markdown left in place into MathML."""
    content = INLINE.sub(lambda found: convert(html.unescape(found[1])), content)
    return DISPLAY.sub(lambda found: convert(html.unescape(found[1]), display="block"), content)
