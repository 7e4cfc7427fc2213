import sys
from abc import ABC, abstractmethod

import pytest

from core.errors import BadInput
from core.plugins import concrete_subclasses, import_files_of, look_up


def test_every_public_file_of_a_package_is_imported_and_no_other(tmp_path, monkeypatch):
    package = tmp_path / "plugged_in"
    package.mkdir()
    for name in ("__init__", "one", "two", "_part", "left_out"):
        (package / f"{name}.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    import_files_of("plugged_in", without={"left_out"})
    assert {name for name in sys.modules if name.startswith("plugged_in.")} == {"plugged_in.one", "plugged_in.two"}


def test_subclasses_at_any_depth_are_found_but_for_abstract_ones():
    class Base(ABC):
        @abstractmethod
        def run(self): ...

    class Half(Base): ...

    class Whole(Half):
        def run(self):
            return 1

    class Deeper(Whole): ...

    assert set(concrete_subclasses(Base)) == {Whole, Deeper}


def test_what_is_known_is_looked_up_by_name_and_what_is_not_is_answered_with_what_there_is() -> None:
    known = {"hand": 1, "foot": 2}
    assert look_up("foot", known, "part") == 2
    with pytest.raises(BadInput, match=r"^There is no part 'knee'; there is hand, foot\.$"):
        look_up("knee", known, "part")
