"""What code a run uses, and whether its meaning changed. Read from the sources: nothing is imported for it.

A module uses what it imports, at its top or inside its functions, and what that imports in turn. What is imported for
types alone is not used. Of a package that only hands names on, the module is used that a name comes from.
"""

import ast
import hashlib
import importlib.util
import secrets
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

#: Finding, queueing, keeping and how a result is written and read: none of it changes what was found.
_MACHINERY = ("errors", "files", "interpreter", "plugins", "progress", "registry", "reports", "runs", "settings")
_PRODUCT = "core"


@dataclass(frozen=True)
class _Import:
    """``from module import name``; without a name, the module itself."""

    module: str
    name: str | None = None


@dataclass(frozen=True)
class _Source:
    """What is known of the source of a module.

    Parameters
    ----------
    meaning : str
        SHA-256 of it without comments, docstrings, layout and what is there for types alone.
    needs : frozenset of _Import
        What it imports, wherever it does.
    origins : mapping of str to _Import
        Names at its top that come from elsewhere, for types or not.
    marked : frozenset of (str, str)
        Decorators with each text they are given: ``@metric("area", …)``.
    """

    meaning: str
    needs: frozenset[_Import]
    origins: dict[str, _Import] = field(default_factory=dict)
    marked: frozenset[tuple[str, str]] = frozenset()


def meaning_of(modules: Iterable[str]) -> str:
    """SHA-256 of everything that `modules` use: the same as long as what it does is the same.

    Parameters
    ----------
    modules : iterable of str
        Dotted names. What lies in the product or in the same package as one of them is looked into. One without a
        readable source (typed into a notebook) has another meaning each time it is asked for.

    Returns
    -------
    str
        64 hex digits.
    """
    roots = list(modules)
    found = {name: source.meaning for name in used_by(roots) if (source := _read(name)) is not None}
    found |= {name: secrets.token_hex() for name in roots if name not in found}
    return hashlib.sha256(repr(sorted(found.items())).encode()).hexdigest()


def used_by(modules: Iterable[str]) -> frozenset[str]:
    """Dotted names of `modules` and of everything they use, as far as it can be read (`meaning_of`)."""
    waiting = [_Import(module) for module in modules]
    packages = {_PRODUCT, *(wanted.module.partition(".")[0] for wanted in waiting)}
    seen = {wanted.module for wanted in waiting if _read(wanted.module) is not None}
    waiting = [wanted for module in seen for wanted in _needs(module)]
    while waiting:
        wanted = waiting.pop()
        if wanted.module.partition(".")[0] not in packages:
            continue
        home = _home(wanted)
        if home is not None and home not in seen and not _is_machinery(home):
            seen.add(home)
            waiting += _needs(home)
    return frozenset(seen)


def inside(package: str) -> set[str]:
    """Dotted names of all modules of a package, read from its folder."""
    file = _file_of(package)
    folder = file.parent if file is not None and file.name == "__init__.py" else None
    paths = [path.relative_to(folder).with_suffix("") for path in folder.rglob("*.py")] if folder is not None else []
    return {".".join([package, *(part for part in path.parts if part != "__init__")]) for path in paths}


def marked_by(modules: Iterable[str], decorator: str, text: str) -> set[str]:
    """Which of `modules` decorate something with ``@decorator(…, text, …)``."""
    return {name for name in modules if (source := _read(name)) is not None and (decorator, text) in source.marked}


def _is_machinery(module: str) -> bool:
    package, _, rest = module.partition(".")
    return package == _PRODUCT and (not rest or rest.partition(".")[0] in _MACHINERY)


def _needs(module: str) -> frozenset[_Import]:
    source = _read(module)
    return source.needs if source is not None else frozenset()


def _home(wanted: _Import, depth: int = 0) -> str | None:
    """The module whose code is used by an import; None where it cannot be read."""
    if wanted.name is not None:
        inner = f"{wanted.module}.{wanted.name}"
        if _file_of(inner) is not None:
            return inner
    source = _read(wanted.module)
    if source is None:
        return None
    if wanted.name in source.origins and _is_package(wanted.module) and depth < 10:
        return _home(source.origins[wanted.name], depth + 1) or wanted.module
    return wanted.module


# ---- reading


