from dataclasses import replace

import numpy as np
import pytest
import torch

from core.errors import BadInput, Cancelled
from core.explainers import explain
from core.explainers.mask import explainer as mask
from core.explainers.mask.explainer import Mask
from core.metrics.localisation import share_inside
from core.metrics.sanity import randomisation_check
from core.models import load_model
from core.progress import Progress
from core.scans import Scan
from core.wording import percent
from tests.core.tiny import save_tiny, tiny_card


@pytest.fixture(scope="module")
def explanation(trained):
    return explain(trained.scan(200), trained.model, "mask", target="AD")


def test_mask_finds_the_planted_place_and_changes_the_answer(trained):
    inside = []
    for seed in (200, 201, 202):
        found = explain(trained.scan(seed), trained.model, "mask", target="AD")
        assert found.scores["before"]["AD"] > 0.9
        assert found.scores["after"]["AD"] <= 0.05
        inside.append(share_inside(found.arrays["map"].values, trained.planted))
    by_chance = trained.planted[trained.model.references["support"] > 0.5].mean()
    assert by_chance < 0.25
    assert np.mean(inside) > 0.85


def test_map_is_the_share_hidden_and_the_masked_scan_is_equation_1_of_it(explanation, trained):
    hidden = explanation.arrays["map"].values
    assert hidden.shape == explanation.scan.shape
    assert ((hidden == 0) | (hidden >= 0.05)).all(), "mask values above 0.95 count as 1"
    assert hidden.max() <= 1
    healthy = trained.model.references["healthy_mean"]
    expected = (1 - hidden) * explanation.scan.array[0] + hidden * healthy
    np.testing.assert_allclose(explanation.arrays["perturbed"].values, expected, atol=1e-5)


def test_score_after_is_the_untouched_networks_answer_to_the_masked_scan(explanation, trained):
    import torch

    masked = torch.from_numpy(explanation.arrays["perturbed"].values)[None, None]
    assert explanation.scores["after"] == pytest.approx(trained.model.probabilities(masked), abs=1e-5)


def test_history_has_the_loss_its_three_terms_the_probability_and_the_volume(explanation, trained):
    volume = "hidden cm³" if trained.dimensions == 3 else "hidden cm²"
    assert set(explanation.history) == {"iteration", "loss", "score", "size", "edge", "probability", volume}
    lengths = {len(column) for column in explanation.history.values()}
    assert lengths == {int(explanation.numbers["iterations"])}


def test_numbers_hold_the_hidden_volume(explanation, trained):
    name = "hidden_cm3" if trained.dimensions == 3 else "hidden_cm2"
    expected = explanation.arrays["map"].values.sum() * 0.6**trained.dimensions
    assert explanation.numbers[name] == pytest.approx(expected, rel=1e-4)


def test_swap_test_goal_and_random_control_stand_beside_the_mask(explanation):
    checks = {check.name: check for check in explanation.checks}
    assert set(checks) == {"goal", "empty", "swap", "control", "settled"}
    assert checks.pop("settled").passed is None
    assert all(check.passed for check in checks.values())
    assert checks["swap"].value < 0.5 < checks["control"].value


def test_a_mask_that_is_no_better_than_random_places_fails_its_control(trained, monkeypatch):
    for control, passed in (0.49, False), (0.5, True):
        monkeypatch.setattr("core.explainers.mask.session.random_control", lambda *given, found=control: found)
        found = explain(trained.scan(200), trained.model, "mask", target="AD", iterations=25)
        before = found.scores["before"]["AD"]
        assert 0.98 < before < 1
        check = next(check for check in found.checks if check.name == "control")
        assert (check.value, check.passed) == (control, passed)
        assert ("wherever one hides something" in check.sentence) == (not passed)


def test_sentence_says_the_numbers(explanation):
    after = explanation.scores["after"]["AD"]
    assert f"{percent(explanation.scores['before']['AD'])} to {percent(after)}" in explanation.sentence
    amount = explanation.numbers.get("hidden_cm3", explanation.numbers.get("hidden_cm2"))
    assert f"{amount:.1f} cm" in explanation.sentence


def test_a_scan_that_is_not_called_the_class_gets_an_empty_map_and_is_told_so(trained):
    found = explain(trained.scan(200, diseased=False), trained.model, "mask", target="AD")
    assert not found.arrays["map"].values.any()
    assert found.scores["after"] == found.scores["before"]
    assert "nothing had to be hidden" in found.sentence
    assert any("nothing had to be hidden" in warning for warning in found.warnings)
    assert [(check.name, check.value, check.passed) for check in found.checks] == [("empty", 0.0, None)]
    assert (found.numbers["asked"], found.numbers["hidden_share"]) == (0, 0)


def test_a_mask_that_cannot_reach_the_goal_says_so(trained):
    found = explain(trained.scan(200), trained.model, "mask", target="AD", mu="blur", blur_mm=1.0, iterations=5)
    assert found.scores["after"]["AD"] > 0.04
    assert not {check.name: check.passed for check in found.checks}["goal"]
    assert any("came closest" in warning for warning in found.warnings)


