"""An explainer that nobody here has heard of says what its map is made of, and the page shows it as it says."""

import gc
import json

import numpy as np
import pytest

from core.explainers import Curve, Explainer, Findings, MapArray, Part, Parts, explainers
from core.runs import LOCAL_OWNER, manager
from dashboard.intake import catalogue
from dashboard.look import theme
from tests.pages.conftest import SHAPE, read, said

SHAPE_2D = (16, 20)
HELP = "Each patch alone."


def make_explainer():
    class Patches(Explainer):
        name = "toy-patches"
        title = "Toy patches"
        summary = "The map shows which patches matter."
        reference = "Nobody, 2026"
        makes_parts = True
        color = "gold"
        curves = {"energy": Curve("energy left", "kJ", role="goal")}  # noqa: RUF012

        def run(self, question, parameters):
            shape = question.prepared.tensor.shape[2:]
            one = np.zeros(shape, np.float32)
            one[:2] = 1.0
            arrays = {"map": MapArray(one, "patches", "attribution"), "patch_b": MapArray(one, "b", "attribution")}
            members = (Part(7, "Patch B", 3.0, 0.6, "patch_b", "60% of the sky"), Part(2, "Patch A", 2.0))
            parts = Parts(
                "patch", "patches", "the sky", members, "2 of 9 patches were used.", HELP, "No patch was kept."
            )
            return Findings(arrays, history={"iteration": [1.0, 2.0], "energy": [2.0, 1.0]}, parts=parts)

    return Patches


@pytest.fixture
def patches():
    """The explainer, known while the test runs."""
    kept = [make_explainer()]
    catalogue.explainer_entries.cache_clear()
    yield
    kept.clear()
    gc.collect()
    catalogue.explainer_entries.cache_clear()
    assert "toy-patches" not in explainers()


def charts(page):
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def opened(workbench, model, shape):
    scan = workbench.add_scan(np.random.default_rng(1).random((1, *shape), np.float32))
    run = workbench.finished(scan=scan, model=model, explainer="toy-patches", target=None)
    assert manager().store.of(LOCAL_OWNER).run(run).status == "done"
    return workbench.open("explain", run=run)


def test_its_parts_and_curves_are_shown_as_it_says(workbench, patches):
    page = opened(workbench, "tiny-image", SHAPE_2D)
    assert not page.exception
    heading = next(element for element in page.markdown if element.value == "## Patches")
    assert heading.proto.help == HELP
    assert "2 of 9 patches were used." in said(page)
    drawn = charts(page)
    curve = next(chart["data"][0] for chart in drawn if chart["data"][0].get("mode") == "lines")
    assert (curve["name"], curve["line"]["color"]) == ("energy left (kJ)", theme.PALETTE["gold"])
    bars = next(chart["data"][0] for chart in drawn if chart["data"][0].get("x") == ["Patch B", "Patch A"])
    assert bars["marker"]["color"] == theme.PALETTE["gold"]
    labels = [read(button.proto.label) for button in page.get("download_button")]
    assert "Maps of 1 patches (ZIP)" in labels
    assert "Patches (PNG)" in labels
    assert "B (PNG)" not in labels


def test_parts_of_a_volume_are_told_and_kept(workbench, patches):
    page = opened(workbench, "tiny-volume", SHAPE)
    assert "The patches of a volume are not shown as a gallery" in said(page)