@lru_cache(maxsize=4096)
def _read(module: str) -> _Source | None:
    """The source of a module, read once a process: what was imported does not change when its file does."""
    file = _file_of(module)
    if file is None:
        return None
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    reader = _Reader(module if _is_package(module) else module.rpartition(".")[0])
    reader.read(tree)
    meaning = hashlib.sha256("\0".join(reader.words).encode("utf-8", "surrogatepass")).hexdigest()
    origins = dict(_names(tree.body, reader.package))
    return _Source(meaning, frozenset(reader.needs), origins, frozenset(reader.marked))


@lru_cache(maxsize=4096)
def _file_of(module: str) -> Path | None:
    top, *rest = module.split(".")
    for folder in _folders_of(top):
        path = folder.joinpath(*rest)
        for file in (path / "__init__.py", path.with_name(f"{path.name}.py")):
            if file.is_file():
                return file
    loose = _loose_file(top) if not rest else None
    return loose if loose is not None and loose.is_file() else None


def _is_package(module: str) -> bool:
    file = _file_of(module)
    return file is not None and file.name == "__init__.py"


@lru_cache(maxsize=256)
def _folders_of(top: str) -> tuple[Path, ...]:
    """Where the modules of a package at the very top are; it is not imported for it."""
    loaded = sys.modules.get(top)
    found = getattr(loaded, "__path__", None)
    if loaded is None:
        specification = importlib.util.find_spec(top)
        found = specification.submodule_search_locations if specification is not None else None
    return tuple(Path(folder) for folder in found or ())


def _loose_file(top: str) -> Path | None:
    """A module that is no package."""
    loaded = sys.modules.get(top)
    if loaded is not None:
        path = getattr(loaded, "__file__", None)
    else:
        specification = importlib.util.find_spec(top)
        path = specification.origin if specification is not None and specification.has_location else None
    return Path(path) if path is not None and path.endswith(".py") else None


class _Reader:
    """Writes a syntax tree down without places, docstrings and what is there for types, and notes what it imports.

    Parameters
    ----------
    package : str
        What relative imports are relative to.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self.words: list[str] = []
        self.needs: set[_Import] = set()
        self.marked: set[tuple[str, str]] = set()

    def read(self, node: ast.AST) -> None:
        """Write down `node` and all below it."""
        self._note(node)
        words = self.words
        words.append(type(node).__name__)
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                self.read(value)
            elif isinstance(value, list):
                words.append(f"{name}[")
                for item in _body(value) if name == "body" and isinstance(node, _WITH_DOCSTRING) else value:
                    if not isinstance(item, ast.AST):
                        words.append(repr(item))
                    elif not _is_for_types(item):
                        self.read(item)
                words.append("]")
            elif name not in ("kind", "type_comment"):  # how a text was quoted
                words.append(repr(value))

    def _note(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.needs.update(wanted for _, wanted in _bindings(node, self.package))
        elif isinstance(node, ast.Call) and _called(node) == "import_module":
            self.needs.update(_Import(text) for text in _texts(node)[:1] if not text.startswith("."))
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            decorators = [call for call in node.decorator_list if isinstance(call, ast.Call)]
            self.marked.update((_called(call), text) for call in decorators for text in _texts(call))


_WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _body(statements: list[ast.stmt]) -> list[ast.stmt]:
    """Statements without the docstring."""
    first = statements[0].value if statements and isinstance(statements[0], ast.Expr) else None
    described = isinstance(first, ast.Constant) and isinstance(first.value, str)
    return statements[1:] if described else statements


def _is_for_types(node: ast.AST) -> bool:
    """Whether this is ``if TYPE_CHECKING:``."""
    if not isinstance(node, ast.If) or node.orelse:
        return False
    test = node.test
    return (test.id if isinstance(test, ast.Name) else getattr(test, "attr", "")) == "TYPE_CHECKING"


def _names(statements: list[ast.stmt], package: str) -> Iterator[tuple[str, _Import]]:
    """Names at the top of a module that come from elsewhere."""
    for statement in statements:
        if isinstance(statement, ast.ImportFrom):
            yield from _bindings(statement, package)
        elif isinstance(statement, ast.If | ast.Try):
            yield from _names(statement.body, package)


def _bindings(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, _Import]]:
    """Names that an import binds, each with what it is."""
    if isinstance(node, ast.Import):
        yield from ((alias.asname or alias.name, _Import(alias.name)) for alias in node.names)
        return
    base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    for alias in node.names:
        yield alias.asname or alias.name, _Import(module, None if alias.name == "*" else alias.name)


def _called(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _texts(call: ast.Call) -> list[str]:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return [item.value for item in given if isinstance(item, ast.Constant) and isinstance(item.value, str)]
