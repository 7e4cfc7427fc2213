"""Which mutants a module has, and a sample of them that a seed repeats."""

import ast
import hashlib
import random
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.plugins import get_operator, operator_names

#: A place in a file: line from 1, column from 0.
Place = tuple[int, int]
#: From the first place to the last, the last not included.
Span = tuple[Place, Place]

#: Decorators that change nothing when the program runs.
TYPING_DECORATORS = {"overload", "override", "final", "runtime_checkable"}

#: Calls whose named options change no answer.
QUIET_OPTIONS = {"dataclass", "lru_cache", "zip"}
#: A literal with more numbers than this is a table of data.
LONG_TABLE = 12


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    It is known by what changes, not by its line number, so that it is found again when tests or other code were added.

    Parameters
    ----------
    path : str
        The module, from the top of the checkout.
    definition : str
        Innermost function or class around it; empty at the module's level.
    before, after : str
        The lines that change, and what they become.
    operator : str
        Name of cosmic-ray's operator.
    line : int
        Line of the change when it was found.
    """

    path: str
    definition: str
    before: str
    after: str
    operator: str
    line: int

    def key(self) -> tuple[str, str, str, str]:
        """Say what makes it this mutant."""
        return self.path, self.definition, self.before, self.after


@dataclass(frozen=True)
class Candidate:
    """A change that an operator offers, not made yet."""

    path: str
    operator: str
    occurrence: int
    span: Span
    definition: str


def find_candidates(path: str, source: str) -> Iterator[Candidate]:
    """Offer every change of a module that could alter what it does; those in annotations and the like are left out."""
    left_out = spans_without_effect(source)
    tree = get_ast(source)
    for name in operator_names():
        if get_operator(name).arguments():
            continue  # they need names of variables, given by hand
        operator = get_operator(name)()
        found = ((node, span) for node in ast_nodes(tree) for span in operator.mutation_positions(node))
        for occurrence, (node, span) in enumerate(found):
            if not any(start <= span[0] < end for start, end in left_out):
                yield Candidate(path, name, occurrence, span, ASTQuery(node).get_definition_name() or "")


def apply(candidate: Candidate, source: str) -> tuple[Mutant, str] | None:
    """Make the change; None where the result is no Python or the same program."""
    operator = get_operator(candidate.operator)()
    changed = MutationVisitor.mutate_code(source, operator, candidate.occurrence)
    if changed is None or not differs(source, changed):
        return None
    before, after = changed_lines(source.splitlines(), changed.splitlines())
    line = candidate.span[0][0]
    return Mutant(candidate.path, candidate.definition, before, after, candidate.operator, line), changed


def changed_lines(old: list[str], new: list[str]) -> tuple[str, str]:
    """Cut away the lines that are the same at the start and at the end."""
    pairs = list(zip(old, new, strict=False))
    start = next((number for number, (one, other) in enumerate(pairs) if one != other), len(pairs))
    left = list(zip(reversed(old[start:]), reversed(new[start:]), strict=False))
    end = next((number for number, (one, other) in enumerate(left) if one != other), len(left))
    return "\n".join(old[start : len(old) - end]), "\n".join(new[start : len(new) - end])


def differs(source: str, changed: str) -> bool:
    """Tell whether the changed source is Python, and another program."""
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(changed, "mutant", "exec")
    except SyntaxError:
        return False
    return ast.dump(ast.parse(source)) != ast.dump(ast.parse(changed))


def sample(root: Path, folder: str, count: int, seed: int) -> list[tuple[Mutant, str]]:
    """Draw mutants of a folder's modules, with the changed sources.

    Each place in the code is as likely as any other, and gives one mutant: a ``+``, which eleven operators can
    replace, does not count eleven times. The lot falls on what a line says, not on where it stands: a line added
    elsewhere leaves the rest of the sample as it was.

    Parameters
    ----------
    root : pathlib.Path
        Top of the checkout.
    folder : str
        A folder below it.
    count : int
        How many to draw; fewer come where there are fewer places.
    seed : int
        The same seed draws the same mutants from the same sources.
    """
    drawn: dict[tuple[str, ...], tuple[Mutant, str]] = {}
    lots: list[tuple[str, list[Candidate]]] = []
    sources = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in modules(root / folder)}
    for path, source in sources.items():
        places: dict[Place, list[Candidate]] = {}
        for candidate in find_candidates(path, source):
            places.setdefault(candidate.span[0], []).append(candidate)
        lines = source.splitlines()
        lots += [(f"{seed} {path} {lines[line - 1]} {at}", offered) for (line, at), offered in places.items()]
    for lot, offered in sorted(lots, key=lambda each: hashlib.sha256(each[0].encode()).digest()):
        for candidate in random.Random(lot).sample(offered, len(offered)):
            made = apply(candidate, sources[candidate.path])
            if made is not None:
                drawn.setdefault(made[0].key(), made)
                break
        if len(drawn) == count:
            break
    return list(drawn.values())


def find_again(root: Path, wanted: list[Mutant]) -> list[tuple[Mutant, str]]:
    """Find mutants of an earlier sample in today's sources; those whose lines are gone are left out."""
    found = []
    for path in sorted({mutant.path for mutant in wanted}):
        if not (root / path).is_file():
            continue
        source = (root / path).read_text(encoding="utf-8")
        keys = {mutant.key() for mutant in wanted if mutant.path == path}
        operators = {mutant.operator for mutant in wanted if mutant.path == path}
        for candidate in find_candidates(path, source):
            made = apply(candidate, source) if candidate.operator in operators else None
            if made is not None and made[0].key() in keys:
                keys.remove(made[0].key())
                found.append(made)
    return found


