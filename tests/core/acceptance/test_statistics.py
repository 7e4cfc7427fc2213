"""What a model was trained on, kept beside its card."""

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from scipy import ndimage

from core.acceptance.distance import Neighbourhood
from core.acceptance.limits import Usual
from core.acceptance.statistics import (
    Group,
    Statistics,
    distances_of,
    learn,
    looked_at,
    read_statistics,
    write_statistics,
)
from core.acceptance.verdict import STATISTICS, statistics_stamp
from core.errors import BadInput
from core.models.folders import folder_hash
from core.models.library import load_model
from core.models.model import Model
from tests.core.tiny import save_tiny, tiny_card


def drawn(count: int, seed: int) -> torch.Tensor:
    """Blobs of two sizes on black, (count, 1, 24, 24), 0..1."""
    random = np.random.default_rng(seed)
    images = np.zeros((count, 24, 24))
    for number, image in enumerate(images):
        image[tuple(random.integers(9, 15, 2))] = 1
        images[number] = ndimage.gaussian_filter(image, 2.5 + number % 2 + random.uniform(0, 0.3))
    images = images / images.max(axis=(1, 2), keepdims=True) + random.normal(0, 0.01, images.shape)
    return torch.from_numpy(np.clip(images, 0, 1).astype(np.float32))[:, None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    return save_tiny(tmp_path_factory.mktemp("models") / "tiny", tiny_card("tiny", (24, 24)))


@pytest.fixture(scope="module")
def model(folder) -> Model:
    return load_model(folder, device="cpu")


@pytest.fixture
def kept(folder, model):
    labels = torch.arange(200) % 2
    write_statistics(learn(model.network, model.card, drawn(200, 0), drawn(60, 1), labels), folder)
    yield folder
    (folder / STATISTICS).unlink(missing_ok=True)


def test_what_is_written_is_read(kept, model):
    found = read_statistics(kept)
    assert set(found.groups) == {"values", "sharpness", "detail", "layout", "orientation", "features"}
    learnt = learn(model.network, model.card, drawn(200, 0), drawn(60, 1), torch.arange(200) % 2)
    for name, group in found.groups.items():
        assert group.held_out == pytest.approx(learnt.groups[name].held_out, rel=1e-4)
    assert found.limits == pytest.approx(learnt.limits, rel=1e-3)


def test_held_out_images_lie_within_the_limits_and_others_do_not(kept, model):
    found = read_statistics(kept)

    def within(image):
        seen = distances_of(found.groups, looked_at(model.network, model.card.input, found.layers, image))
        total, limit = found.together(seen)
        return total <= limit and all(seen[name] <= most for name, most in found.limits.items())

    fresh = drawn(50, 9)
    assert np.mean([within(fresh[[number]]) for number in range(50)]) >= 0.94
    random = torch.Generator().manual_seed(0)
    foreign = [torch.rand((1, 1, 24, 24), generator=random), 1 - fresh[[0]], fresh[[1]].roll(9, 2), fresh[[2]] * 5]
    assert not any(map(within, foreign))


def test_a_models_content_stays_when_statistics_are_added(folder, model):
    before, content = folder_hash(folder), model.content_hash
    assert statistics_stamp(folder) == ""
    write_statistics(learn(model.network, model.card, drawn(40, 0)), folder)
    try:
        assert folder_hash(folder) == before
        assert load_model(folder, device="cpu").content_hash == content
        assert statistics_stamp(folder) != ""
    finally:
        (folder / STATISTICS).unlink()


def test_they_take_a_few_kilobytes(kept):
    assert (kept / STATISTICS).stat().st_size < 100_000


def test_a_model_without_any_has_none(folder):
    assert read_statistics(folder) is None
    assert read_statistics(None) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b"no safetensors at all"),
        lambda path: path.write_bytes(path.read_bytes()[:200]),
        lambda path: save_file(load_file(path), path),
        lambda path: _change(path, "values.scale", lambda values: values * np.nan),
        lambda path: _change(path, "values.variances", lambda values: values * 0),
        lambda path: _change(path, "layout.centres", lambda values: values[:, :5]),
        lambda path: _change(path, "detail.held_out", lambda values: values[:3]),
        lambda path: _change(path, "orientation.held_out", lambda values: values * 0),
    ],
    ids=["text", "cut", "nothing told", "not finite", "no variance", "other size", "other scans", "no distances"],
)
def test_a_damaged_file_is_a_sentence(kept, spoil):
    spoil(kept / STATISTICS)
    with pytest.raises(BadInput, match="is damaged: remove it, or make it again"):
        read_statistics(kept)


def _change(path, name, change):
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as file:
        told = file.metadata()
    save_file({**load_file(path), name: np.ascontiguousarray(change(load_file(path)[name]))}, path, metadata=told)


def test_too_few_scans_say_too_little(model):
    with pytest.raises(BadInput, match="Fewer than ten"):
        learn(model.network, model.card, drawn(5, 0))


def test_files_of_yesterday_are_read_without_what_is_described_otherwise_today(kept):
    from safetensors import safe_open

    with safe_open(kept / STATISTICS, framework="numpy") as file:
        told = json.loads(file.metadata()["lightbox"])
    older = {**told, "version": 1, "groups": [name for name in told["groups"] if name != "orientation"]}
    save_file(load_file(kept / STATISTICS), kept / STATISTICS, metadata={"lightbox": json.dumps(older)})
    found = read_statistics(kept)
    assert set(found.groups) == {"values", "sharpness", "detail", "features"}


def test_a_limit_lies_where_the_family_of_all_signs_has_it():
    random = np.random.default_rng(3)
    nowhere = Neighbourhood.of(random.normal(size=(40, 2)), np.zeros(40, int))
    logarithms = 0.2 * random.normal(size=(400, 2))
    groups = {name: Group(nowhere, np.exp(logarithms[:, place])) for place, name in enumerate(("one", "other"))}
    found, expected = Statistics(groups, (), ""), Usual(logarithms).limits()
    assert found.limits == pytest.approx({"one": np.exp(expected[0]), "other": np.exp(expected[1])})
    total, limit = found.together({"one": float(np.exp(logarithms[:, 0].mean() + 0.2)), "other": 1e-12})
    assert total == pytest.approx(0.2 / logarithms[:, 0].std())
    assert limit == pytest.approx(expected[2])


def test_a_picture_that_hangs_upside_down_is_known_by_its_orientation(folder, model):
    def lopsided(count, seed):
        ramp = torch.linspace(1, 0, 24)[None, None, :, None]
        return (drawn(count, seed) * 0.5 + 0.5 * ramp).clamp(0, 1)

    found = learn(model.network, model.card, lopsided(200, 0), lopsided(60, 1), torch.arange(200) % 2)

    def ratio(image):
        looks = looked_at(model.network, model.card.input, found.layers, image)
        return distances_of(found.groups, looks)["orientation"]

    limit = found.limits["orientation"]
    fresh = lopsided(20, 5)
    assert max(ratio(fresh[[number]]) for number in range(20)) < limit
    assert min(ratio(fresh[[number]].flip(2)) for number in range(20)) > limit
