"""Plug-in packages, good and broken ones side by side: each broken one is named, and nothing else is touched."""

import json
import os
import subprocess
import sys

import pytest

from core import VERSION
from core.plugins import as_reason
from core.settings import ROOT
from tests.core.plugging import explainer, write_package

#: Package → (entry points, files, requirements, words that must say why it was left out; none: it works).
PACKAGES = {
    "good": ({"explainers.one": "good.one"}, {"good/one.py": explainer("good-one")}, (), ""),
    "anything": ({"all": "anything"}, {"anything.py": explainer("any-one")}, ("numpy", "lightbox>=0.1"), ""),
    "object": ({"explainers.it": "an_object:Ones"}, {"an_object.py": explainer("object-one")}, (), ""),
    "missing": ({"explainers.gone": "not_there_at_all"}, {}, (), "ModuleNotFoundError"),
    "no-object": ({"explainers.it": "no_object:Gone"}, {"no_object.py": explainer("gone-one")}, (), "AttributeError"),
    "raises": (
        {"all": "raises"},
        {"raises.py": explainer("half-one") + "\nraise ValueError('first line\\nsecond \\x1b[31mline.')\n"},
        (),
        "ValueError: first line second [31mline.",
    ),
    "leaves": ({"all": "leaves"}, {"leaves.py": "import sys\nsys.exit('bye')\n"}, (), "SystemExit: bye"),
    "taken": ({"explainers.mask": "taken"}, {"taken.py": explainer("mask")}, (), "the name 'mask' is taken"),
    "twice": ({"all": "twice"}, {"twice.py": explainer("good-one")}, (), "the name 'good-one' is taken"),
    "future": (
        {"all": "future"},
        {"future.py": explainer("future-one")},
        ("lightbox>=99",),
        f"it needs lightbox >=99, and this is {VERSION}",
    ),
    "unfinished": (
        {"explainers.it": "unfinished"},
        {"unfinished.py": explainer("unfinished-one").replace("def run", "def walk")},
        (),
        "it lacks run",
    ),
    "nameless": ({"all": "nameless"}, {"nameless.py": explainer("").replace('name = ""', "")}, (), "has no name"),
    "hostile": ({"all": "hostile"}, {"hostile.py": explainer("<script>alert(1)</script>")}, (), "is no name"),
    "textless": (
        {"all": "textless"},
        {"textless.py": explainer("textless-one").replace('title = "Ones"', "title = 3")},
        (),
        "it lacks the text 'title'",
    ),
    "preset": (
        {"all": "preset"},
        {"preset.py": explainer("preset-one").replace("def run", "presets = {'best': {'x': 1}}\n    def run")},
        (),
        "There is no parameter 'x'",
    ),
    "other": ({"explainers.it": "other:Ones"}, {"other.py": "class Ones: name = 'other-one'\n"}, (), "is no subclass"),
    "number": ({"explainers.it": "number:ONE"}, {"number.py": "ONE = 1\n"}, (), "it has no name"),
    "empty": ({"explainers.it": "empty"}, {"empty.py": ""}, (), "empty defines no explainer"),
    "kindless": ({"explainerz.it": "kindless"}, {"kindless.py": explainer("k")}, (), "no kind 'explainerz'"),
    "valueless": ({"explainers.it": "what is this"}, {}, (), "names no module"),
}
BROKEN = [name for name, content in PACKAGES.items() if content[3]]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    for package, (points, files, requires, _) in PACKAGES.items():
        write_package(site, package, points, files, requires)
    write_package(site, "damaged", {"all": "damaged"}, {"damaged.py": ""}, metadata="\x00")
    return site


def said(site, code, **environment):
    """What a Python program says as JSON that has `site` on its path."""
    variables = {**os.environ, "PYTHONPATH": str(site), **environment}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


LISTED = """
import json, sys
from core.explainers.base import EXPLAINERS
found = EXPLAINERS.all()
print(json.dumps({"names": list(found), "origins": {row["name"]: row["plugin"] for row in EXPLAINERS.rows()},
                  "left out": [left.sentence for left in EXPLAINERS.left_out()], "mask": found["mask"].__module__,
                  "torch": "torch" in sys.modules}))
"""


@pytest.fixture(scope="module")
def listed(installed):
    return said(installed, LISTED)


def test_what_works_is_there_and_says_where_it_comes_from(listed):
    origins = {name: origin for name, origin in listed["origins"].items() if origin}
    assert origins == {"good-one": "good 1.0", "any-one": "anything 1.0", "object-one": "object 1.0"}
    assert not listed["torch"]


def test_the_products_own_wins(listed):
    assert listed["mask"] == "core.explainers.mask.explainer"


@pytest.mark.parametrize("package", BROKEN)
def test_what_is_broken_is_named_with_the_reason_and_left_out(listed, package):
    told = [sentence for sentence in listed["left out"] if f"of {package} 1.0 " in sentence]
    assert len(told) == 1
    assert PACKAGES[package][3] in told[0]
    assert told[0].isprintable()


def test_metadata_that_cannot_be_read_is_only_that_packages_trouble(listed):
    assert any("metadata" in sentence for sentence in listed["left out"])


def test_nothing_of_a_plug_in_that_failed_is_used_or_stays_imported(installed):
    code = (
        "import json, sys; from core.explainers import explainers; names = list(explainers()); "
        "print(json.dumps([names, 'raises' in sys.modules, 'no_object' in sys.modules]))"
    )
    names, raises, no_object = said(installed, code)
    assert not {"half-one", "gone-one", "future-one"} & set(names)
    assert not raises and not no_object


def test_of_other_kinds_nothing_is_imported(installed):
    code = (
        "import json, sys; from core.bench import bench_names; bench_names(); from core.studies import studies; "
        "studies(); print(json.dumps([n for n in ('good', 'anything') if n in sys.modules]))"
    )
    assert said(installed, code) == ["anything"]


def test_plug_ins_can_be_switched_off(installed):
    off = said(installed, LISTED, LIGHTBOX_PLUGINS="false")
    assert set(off["origins"].values()) == {None}
    assert off["left out"] == []


def test_a_package_whose_part_is_broken_is_broken_whichever_entry_point_comes_first(tmp_path):
    parts = {"half/__init__.py": "", "half/good.py": explainer("half-good"), "half/bad.py": "import half.good\n1 / 0\n"}
    write_package(tmp_path, "half", {"explainers.a": "half.bad", "explainers.b": "half.good"}, parts)
    listed = said(tmp_path, LISTED)
    assert listed["origins"]["half-good"] == "half 1.0"
    assert [sentence.split(" is left out")[0] for sentence in listed["left out"]] == [
        "The plug-in explainers.a of half 1.0"
    ]


def test_a_reason_is_one_short_line():
    assert as_reason(ValueError("a\n\tb\x00.")) == "ValueError: a b"
    assert as_reason(ValueError()) == "ValueError"
    assert len(as_reason(ValueError("x" * 5000))) == 300
