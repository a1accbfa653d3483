"""Where the source of a function or a class of ours is."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import lru_cache
from types import CodeType

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def is_ours(module: str) -> bool:
    """The pipeline's own, or a map that lives outside of it: neither Python's nor a library's."""
    top = module.partition(".")[0]
    if top == __name__.partition(".")[0]:
        return True
    file = str(getattr(sys.modules.get(module), "__file__", None) or "")
    return bool(file) and top not in sys.stdlib_module_names and "site-packages" not in file


@lru_cache(maxsize=64)
def _nodes(module: str) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(inspect.getsource(sys.modules[module]))))


def class_node(value: type) -> ast.ClassDef:
    found = [
        n
        for n in _nodes(value.__module__)
        if isinstance(n, ast.ClassDef) and n.name == value.__name__
    ]
    return found[0]


def function_node(module: str, code: CodeType) -> Scope:
    """The definition that this code was made of: of several lambdas in one line,
    the one around it.
    """
    places = [
        (line, column, end_line, end_column)
        for line, end_line, column, end_column in code.co_positions()
        if line and end_line and column is not None and end_column
    ]

    def holds(node: Scope) -> tuple[int, int]:
        start = (node.lineno, node.col_offset)
        end = (node.end_lineno or 0, node.end_col_offset or 0)
        inside = [place for place in places if start <= place[:2] and place[2:] <= end]
        return len(inside), -len(ast.dump(node))

    found = [node for node in _nodes(module) if isinstance(node, Scope) and _may_be(node, code)]
    return max(found, key=holds)


def _may_be(node: Scope, code: CodeType) -> bool:
    if isinstance(node, ast.Lambda):
        return code.co_name == "<lambda>" and node.lineno == code.co_firstlineno
    lines = [node.lineno, *(one.lineno for one in node.decorator_list)]
    return node.name == code.co_name and min(lines) == code.co_firstlineno