def modules(folder: Path) -> list[Path]:
    """List the Python files below a folder, sorted."""
    return sorted(folder.rglob("*.py"))


def spans_without_effect(source: str) -> list[Span]:
    """Find the parts of a module where a change alters no decision of the program.

    Annotations and the marks of a signature (not its defaults), unions of types given a name, ``if TYPE_CHECKING``,
    ``__all__``, decorators for type checkers, the options of a dataclass and of a cache and ``zip``'s ``strict``
    (guards for programmers, and speed), and long tables of numbers (measured data, which a test could only copy out).
    Docstrings hold nothing that an operator changes.
    """
    lines = source.splitlines()

    def place(line: int, column: int) -> Place:
        return line, len(lines[line - 1].encode()[:column].decode())

    def span(node: ast.expr | ast.stmt) -> Span:
        return place(node.lineno, node.col_offset), place(node.end_lineno or 0, node.end_col_offset or 0)

    found: list[Span] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in QUIET_OPTIONS:
            found += [span(option.value) for option in node.keywords]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += _signature(node, span)
        elif isinstance(node, ast.AnnAssign):
            found.append(span(node.annotation))
        elif _has_no_effect(node):
            found.append(span(node))
        for decorator in getattr(node, "decorator_list", []):
            if ast.unparse(decorator).rpartition(".")[2] in TYPING_DECORATORS:
                (line, column), end = span(decorator)
                found.append(((line, column - 1), end))
    return found


def _has_no_effect(node: ast.AST) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "__all__" or _is_union(node.value)
    return isinstance(node, ast.Dict | ast.Tuple | ast.List) and _is_table(node)


def _is_table(node: ast.expr) -> bool:
    numbers = [
        each for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, int | float)
    ]
    calls = any(isinstance(each, ast.Call | ast.Name) for each in ast.walk(node))
    return len(numbers) > LONG_TABLE and not calls


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, span) -> list[Span]:
    """Cut a function's head into what lies between its defaults."""
    defaults = [default for default in (*node.args.defaults, *node.args.kw_defaults) if default is not None]
    start, (end, _) = span(node)[0], span(node.body[0])
    cuts = []
    for first, last in sorted(map(span, defaults)):
        cuts.append((start, first))
        start = last
    return [*cuts, (start, end)]


def _is_union(value: ast.expr) -> bool:
    """Tell whether an expression is nothing but types joined by ``|``."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return all(_is_union(side) or _is_type(side) for side in (value.left, value.right))
    return False


def _is_type(value: ast.expr) -> bool:
    if isinstance(value, ast.Subscript):
        return _is_type(value.value)
    name = ast.unparse(value)
    builtin = {"int", "float", "str", "bool", "bytes", "dict", "list", "tuple", "set", "None"}
    return isinstance(value, ast.Name | ast.Attribute | ast.Constant) and (
        name in builtin or name.rpartition(".")[2][:1].isupper()
    )
