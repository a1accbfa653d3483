"""Values and functions as plain data that is alike wherever they mean the same.

A function is identified by its syntax tree, without comments, docstrings, annotations and
formatting, and by what it refers to: constants, what a closure holds, and the pipeline's own
functions and classes, in turn.
Names of the standard library and of other packages stand for themselves.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from functools import partial
from types import FunctionType, MethodType, ModuleType

from pipeline.mapping.convert import text
from pipeline.mapping.definitions import Scope, class_node, function_node, is_ours
from pipeline.mapping.terms import Term

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

LEFT_OUT = frozenset({"note", "words"})  # what a field says to people alone
_SYNTAX_LEFT_OUT = frozenset(
    {"ctx", "annotation", "returns", "type_comment", "kind", "type_params"}
)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_PLAIN = (type(None), bool, int, float, str)


class Canonical:
    """Describes values, each function and class once: what comes again is named by its number.

    `attributes` are the names of all attributes that the described functions read.
    """

    def __init__(self) -> None:
        self.attributes: set[str] = set()
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []  # so that no id is given twice

    def of(self, value: object) -> Plain:
        """Raises TypeError for what cannot be described."""
        if isinstance(value, Enum):
            return [type(value).__name__, value.name]
        if isinstance(value, _PLAIN):
            return [type(value).__name__, value]
        if isinstance(value, (bytes, Decimal)):
            return [type(value).__name__, repr(value)]
        if isinstance(value, (tuple, list)):
            return [self.of(one) for one in value]
        if isinstance(value, (set, frozenset)):
            return ["set", *sorted((self.of(one) for one in value), key=repr)]
        if isinstance(value, Mapping):
            return [
                "mapping",
                *sorted(([self.of(k), self.of(v)] for k, v in value.items()), key=repr),
            ]
        return self._compound(value)

    def _compound(self, value: object) -> Plain:
        if isinstance(value, Term):
            tree = ast.parse(value.python, mode="eval").body
            names = _Names({}, {"text": text})
            return ["term", self._tree(tree, names, frozenset({"row", "site"}))]
        if isinstance(value, (FunctionType, type)):
            return self._once(value)
        if isinstance(value, MethodType):
            return ["method", self.of(value.__self__), self.of(value.__func__)]
        if isinstance(value, partial):
            return [
                "partial",
                self.of(value.func),
                self.of(value.args),
                self.of(value.keywords),
            ]
        if is_dataclass(value):
            return self._instance(value)
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        if name is not None:
            return [str(getattr(value, "__module__", "")), str(name)]
        if is_ours(type(value).__module__):
            raise TypeError(f"a map refers to an object of type {type(value).__name__}")
        return [type(value).__name__, repr(value)]

    def _instance(self, value: object) -> Plain:
        """The fields that differ from their defaults:
        one that is added changes nothing by itself.
        """
        held = {name: self.of(one) for name, one in _told(value) if name not in LEFT_OUT}
        described: list[Plain] = [type(value).__name__, dict(held)]
        return [*described, self.of(type(value))] if callable(value) else described

    def _once(self, value: Callable[..., object] | type) -> Plain:
        if id(value) in self._numbers:
            return ["again", self._numbers[id(value)]]
        self._numbers[id(value)] = len(self._numbers)
        self._kept.append(value)
        if not is_ours(value.__module__):
            return [value.__module__, value.__qualname__]
        return self._class(value) if isinstance(value, type) else self._function(value)

    def _class(self, value: type) -> Plain:
        """An error is known by its name, what it says to people aside."""
        if issubclass(value, BaseException):
            return ["error", value.__name__]
        node = class_node(value)
        names = _Names({}, vars(sys.modules[value.__module__]))
        return [
            "class",
            value.__name__,
            *(self._tree(one, names, frozenset()) for one in node.body),
        ]

    def _function(self, value: Callable[..., object]) -> Plain:
        function = inspect.unwrap(value)
        if not isinstance(function, FunctionType):
            return self.of(function)
        code = function.__code__
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        names = _Names({name: cell.cell_contents for name, cell in cells}, function.__globals__)
        node = function_node(function.__module__, code)
        described = self._scope(node, names, frozenset(), with_defaults=False)
        return [
            "function",
            described,
            self.of([function.__defaults__, function.__kwdefaults__]),
        ]

    # -- syntax ------------------------------------------------------------------------------------

    def _tree(self, node: object, names: _Names, bound: frozenset[str]) -> Plain:
        if isinstance(node, list):
            kept = [one for one in node if not _says_nothing(one)]
            return [self._tree(one, names, bound) for one in kept]
        if not isinstance(node, ast.AST):
            return repr(node)
        if isinstance(node, Scope):
            return self._scope(node, names, bound, with_defaults=True)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in bound:
            return self._referred(node.id, names)
        if isinstance(node, ast.Attribute):
            self.attributes.add(node.attr)
            module = _module_named(node.value, names, bound)
            if module is not None:
                return self.of(getattr(module, node.attr))
        if isinstance(node, _COMPREHENSIONS):
            bound |= _stored(node.generators)
        return [type(node).__name__, *self._parts(node, names, bound)]

    def _parts(self, node: ast.AST, names: _Names, bound: frozenset[str]) -> list[Plain]:
        return [
            [name, self._tree(child, names, bound)]
            for name, child in ast.iter_fields(node)
            if name not in _SYNTAX_LEFT_OUT and child is not None and child != []
        ]

    def _scope(
        self, node: Scope, names: _Names, bound: frozenset[str], *, with_defaults: bool
    ) -> Plain:
        """A function's parameters and body; its own name tells nothing."""
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        inner = bound | _parameters(node.args) | _stored(body)
        outer: list[Plain] = []
        if with_defaults:
            outer = [self._tree([*node.args.defaults, *node.args.kw_defaults], names, bound)]
        decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
        return [
            "scope",
            [one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)],
            *outer,
            self._tree(decorators, names, bound),
            self._tree(body, names, inner),
        ]

    def _referred(self, name: str, names: _Names) -> Plain:
        found = names.closure.get(name, names.module.get(name, MISSING))
        return ["builtin", name] if found is MISSING else self.of(found)


