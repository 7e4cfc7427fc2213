import gc
import sys
from abc import ABC, abstractmethod

import pytest

from core.errors import BadInput
from core.registry import NamedModules, Registry, import_files_of, look_up, names_in, not_a_subclass


class Animal(ABC):
    """What the registry of these tests holds."""

    name: str

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        ANIMALS.offer(cls)

    @abstractmethod
    def sound(self) -> str: ...


def complaint(cls: type) -> str | None:
    return "it is extinct" if getattr(cls, "extinct", False) else not_a_subclass(cls, Animal)


ANIMALS: Registry[type[Animal]] = Registry("animals", "animal", judge=complaint)


class Barking(Animal):
    def sound(self) -> str:
        return "woof"


class Dog(Barking):
    name = "dog"


def test_concrete_subclasses_at_any_depth_are_known_and_bases_are_not():
    class Quiet(Animal): ...

    assert "dog" in ANIMALS.all()
    assert Quiet not in ANIMALS.all().values()
    assert ANIMALS.get("dog") is Dog


def test_what_is_not_there_is_answered_with_what_is():
    with pytest.raises(BadInput, match=r"^There is no animal 'cat'; there is dog"):
        ANIMALS.get("cat")


def test_a_class_that_its_notebook_dropped_is_no_longer_there():
    class Cat(Barking):
        name = "cat"

    assert ANIMALS.get("cat") is Cat
    del Cat
    gc.collect()
    assert "cat" not in ANIMALS.all()


def test_of_two_that_were_typed_in_the_later_is_meant():
    def again(answer):
        class Parrot(Animal):
            name = "parrot"

            def sound(self) -> str:
                return answer

        return Parrot

    first, second = again("hello"), again("goodbye")
    assert ANIMALS.get("parrot") is second is not first


@pytest.mark.parametrize(
    ("name", "extinct", "words"),
    [
        (None, False, "no name"),
        ("Great Auk", False, "is no name"),
        ("../dodo", False, "is no name"),
        ("<b>", False, "is no name"),
        (3, False, "no name"),
        ("dodo", True, "it is extinct"),
    ],
)
def test_one_that_cannot_be_used_is_left_out_and_says_why(name, extinct, words):
    cls = type("Strange", (Barking,), {"name": name, "extinct": extinct})
    assert cls not in ANIMALS.all().values()
    assert any(words in left.sentence for left in ANIMALS.left_out())
    assert "dog" in ANIMALS.all()


def test_a_judge_that_stumbles_over_one_leaves_only_that_one_out():
    def stumble(item: type) -> str | None:
        return "no" if item.unheard_of else None

    picky: Registry[type] = Registry("things", "thing", judge=stumble)
    good, bad = type("Good", (), {"name": "good", "unheard_of": False}), type("Bad", (), {"name": "bad"})
    picky.offer(good)
    picky.offer(bad)
    assert picky.all() == {"good": good}
    assert ["bad" in left.what and "AttributeError" in left.reason for left in picky.left_out()] == [True]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    package = tmp_path / "plugged_in"
    package.mkdir()
    for name in ("__init__", "one", "two", "_part", "left_out"):
        (package / f"{name}.py").write_text("def run():\n    return __name__\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "plugged_in"
    for name in [name for name in sys.modules if name.partition(".")[0] == "plugged_in"]:
        del sys.modules[name]


def test_every_public_file_of_a_package_is_imported_and_no_other(folder):
    import_files_of(folder, without={"left_out"})
    assert {name for name in sys.modules if name.startswith("plugged_in.")} == {"plugged_in.one", "plugged_in.two"}


def test_files_are_named_without_being_imported(folder):
    known = NamedModules("things", "thing", folder)
    assert known.names() == names_in(folder) == ["left_out", "one", "two"]
    assert "plugged_in.one" not in sys.modules
    assert known.get("one").run() == "plugged_in.one"
    with pytest.raises(BadInput, match=r"^There is no thing 'three'; there is left_out, one, two\.$"):
        known.get("three")


def test_what_is_known_is_looked_up_by_name_and_what_is_not_is_answered_with_what_there_is() -> None:
    known = {"hand": 1, "foot": 2}
    assert look_up("foot", known, "part") == 2
    with pytest.raises(BadInput, match=r"^There is no part 'knee'; there is hand, foot\.$"):
        look_up("knee", known, "part")
