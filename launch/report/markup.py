"""Tables for papers and pages: Markdown and LaTeX, with nothing of a cell taken for markup."""

import re
from collections.abc import Sequence

_MARKDOWN = re.compile(r"([\\|`*_<>\[\]])")

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of GitHub's Markdown."""
    lines = [titles, ["---"] * len(titles), *([_markdown(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def latex_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A `tabular` with the rules of `booktabs`."""
    head, *body = (" & ".join(map(_latex, row)) + r" \\" for row in (titles, *rows))
    lines = [
        rf"\begin{{tabular}}{{{'l' * len(titles)}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _markdown(cell: str) -> str:
    return _MARKDOWN.sub(r"\\\1", cell).replace("\n", " ")


def _latex(cell: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in cell).replace("\n", " ")
