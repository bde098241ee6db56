"""A hash of all the library source that one function depends on.

Recorded samples carry it: when it changes, the samples no longer describe the
code, and the sweep is due. Comments, docstrings and the wrapping of lines do not count.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib
import inspect
import re
import sys
import textwrap
from types import ModuleType

__all__ = ["fingerprint"]

PACKAGE = __name__.partition(".")[0]
NOTHING = object()


def fingerprint(function) -> str:
    """SHA-256 (first 16 hex digits) of `function` and everything it reaches.

    Starting at `function`, every name in its source is looked up where it was
    written; functions, classes and constants of this package are followed in turn.
    The result does not depend on the Python version or on the order of definitions.

    Raises
    ------
    ValueError
        If `function` is not a Python function whose source can be read.
    """
    pieces: dict[str, str] = {}
    waiting = [_bare(function)]
    if not inspect.isfunction(waiting[0]):
        raise ValueError(f"function is {function!r}; give a function written in Python")
    while waiting:
        thing = waiting.pop()
        key = f"{thing.__module__}.{thing.__qualname__}"
        if key in pieces:
            continue
        try:
            code, uses, imports = _read(thing)
        except (OSError, TypeError, SyntaxError) as error:
            if key.endswith("<lambda>"):  # part of a longer line that is followed anyway
                pieces[key] = ""
                continue
            raise ValueError(f"function reaches {key}, whose source is out of reach") from error
        found: list = []
        scope = {**vars(sys.modules[thing.__module__]), **_local_imports(imports)}
        pieces[key] = "\n".join([code, *sorted(_follow(uses, scope, found))])
        waiting.extend(found)
    text = "\n".join(f"{key}\n{pieces[key]}" for key in sorted(pieces))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _bare(thing):
    """The function under partial() and under decorators such as lru_cache."""
    while isinstance(thing, functools.partial):
        thing = thing.func
    return inspect.unwrap(thing)


def _ours(thing) -> bool:
    module = getattr(thing, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] == PACKAGE


def _code(source: str, tree: ast.AST) -> str:
    """The source without what does not count; a formatter may wrap lines as it likes."""
    skip: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not body:
            continue
        first = body[0]
        if isinstance(first, ast.Expr) and isinstance(getattr(first, "value", None), ast.Constant):
            if isinstance(first.value.value, str):
                skip.update(range(first.lineno, first.end_lineno + 1))
    lines = enumerate(source.splitlines(), start=1)
    kept = (line for number, line in lines if number not in skip)
    text = "".join("".join(line.split()) for line in kept if not line.lstrip().startswith("#"))
    return re.sub(r",([)\]}])", r"\1", text)


@functools.cache
def _read(thing) -> tuple[str, list, list]:
    """The code of a function or class, the names that it uses, and what it imports.

    A name is a tuple: ``("bc", "fit")`` for ``bc.fit``. The source of a thing stays as it
    is while Python runs, so it is read once, for however many functions reach it.
    """
    source = textwrap.dedent(inspect.getsource(thing))
    tree = ast.parse(source)
    uses, imports = [], []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            uses.append((node.id,))
        elif isinstance(node, ast.Attribute):
            chain, inner = [node.attr], node.value
            while isinstance(inner, ast.Attribute):
                chain.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name):
                uses.append((inner.id, *reversed(chain)))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == PACKAGE:
            imports += [(node.module, a.name, a.asname or a.name) for a in node.names]
    return _code(source, tree), list(dict.fromkeys(uses)), imports


def _follow(uses: list, scope: dict, found: list) -> list[str]:
    """Functions and classes that are used go to `found`; constants come back as text."""
    constants: dict[str, str] = {}
    for first, *rest in uses:
        value = _look_up(scope[first], rest) if first in scope else NOTHING
        if value is NOTHING or isinstance(value, ModuleType):
            continue
        name, text = ".".join([first, *rest]), _take(value, found)
        if text:
            constants[name] = f"{name}={text}"
    return list(constants.values())


def _local_imports(imports: list) -> dict:
    names = {}
    for origin, name, here in imports:
        module = importlib.import_module(origin)
        if not hasattr(module, name):
            importlib.import_module(f"{origin}.{name}")
        names[here] = getattr(module, name)
    return names


def _look_up(value, attributes: list):
    """``fit`` of ``bc.fit`` where ``bc`` is one of our modules, else nothing."""
    for attribute in attributes:
        if not isinstance(value, ModuleType) or value.__name__.partition(".")[0] != PACKAGE:
            return NOTHING
        value = getattr(value, attribute, None)
    return value


def _take(value, found: list) -> str:
    """Queue our functions and classes; describe plain constants."""
    if isinstance(value, functools.partial):
        return _take([value.func, *value.args, value.keywords], found)
    if inspect.isclass(value) or callable(value) and hasattr(value, "__qualname__"):
        bare = value if inspect.isclass(value) else _bare(value)
        if _ours(bare):
            found.append(bare)
        return ""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{k!r}:{_take(v, found)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple, set, frozenset)):
        items = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        return "[" + ",".join(_take(v, found) for v in items) + "]"
    if hasattr(value, "tobytes") and hasattr(value, "dtype"):
        return hashlib.sha256(value.tobytes()).hexdigest()
    if _ours(type(value)) and hasattr(value, "__dict__"):
        found.append(type(value))
        return _take(vars(value), found)
    return ""
