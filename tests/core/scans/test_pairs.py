import numpy as np
import pytest

from core.errors import BadInput
from core.scans import Scan
from core.scans.pairs import comparable, difference, normalised, on_grid_of, relation
from core.scans.scan import Form, HeaderForms, SourceSpace

RNG = np.random.default_rng(4)


def placed(shape=(20, 22, 18), spacing=2.0, origin=(-20.0, -22.0, -18.0)):
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = origin
    return shape, affine


def scan(values=None, affine=None, code=None, **more):
    shape, usual = placed()
    affine = usual if affine is None else affine
    values = RNG.random(shape, np.float32) if values is None else values
    forms = HeaderForms(sform=Form(affine, code)) if code is not None else None
    source = SourceSpace(affine, values.shape, None, forms) if forms is not None else None
    return Scan(values[None].astype(np.float32), affine, source=source, **more)


def ball(affine, shape, centre=(0.0, 0.0, 0.0), radius=12.0):
    """A ball in millimetres, sampled on a grid: smooth at its edge."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    places = index @ affine[:3, :3].T + affine[:3, 3]
    return np.clip(radius - np.linalg.norm(places - np.array(centre), axis=-1), 0, 4).astype(np.float32)


def test_scans_on_one_grid_are_linked_and_need_no_resampling():
    found = relation(scan(code=4), scan(code=4))
    assert (found.linked, found.resampled, found.subtractable, found.turned_degrees) == (True, False, True, 0.0)
    assert [note for note in found.notes if "registered" in note] == []


def test_scans_of_their_scanners_are_linked_with_a_word_on_registration():
    found = relation(scan(code=1), scan(code=1, affine=placed(spacing=1.5)[1]))
    assert found.linked
    assert found.resampled
    assert any("not registered" in note for note in found.notes)


@pytest.mark.parametrize(("one", "other"), [(4, 1), (1, 3), (3, 4)])
def test_scans_in_different_spaces_are_refused(one, other):
    found = relation(scan(code=one), scan(code=other))
    assert not found.linked
    assert "the same millimetres are different places" in found.notes[0]


def test_scans_that_do_not_overlap_are_refused():
    far = placed(origin=(400.0, 0.0, 0.0))[1]
    found = relation(scan(), scan(affine=far))
    assert not found.linked
    assert "next to nothing in common" in found.notes[0]


def test_a_small_field_of_view_inside_a_large_one_is_linked():
    inside = np.diag([1.0, 1.0, 1.0, 1.0])
    assert relation(scan(), scan(RNG.random((6, 6, 6), np.float32), inside)).linked


def test_images_are_linked_where_they_have_the_same_pixels_and_volumes_never_with_images():
    one = Scan(RNG.random((1, 10, 12), np.float32), np.eye(4))
    assert relation(one, Scan(RNG.random((1, 10, 12), np.float32), np.eye(4))).linked
    assert not relation(one, Scan(RNG.random((1, 10, 13), np.float32), np.eye(4))).linked
    assert not relation(one, scan()).linked


def test_other_modalities_and_units_are_linked_but_not_subtracted():
    found = relation(scan(modality="CT", units="HU"), scan(modality="MR"))
    assert found.linked
    assert not found.subtractable
    assert any("mean different things" in note for note in found.notes)
    assert not relation(scan(units="HU"), scan(units="probability")).subtractable


def test_values_of_one_named_unit_are_comparable_and_others_are_warned_of():
    assert comparable(scan(units="HU"), scan(units="HU"))
    assert not comparable(scan(), scan())
    assert any("no common scale" in note for note in relation(scan(), scan()).notes)
    assert not any("no common scale" in note for note in relation(scan(units="HU"), scan(units="HU")).notes)


def test_how_far_axes_are_turned_is_told_whichever_way_round_they_run():
    _, usual = placed()
    angle = np.deg2rad(10)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert relation(scan(), scan(affine=turn @ usual)).turned_degrees == pytest.approx(10, abs=1e-6)
    flipped = usual @ np.diag([-1.0, 1, 1, 1])
    flipped[0, 3] = -usual[0, 3]
    assert relation(scan(), scan(affine=flipped)).turned_degrees == pytest.approx(0, abs=1e-6)


def test_one_ball_on_two_grids_has_no_difference_and_a_moved_one_has_it_where_it_moved():
    (shape, affine), (fine_shape, fine) = placed(), placed((36, 40, 34), 1.1, (-19.0, -21.0, -18.0))
    one = scan(ball(affine, shape), affine)
    same = difference(one, scan(ball(fine, fine_shape), fine), "none")
    assert same.size < 0.08
    assert same.correlation > 0.99
    assert 0.5 < same.covered <= 1
    moved = difference(one, scan(ball(fine, fine_shape, (6.0, 0, 0)), fine), "none")
    assert moved.size > 4 * same.size
    right = np.unravel_index(moved.values.argmax(), shape)
    assert (affine @ [*right, 1])[0] > 3  # it came where the ball went
    left = np.unravel_index(moved.values.argmin(), shape)
    assert (affine @ [*left, 1])[0] < -3


def test_what_the_second_does_not_cover_is_no_difference():
    (shape, affine), small = placed(), np.eye(4)
    one = scan(np.full(shape, 5.0, np.float32), affine)
    found = difference(one, scan(np.full((6, 6, 6), 7.0, np.float32), small), "none")
    assert set(np.unique(found.values)) == {0.0, 2.0}
    assert found.covered == pytest.approx((found.values == 2).mean())
    assert found.mean == pytest.approx(2)


def test_a_z_score_takes_another_gain_and_offset_away():
    shape, affine = placed()
    values = ball(affine, shape) + 0.01 * RNG.random(shape, np.float32)
    one, other = scan(values, affine), scan(values * 37 + 900, affine)
    assert difference(one, other, "none").size > 500
    assert difference(one, other, "z-score").size < 1e-3
    found = normalised(values, "z-score")
    kept = found[values > 2.0]
    assert abs(kept.mean()) < 0.5


def test_z_scores_say_nothing_where_both_are_background():
    shape, affine = placed()
    values = ball(affine, shape)
    one, other = scan(values, affine), scan(values * 3 + 40 * (values > 2), affine)
    assert not difference(one, other, "z-score").values[values == 0].any()


def test_a_scan_of_one_value_has_no_z_score():
    with pytest.raises(BadInput, match="z-score"):
        normalised(np.full((3, 3, 3), 2.0, np.float32), "z-score")


def test_the_second_scan_is_resampled_by_its_millimetres():
    (shape, affine), (fine_shape, fine) = placed(), placed((36, 40, 34), 1.1, (-19.0, -21.0, -18.0))
    values, inside = on_grid_of(scan(affine=affine), scan(ball(fine, fine_shape), fine))
    np.testing.assert_allclose(values[inside], ball(affine, shape)[inside], atol=0.9)