def test_paper_preset_runs_as_published_and_its_outcome_is_told_truthfully(trained):
    found = explain(trained.scan(200), trained.model, "mask", preset="paper", iterations=300)
    recorded = found.parameters
    assert (recorded["lambda_1"], recorded["lambda_2"], recorded["beta_1"], recorded["beta_2"]) == (1e-4, 1e-2, 0.1, 1)
    assert (recorded["learning_rate"], recorded["patience"], recorded["tolerance"]) == (0.1, 200, 0.01)
    reached = found.scores["after"]["AD"] <= 0.04
    assert {check.name: check.passed for check in found.checks}["goal"] == reached
    if not found.arrays["map"].values.any():
        assert "No mask was found" in found.sentence


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (0.031, "takes AD from >99.9% to 3.1%."),
        (0.62, "takes AD from >99.9% to 62%, short of the goal of 4%."),
        (0.9996, "leaves AD at >99.9%: no mask changed the answer."),
    ],
)
def test_sentence_does_not_make_more_of_a_mask_than_it_did(explanation, after, words):
    scores = {"before": {"CN": 0.0002, "AD": 0.9998}, "after": {"CN": 1 - after, "AD": after}}
    assert words in Mask.sentence(replace(explanation, scores=scores))


def test_smaller_masks_for_a_larger_price(trained):
    sizes = [
        explain(trained.scan(200), trained.model, "mask", lambda_1=price).arrays["map"].values.sum()
        for price in (1e-5, 5e-3)
    ]
    assert sizes[1] < sizes[0]


def test_same_request_gives_the_same_mask(trained, explanation):
    again = explain(trained.scan(200), trained.model, "mask", target="AD")
    np.testing.assert_array_equal(again.arrays["map"].values, explanation.arrays["map"].values)
    assert [check.value for check in again.checks] == [check.value for check in explanation.checks]


def test_every_iteration_reports_and_cancel_stops_at_once(trained):
    seen: list[Progress] = []

    def report(progress: Progress) -> None:
        seen.append(progress)
        if progress.history and progress.history.get("loss") is not None and len(seen) > 6:
            raise Cancelled

    with pytest.raises(Cancelled):
        explain(trained.scan(200), trained.model, "mask", report=report)
    assert len(seen) == 7
    previews = [progress.preview for progress in seen if progress.preview is not None]
    assert previews
    assert previews[0].shape == trained.scan(200).shape


def test_explaining_leaves_scan_and_network_as_they_were(trained):
    scan = trained.scan(200)
    before, weights_before = scan.content_hash, trained.model.content_hash
    explain(scan, trained.model, "mask", iterations=3)
    fresh = type(scan)(scan.array, scan.affine)
    assert fresh.content_hash == before
    assert type(trained.model)(trained.model.card, trained.model.network).content_hash == weights_before


def test_fill_without_a_healthy_mean_is_refused_or_replaced_by_blur(trained):
    import dataclasses

    bare = dataclasses.replace(trained.model, references={})
    with pytest.raises(BadInput, match="no healthy mean"):
        explain(trained.scan(200), bare, "mask", mu="healthy_mean")
    found = explain(trained.scan(200), bare, "mask", iterations=2)
    assert found.parameters["mu"] == "blur"
    assert any("names no support" in warning for warning in found.warnings)


def test_parameters_out_of_range_are_refused_by_name(trained):
    with pytest.raises(BadInput, match="lambda_1"):
        explain(trained.scan(200), trained.model, "mask", lambda_1=-1)
    with pytest.raises(BadInput, match="lamda"):
        explain(trained.scan(200), trained.model, "mask", lamda=1)


def test_mask_changes_when_the_weights_are_random(trained):
    """Asked of whatever class the network prefers, and down to half of it: random networks have no 0.96 to lose."""
    import dataclasses

    def make_map(network) -> np.ndarray:
        # a network with random weights knows no healthy class, which is not asked about with healthy tissue
        card = trained.model.card.model_copy(update={"healthy": None})
        model = dataclasses.replace(trained.model, card=card, network=network)
        scan = trained.scan(200)
        scores = model.predict(scan)
        target = max(scores, key=scores.__getitem__)
        goal = min(0.5, scores[target] / 2)
        return explain(scan, model, "mask", target=target, goal=goal).arrays["map"].values

    support = trained.model.references["support"] > 0.5
    drop = randomisation_check(make_map, trained.model.network, seeds=(0, 1), support=support)
    assert drop.enough


def test_of_a_picture_without_millimetres_pixels_are_hidden():
    assert mask._amount({"hidden_cm3": 3.14}) == "3.1 cm³"
    assert mask._amount({"hidden_cm2": 3.14}) == "3.1 cm²"
    assert mask._amount({"hidden_pixels": 3160.4}) == "3160 pixels"


@pytest.mark.parametrize(("step", "name", "pixel"), [(1.0, "hidden_pixels", 1.0), (0.5, "hidden_cm2", 0.0025)])
def test_what_is_hidden_of_a_picture_is_counted_in_what_its_file_tells(tmp_path, step, name, pixel):
    torch.manual_seed(4)  # its answer is AD, and can be changed
    model = load_model(save_tiny(tmp_path / "film", tiny_card("film", (12, 12))))
    scan = Scan(np.random.default_rng(0).random((1, 12, 12), np.float32), np.diag([step, step, 1.0, 1.0]))
    before = model.predict(scan)
    found = explain(scan, model, "mask", target="AD", goal=min(0.5, 0.99 * before["AD"]), iterations=20)
    assert found.numbers[name] == pytest.approx(found.arrays["map"].values.sum() * pixel, rel=1e-4)
    assert found.numbers[name] > 0
    assert ("pixel_mm2" in found.numbers) == (step == 0.5)
