"""What a sweep says, in every form: table, page, Markdown, JSON and CSV; and what changed since another."""

from __future__ import annotations

from benchmarks.report.files import write_report
from benchmarks.report.promises import markdown
from benchmarks.report.regressions import as_text, compare

__all__ = ["as_text", "compare", "markdown", "write_report"]