class _Names:
    """What a function's free names stand for."""

    def __init__(self, closure: Mapping[str, object], module: Mapping[str, object]) -> None:
        self.closure = closure
        self.module = module


def _told(value: object) -> Iterator[tuple[str, object]]:
    """The fields of a dataclass that do not hold their default."""
    if not is_dataclass(value) or isinstance(value, type):
        return
    for field in fields(value):
        held = getattr(value, field.name)
        default = field.default
        if default is MISSING and field.default_factory is not MISSING:
            default = field.default_factory()
        if default is MISSING or held != default:
            yield field.name, held


def _says_nothing(node: object) -> bool:
    """A docstring, a declaration without a value, `pass`."""
    match node:
        case ast.Expr(value=ast.Constant(value=str())) | ast.Pass() | ast.AnnAssign(value=None):
            return True
        case _:
            return False


def _parameters(arguments: ast.arguments) -> frozenset[str]:
    return frozenset(one.arg for one in ast.walk(arguments) if isinstance(one, ast.arg))


def _stored(nodes: object) -> frozenset[str]:
    """Names that are bound in these nodes, those of scopes within them aside."""
    found: set[str] = set()
    pending = [nodes]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.AST) and not isinstance(node, (ast.Lambda, *_COMPREHENSIONS)):
            found |= _named_by(node)
            pending.extend(ast.iter_child_nodes(node))
    return frozenset(found)


def _named_by(node: ast.AST) -> set[str]:
    """Names that a statement binds without a Name node."""
    match node:
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            return {name}
        case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            return {name}
        case ast.alias(name=name, asname=alias):
            return {alias or name.partition(".")[0]}
        case _:
            return set()


def _module_named(node: ast.AST, names: _Names, bound: frozenset[str]) -> ModuleType | None:
    if not isinstance(node, ast.Name) or node.id in bound:
        return None
    found = names.closure.get(node.id, names.module.get(node.id))
    return found if isinstance(found, ModuleType) and is_ours(found.__name__) else None
