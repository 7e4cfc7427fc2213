import dataclasses

import pytest

from dashboard.desk import shelf
from dashboard.results.listed.described import described


def run_of(workbench, **request):
    return shelf().run(workbench.finished(**request))


def test_what_was_changed_is_told_and_nothing_else(workbench):
    scan = workbench.add_scan()
    plain = described(run_of(workbench, scan=scan, explainer="mask", parameters={}))
    assert (plain.title, plain.settings) == ("Mask perturbation · AD", ())
    changed = described(
        run_of(workbench, scan=scan, explainer="mask", preset="paper", parameters={"iterations": 3, "lambda_1": 1e-3})
    )
    assert changed.settings[0] == "preset paper"
    assert any(one.endswith(": 3") for one in changed.settings)
    assert any(one.endswith(": 0.001") for one in changed.settings)
    assert len(changed.settings) == 3


@pytest.mark.parametrize(
    ("value", "words"), [(True, "yes"), (False, "no"), (None, "none"), ([1, 2], "1, 2"), ("x" * 60, "x" * 39 + "…")]
)
def test_values_are_told_in_short(workbench, value, words):
    run = run_of(workbench, scan=workbench.add_scan())
    request = {**run.request, "parameters": {"some_setting": value}}
    told = described(dataclasses.replace(run, request=request))
    assert told.settings == (f"some setting: {words}",)


def test_a_class_that_the_run_chose_itself_is_told(workbench):
    run = run_of(workbench, scan=workbench.add_scan(), target=None)
    assert described(run, "CN").title == "Saliency · CN"


@pytest.mark.parametrize("kind", ["explanation", "study", "training", "damaged"])
def test_what_cannot_be_read_is_told_as_such(workbench, kind):
    run = dataclasses.replace(run_of(workbench, scan=workbench.add_scan()), kind=kind, request={"parameters": None})
    told = described(run)
    assert told.title
    assert told.settings == ()
