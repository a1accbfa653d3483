"""`make sizes`: how long and how dense the code is, by folder.
Short functions that were bought with wide lines show here.
"""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("pipeline", "deploy", "tests")
WIDE = 100
LONG_MODULE, LONG_FUNCTION, LONGEST_FUNCTION = 300, 30, 40
WITHOUT_WORDS = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True, slots=True)
class Module:
    """One module: tokens and the lines that hold them without comments and docstrings; all lines;
    lengths of functions.
    """

    tokens: int
    code_lines: int
    lines: int
    wide_lines: int
    functions: tuple[int, ...]


def measured(text: str) -> Module:
    """Sizes of one module's text."""
    tree = ast.parse(text)
    words = set(_docstring_lines(tree))
    found = [
        token
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type not in WITHOUT_WORDS and token.start[0] not in words
    ]
    lines = text.splitlines()
    return Module(
        tokens=len(found),
        code_lines=len({token.start[0] for token in found}),
        lines=len(lines),
        wide_lines=sum(len(line) > WIDE for line in lines),
        functions=tuple(
            (node.end_lineno or node.lineno) - node.lineno + 1
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
    )


def _docstring_lines(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)


def row(name: str, modules: Iterable[Module]) -> str:
    """One line of the table."""
    found = list(modules)
    functions = [length for module in found for length in module.functions]
    lines = sum(module.lines for module in found)
    density = sum(module.tokens for module in found) / max(
        sum(module.code_lines for module in found), 1
    )
    return (
        f"{name:<10}{len(found):>8}{statistics.median(module.lines for module in found):>8.0f}"
        f"{sum(module.lines > LONG_MODULE for module in found):>6}{lines:>8}{density:>8.1f}"
        f"{sum(module.wide_lines for module in found) / max(lines, 1):>8.1%}{len(functions):>11}"
        f"{statistics.median(functions or [0]):>8.0f}"
        f"{sum(length > LONG_FUNCTION for length in functions):>6}"
        f"{sum(length > LONGEST_FUNCTION for length in functions):>6}"
    )


HEADS = (
    f"{'':<10}{'modules':>8}{'median':>8}{f'>{LONG_MODULE}':>6}{'lines':>8}"
    f"{'tokens':>8}{f'>{WIDE}':>8}{'functions':>11}{'median':>8}{f'>{LONG_FUNCTION}':>6}"
    f"{f'>{LONGEST_FUNCTION}':>6}\n"
    f"{'':<10}{'':>8}{'lines':>8}{'lines':>6}{'':>8}{'a line':>8}{'columns':>8}"
    f"{'':>11}{'lines':>8}{'lines':>6}{'lines':>6}"
)


def main() -> None:
    """Print the table."""
    print(HEADS)
    for folder in FOLDERS:
        paths = sorted((ROOT / folder).rglob("*.py"))
        print(
            row(
                folder,
                (measured(path.read_text()) for path in paths if path.read_text().strip()),
            )
        )


if __name__ == "__main__":
    main()
