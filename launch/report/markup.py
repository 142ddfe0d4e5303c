"""Tables for papers and pages: Markdown and LaTeX, with nothing of a cell taken for markup."""

import re
from collections.abc import Sequence

from launch.report.table import Column

_MARKDOWN = re.compile(r"([\\|`*_<>\[\]~$&])")

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    # What the fonts of old have under these signs is something else.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # After a row's end they would be taken for its options.
    "[": "{[}",
    "*": "{*}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def markdown_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """A table of GitHub's Markdown, numbers flush right."""
    head, *body = ([_markdown(cell) for cell in row] for row in (_titles(columns), *rows))
    rule = ["---:" if column.number else "---" for column in columns]
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *body))


def latex_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> str:
    """A `tabular` with the rules of `booktabs`, numbers flush right."""
    head, *body = (" & ".join(map(_latex, row)) + r" \\" for row in (_titles(columns), *rows))
    lines = [
        rf"\begin{{tabular}}{{{''.join('r' if column.number else 'l' for column in columns)}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _titles(columns: Sequence[Column]) -> list[str]:
    return [column.header for column in columns]


def _markdown(cell: str) -> str:
    return _MARKDOWN.sub(r"\\\1", cell).replace("\n", " ")


def _latex(cell: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in cell).replace("\n", " ")
