"""Signs that need no statistics."""

from dataclasses import replace

import numpy as np
import pytest

from core.acceptance.rules import signs
from core.acceptance.space import Place
from core.models.inputs import prepare
from core.models.library import load_model
from core.scans import Scan
from core.scans.scan import Form, HeaderForms, SourceSpace


def _card(modality="MR slice", units="signal", rescale="none", **more):
    card = load_model("t1-t2-phantom", device="cpu").card
    intensity = card.input.intensity.model_copy(update={"units": units, "rescale": rescale})
    return card.model_copy(
        update={"input": card.input.model_copy(update={"modality": modality, "intensity": intensity, **more})}
    )


def _picture(size=64, pixel_mm=1.0, **more):
    values = np.random.default_rng(0).random((1, size, size), dtype=np.float32)
    return Scan(values, np.diag([pixel_mm, pixel_mm, 1, 1]), **more)


def _failed(card, scan, place=None):
    return [sign.name for sign in signs(card, prepare(scan, card.input), place) if not sign.passed]


def test_a_fitting_picture_fails_nothing():
    assert _failed(_card(), _picture(modality="MR")) == []


@pytest.mark.parametrize(
    "reads, given, right",
    [
        ("MR slice", "CT", False),
        ("grey-matter map in MNI space", "CT", False),
        ("grey-matter map in MNI space", "MR", True),
        ("X-ray film", "DX", True),
        ("X-ray film", "CR", True),
        ("X-ray film", "MG", False),
        ("chest radiograph", "DX", True),
        ("FDG-PET", "PT", True),
        ("FDG-PET", "MR", False),
        ("PET/CT", "CT", True),
        ("histology", "CT", True),
        (None, "CT", True),
        ("MR slice", None, True),
        ("MR slice", "OT", True),
    ],
)
def test_the_file_may_say_that_it_is_another_kind_of_image(reads, given, right):
    assert (_failed(_card(modality=reads), _picture(modality=given)) == []) == right


def test_hounsfield_units_are_no_signal_but_the_own_units_are():
    assert "modality" in _failed(_card(modality=None), _picture(units="HU"))
    assert _failed(_card(modality=None, units="HU"), _picture(units="HU")) == []
    assert "modality" not in _failed(_card(modality=None, units=""), _picture(units="HU"))


def test_a_few_samples_may_leave_the_range_and_many_may_not():
    card, scan = _card(), _picture()
    few = scan.array.copy()
    few[0, :2, :8] = 40  # 16 of 4096: metal, a vessel
    assert _failed(card, replace(scan, array=few)) == []
    assert _failed(card, replace(scan, array=scan.array * 3)) == ["range"]


def test_samples_much_further_apart_than_the_models_are_refused():
    card = _card(shape=(64, 64))
    assert _failed(card, _picture(size=64)) == []
    assert _failed(card, _picture(size=32)) == []
    assert _failed(card, _picture(size=20)) == ["spacing"]
    millimetres = _card(spacing_mm=(1.0, 1.0))
    assert _failed(millimetres, _picture(pixel_mm=2.0)) == []
    assert _failed(millimetres, _picture(size=16, pixel_mm=4.0)) == []


def test_a_place_that_is_not_the_templates_is_refused():
    scan = _picture(modality="MR")
    assert _failed(_card(), scan, Place(0.8, 0.5, 1.0)) == []
    assert _failed(_card(), scan, Place(0.5, 0.8, 1.0)) == ["space"]
    assert _failed(_card(), scan, Place(0.8, 0.5, 0.1)) == ["space"]
    assert _failed(_card(), scan, Place(0.1, 0.05, 1.0)) == ["space"]


_CLEAR, _TIE, _ELSEWHERE = Place(0.8, 0.5, 1.0, 0.02), Place(0.8, 0.81, 1.0, 0.02), Place(0.5, 0.8, 1.0, 0.02)


def _volume(sform=None, qform=None):
    forms = HeaderForms(*(None if code is None else Form(np.eye(4), code) for code in (sform, qform)))
    values = np.random.default_rng(0).random((1, 8, 8, 8), dtype=np.float32)
    return Scan(values, np.eye(4), source=SourceSpace(np.eye(4), (8, 8, 8), forms=forms))


def _said_of_space(place, **codes):
    scan = _volume(**codes)
    card = load_model("alzheimer-phantom", device="cpu").card
    found = {sign.name: sign for sign in signs(card, prepare(scan, card.input), place)}
    return found["space"].passed, found.get("header")


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 0, 99])
def test_no_code_alone_refuses_a_scan_that_lies_where_the_template_does(code):
    space, header = _said_of_space(_CLEAR, sform=code)
    assert space
    assert header is None or header.passed


@pytest.mark.parametrize("code", [3, 4, 5])
def test_no_code_saves_a_scan_that_lies_elsewhere(code):
    space, header = _said_of_space(_ELSEWHERE, sform=code)
    assert not space
    assert not header.passed
    assert "what the scan shows does not lie there" in header.sentence


def test_the_scanners_space_tips_the_scales_where_grey_levels_are_undecided():
    assert [_said_of_space(_TIE, sform=code)[0] for code in (1, 2, 4)] == [True] * 3
    assert not _said_of_space(_TIE, sform=1)[1].passed
    assert _said_of_space(_TIE, sform=2)[1] is None  # aligned to another file, whatever that is
    assert _said_of_space(_TIE, sform=4)[1].passed


def test_only_the_form_that_the_scan_was_read_by_counts():
    assert _said_of_space(_TIE, sform=4, qform=1)[1].passed
    assert not _said_of_space(_TIE, sform=1, qform=4)[1].passed
    assert not _said_of_space(_TIE, qform=1)[1].passed


def test_a_file_without_forms_says_nothing():
    assert _said_of_space(_CLEAR)[1] is None
    assert "header" not in {sign.name for sign in signs(_card(), prepare(_picture(), _card().input), _CLEAR)}
