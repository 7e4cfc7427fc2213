"""Which mutants are drawn, and which are never."""

from pathlib import Path

import pytest

from tests.mutation.mutants import Mutant, apply, changed_lines, find_again, find_candidates, sample
from tests.mutation.nearest import mirrored, wider

SOURCE = '''\
"""A module of 3 lines."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    LATER = 1 + 2

Number = int | None
TABLE = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)


def area(wide: int | None, *, λ: "int | str" = 4) -> float | None:
    """The area of 5."""
    return wide * λ
'''


def folder_with(path: Path, source: str = SOURCE) -> Path:
    (path / "package").mkdir()
    (path / "package" / "module.py").write_text(source, encoding="utf-8")
    return path


def test_only_code_that_decides_something_is_changed():
    changed = {SOURCE.splitlines()[found.span[0][0] - 1].strip() for found in find_candidates("module.py", SOURCE)}
    assert changed == {'def area(wide: int | None, *, λ: "int | str" = 4) -> float | None:', "return wide * λ"}
    (default,) = {
        found.span for found in find_candidates("module.py", SOURCE) if found.operator.endswith("NumberReplacer")
    }
    start = SOURCE.splitlines()[11].index("= 4") + 2
    assert default == ((12, start), (12, start + 1))


def test_a_change_that_is_no_python_or_the_same_program_is_not_made():
    made = [apply(found, SOURCE) for found in find_candidates("module.py", SOURCE)]
    assert all(mutant.before != mutant.after and mutant.definition == "area" for mutant, _ in filter(None, made))
    bad = "def f(*, a):\n    return {**a, 'a': a}\n"
    offered = list(find_candidates("module.py", bad))
    assert [apply(found, bad) for found in offered] == [None] * len(offered) != []


def test_the_options_of_dataclasses_and_caches_change_no_answer():
    source = "@dataclass(frozen=True)\nclass A:\n    a: int = 3\n\n\n@lru_cache(maxsize=4)\ndef f(): ...\n"
    found = {source.splitlines()[found.span[0][0] - 1] for found in find_candidates("module.py", source)}
    assert found == {"@dataclass(frozen=True)", "    a: int = 3", "@lru_cache(maxsize=4)"}  # the decorators themselves
    assert not [each for each in find_candidates("module.py", source) if "True" in each.operator]
    assert not list(find_candidates("module.py", "zip(a, b, strict=True)\n"))


def test_a_seed_draws_the_same_mutants_also_when_lines_move(tmp_path):
    root = folder_with(tmp_path)
    drawn = sample(root, "package", 2, seed=3)
    assert len(drawn) == 2
    assert sample(root, "package", 2, seed=3) == drawn
    other = [sample(root, "package", 2, seed)[0][0].after for seed in range(12)]
    assert len(set(other)) > 1
    (root / "package" / "module.py").write_text("# one more line\n" + SOURCE, encoding="utf-8")
    moved = sample(root, "package", 2, seed=3)
    assert [mutant.key() for mutant, _ in moved] == [mutant.key() for mutant, _ in drawn]
    assert [mutant.line for mutant, _ in moved] == [mutant.line + 1 for mutant, _ in drawn]


def test_each_place_gives_one_mutant(tmp_path):
    drawn = [mutant for mutant, _ in sample(folder_with(tmp_path), "package", 100, seed=1)]
    assert sorted(mutant.line for mutant in drawn) == [12, 14]


def test_a_survivor_is_found_again_by_what_it_changes(tmp_path):
    root = folder_with(tmp_path)
    known = Mutant(
        "package/module.py",
        "area",
        "    return wide * λ",
        "    return wide - λ",
        "core/ReplaceBinaryOperator_Mul_Sub",
        1,
    )
    ((found, changed),) = find_again(root, [known])
    assert (found.key(), found.line) == (known.key(), 14)
    assert changed == SOURCE.replace("wide * λ", "wide - λ")
    (root / "package" / "module.py").write_text("other = 1\n", encoding="utf-8")
    assert find_again(root, [known]) == []


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [("a b c", "a x c", ("b", "x")), ("a b c", "a c", ("b", "")), ("a a", "a", ("a", "")), ("a", "x", ("a", "x"))],
)
def test_changed_lines_are_those_between_what_is_the_same(old, new, lines):
    assert changed_lines(old.split(), new.split()) == lines


def test_the_nearest_tests_are_the_mirror_then_the_folder_then_what_is_loose_above(tmp_path):
    tests = tmp_path / "tests" / "core" / "explainers"
    (tests / "mask").mkdir(parents=True)
    (tests / "ibix").mkdir()
    for name in ("test_run.py", "mask/test_loop.py", "mask/test_session.py", "ibix/test_order.py"):
        (tests / name).touch()
    inside = "tests/core/explainers/"
    assert mirrored(tmp_path, "core/explainers/mask/loop.py") == [inside + "mask/test_loop.py"]
    assert mirrored(tmp_path, "core/explainers/mask/equations.py") == []
    assert wider(tmp_path, "core/explainers/mask/loop.py") == [inside + "mask/test_session.py", inside + "test_run.py"]
    shared = wider(tmp_path, "core/explainers/run.py")
    assert shared == [inside + name for name in ("ibix/test_order.py", "mask/test_loop.py", "mask/test_session.py")]
