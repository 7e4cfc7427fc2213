"""Meeting an input contract: what the network is fed, and maps back into the scan's space."""

import numpy as np
import pytest

from core.errors import BadInput
from core.models.card import InputContract, Intensity
from core.models.input_grid import input_grid
from core.models.inputs import image_to_plane, plane_to_image, prepare
from core.phantoms.grey_matter.generator import mni_grid, template
from core.scans.grid import Grid, check_growth
from core.scans.scan import Scan

PROBABILITY = Intensity(low=0, high=1, units="grey-matter probability")
COARSE = mni_grid(6.0)


def volume_contract(grid: Grid = COARSE) -> InputContract:
    return InputContract(
        dimensions=3,
        shape=grid.shape,
        affine=tuple(map(tuple, grid.affine.tolist())),
        spacing_mm=grid.spacing_mm,
        intensity=PROBABILITY,
    )


def slice_contract(plane: str = "coronal", position_mm: float = -18.0, grid: Grid = COARSE) -> InputContract:
    columns, rows = (axis for axis in range(3) if axis != ("sagittal", "coronal", "axial").index(plane))
    return InputContract(
        dimensions=2,
        shape=(grid.shape[rows], grid.shape[columns]),
        affine=tuple(map(tuple, grid.affine.tolist())),
        spacing_mm=(grid.spacing_mm[rows], grid.spacing_mm[columns]),
        plane=plane,
        position_mm=position_mm,
        intensity=PROBABILITY,
    )


def scan_on(grid: Grid, values: np.ndarray | None = None) -> Scan:
    array = template(grid) if values is None else values
    return Scan(array[None].astype(np.float32), grid.affine, units="grey-matter probability")


def picture(values: np.ndarray, units: str | None = None) -> Scan:
    return Scan(values[None].astype(np.float32), np.eye(4), units=units)


def test_a_scan_on_the_models_own_grid_is_fed_unchanged_and_nothing_is_said() -> None:
    scan = scan_on(COARSE)
    prepared = prepare(scan, volume_contract())
    np.testing.assert_array_equal(prepared.tensor[0, 0].numpy(), scan.array[0])
    assert prepared.notes == () and prepared.warnings == ()


def test_a_finer_scan_is_resampled_onto_the_models_grid_and_the_person_is_told() -> None:
    prepared = prepare(scan_on(mni_grid(3.0)), volume_contract())
    assert prepared.tensor.shape == (1, 1, *COARSE.shape)
    assert "resampled 3 → 6 mm" in prepared.notes
    expected = template(COARSE)
    assert np.corrcoef(prepared.tensor.numpy().ravel(), expected.ravel())[0, 1] > 0.99


def test_a_map_of_the_model_comes_back_at_the_place_it_points_to() -> None:
    fine = mni_grid(3.0)
    prepared = prepare(scan_on(fine), volume_contract())
    hot = np.zeros(COARSE.shape, np.float32)
    hot[20, 15, 10] = 1
    back = prepared.to_scan(hot)
    assert back.shape == fine.shape
    peak = np.array(np.unravel_index(back.argmax(), back.shape))
    expected_mm = COARSE.affine @ [20, 15, 10, 1]
    np.testing.assert_allclose(fine.affine @ [*peak, 1], expected_mm, atol=1e-6)


def test_a_region_drawn_on_the_scan_lands_on_the_same_millimetres_in_the_model() -> None:
    fine = mni_grid(3.0)
    prepared = prepare(scan_on(fine), volume_contract())
    region = np.zeros(fine.shape, np.uint8)
    region[40:44, 30:34, 20:24] = 1
    voxels = np.argwhere(prepared.to_model(region))
    assert len(voxels)
    millimetres = voxels * 6 + COARSE.affine[:3, 3]
    first, last = (fine.affine[:3, 3] + np.array(corner) * 3 for corner in ([40, 30, 20], [43, 33, 23]))
    assert (millimetres.min(axis=0) > first - 3.1).all()
    assert (millimetres.max(axis=0) < last + 3.1).all()


def test_a_slice_shows_superior_on_top_and_the_patients_right_on_the_left() -> None:
    values = np.zeros(COARSE.shape, np.float32)
    right_and_high = np.argmin(np.abs(COARSE.affine[0, 3] + 6 * np.arange(COARSE.shape[0]) - 60))
    level = np.argmin(np.abs(COARSE.affine[1, 3] + 6 * np.arange(COARSE.shape[1]) + 18))
    values[right_and_high, level, COARSE.shape[2] - 4] = 1
    prepared = prepare(scan_on(COARSE, values), slice_contract(position_mm=-18))
    image = prepared.tensor[0, 0].numpy()
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert row == 3
    assert column == COARSE.shape[0] - 1 - right_and_high < COARSE.shape[0] / 2
    assert any("coronal slice at -18 mm" in note for note in prepared.notes)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_turning_a_plane_into_an_image_and_back_loses_nothing(plane: str) -> None:
    axis = ("sagittal", "coronal", "axial").index(plane)
    shape = [4, 5, 6]
    shape[axis] = 1
    volume = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    np.testing.assert_array_equal(image_to_plane(plane_to_image(volume, plane), plane), volume)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_slice_map_comes_back_on_its_slice_only(plane: str) -> None:
    axis = ("sagittal", "coronal", "axial").index(plane)
    prepared = prepare(scan_on(COARSE), slice_contract(plane, -18.0))
    back = prepared.to_scan(np.ones(prepared.tensor.shape[2:], np.float32), fill=-1.0)
    level = int(np.argmin(np.abs(COARSE.affine[axis, 3] + 6 * np.arange(COARSE.shape[axis]) + 18)))
    np.testing.assert_allclose(np.take(back, level, axis=axis), 1)
    assert (np.delete(back, level, axis=axis) == -1).all()


def test_a_slice_has_the_spacing_of_its_rows_and_columns() -> None:
    grid = Grid((20, 30, 25), np.diag([8.0, 6.0, 7.0, 1.0]))
    scan = Scan(np.random.default_rng(0).random((1, *grid.shape), dtype=np.float32), grid.affine)
    prepared = prepare(scan, slice_contract("coronal", 60.0, grid))
    assert prepared.tensor.shape[2:] == (25, 20)
    assert prepared.spacing_mm == pytest.approx((7.0, 8.0))


@pytest.mark.parametrize("shape", [(31, 31), (62, 62), (200, 90), (15, 40)])
def test_a_picture_of_any_size_is_scaled_to_fit_keeping_its_aspect(shape: tuple[int, int]) -> None:
    rows, columns = np.indices(shape, dtype=np.float32)
    disc = ((rows - shape[0] / 2) ** 2 + (columns - shape[1] / 2) ** 2) < (min(shape) / 3) ** 2
    prepared = prepare(picture(disc * 1.0), slice_contract())
    image = prepared.tensor[0, 0].numpy()
    assert image.shape == (31, 31)
    tall, wide = (np.ptp(np.argwhere(image > 0.5), axis=0) + 1).tolist()
    assert abs(tall - wide) <= 1
    back = prepared.to_scan(image)
    assert back.shape == shape
    assert np.mean((back > 0.5) == disc) > 0.93


def test_the_picture_of_a_slice_feeds_the_model_what_the_slice_itself_does() -> None:
    contract = slice_contract()
    of_volume = prepare(scan_on(COARSE), contract)
    levels = np.round(of_volume.tensor[0, 0].numpy() * 65535)
    of_picture = prepare(picture(levels, "16-bit"), contract)
    np.testing.assert_allclose(of_picture.tensor.numpy(), of_volume.tensor.numpy(), atol=1e-5)
    assert of_picture.spacing_mm == of_volume.spacing_mm


@pytest.mark.parametrize(("units", "full"), [("8-bit", 255), ("16-bit", 65535)])
def test_full_scale_of_a_picture_is_read_as_the_models_range_and_undone_on_the_way_back(units: str, full: int) -> None:
    values = np.linspace(0, full, 31 * 31).reshape(31, 31)
    prepared = prepare(picture(values, units), slice_contract())
    np.testing.assert_allclose(prepared.tensor[0, 0].numpy(), values / full, atol=1e-6)
    assert prepared.notes == (f"{units} picture: 0…{full} read as 0…1",)
    halved = prepared.changed_scan(prepared.tensor[0, 0].numpy() / 2)
    np.testing.assert_allclose(halved, values / 2, rtol=1e-5, atol=1e-2)


def test_a_changed_scan_keeps_its_own_detail_where_nothing_was_changed() -> None:
    fine = scan_on(mni_grid(3.0))
    prepared = prepare(fine, volume_contract())
    changed = prepared.tensor[0, 0].numpy().copy()
    half = COARSE.shape[0] // 2
    changed[:half] = 1.0
    result = prepared.changed_scan(changed)
    untouched = 2 * half + 2  # one coarse voxel of interpolation beyond the change
    assert np.array_equal(result[untouched:], fine.array[0, untouched:])
    assert np.abs(result[: 2 * half - 2] - fine.array[0, : 2 * half - 2]).max() > 0.5


def test_a_scan_outside_the_trained_range_is_warned_about_not_rescaled() -> None:
    prepared = prepare(scan_on(COARSE, template(COARSE) * 900), volume_contract())
    assert float(prepared.tensor.max()) > 100
    assert "lie outside what the model was trained on" in prepared.warnings[0]


def test_a_scan_that_fills_little_of_the_range_is_warned_about() -> None:
    prepared = prepare(scan_on(COARSE, template(COARSE) * 0.05), volume_contract())
    assert "fill little of the trained range" in prepared.warnings[0]


def test_minmax_maps_the_scans_own_percentiles_to_the_range() -> None:
    contract = volume_contract().model_copy(update={"intensity": Intensity(low=-1, high=1, rescale="minmax")})
    prepared = prepare(scan_on(COARSE, template(COARSE) * 900), contract)
    assert float(prepared.tensor.min()) == -1 and float(prepared.tensor.max()) == 1


def test_around_a_small_scan_the_model_sees_the_lowest_value_of_its_range() -> None:
    contract = volume_contract().model_copy(update={"intensity": Intensity(low=-1000, high=1000, units="HU")})
    small = Grid((20, 24, 20), COARSE.affine)
    prepared = prepare(Scan(np.full((1, *small.shape), 40, np.float32), small.affine), contract)
    assert float(prepared.tensor[0, 0, -1, -1, -1]) == -1000


def test_a_scan_elsewhere_in_space_is_refused() -> None:
    far = COARSE.affine.copy()
    far[:3, 3] += 5000
    with pytest.raises(BadInput, match="do not overlap"):
        prepare(Scan(np.ones((1, *COARSE.shape), np.float32), far), volume_contract())


@pytest.mark.parametrize("shape", [(1, 1), (2, 400)])
def test_a_picture_too_narrow_to_be_seen_by_the_model_is_refused(shape: tuple[int, int]) -> None:
    contract = InputContract(dimensions=2, shape=(32, 32), intensity=PROBABILITY)
    with pytest.raises(BadInput, match=rf"^The picture is {shape[0]}×{shape[1]} pixels, .* on the 32×32"):
        prepare(picture(np.ones(shape)), contract)


def test_an_image_for_a_volume_model_and_wrong_channels_are_refused() -> None:
    with pytest.raises(BadInput, match="reads volumes"):
        prepare(picture(np.ones((8, 8))), volume_contract())
    with pytest.raises(BadInput, match="channel"):
        prepare(Scan(np.ones((2, *COARSE.shape), np.float32), COARSE.affine), volume_contract())


def coloured() -> Scan:
    colours = np.random.default_rng(0).integers(0, 256, (3, 8, 8)).astype(np.float32)
    grey = np.tensordot(np.float32([0.299, 0.587, 0.114]), colours, axes=1)
    return Scan(grey[None], np.eye(4), units="8-bit", colours=colours)


def test_a_model_of_three_channels_is_fed_a_pictures_colours_and_one_of_one_channel_its_luminance() -> None:
    scan = coloured()
    of = {n: InputContract(dimensions=2, channels=n, intensity=PROBABILITY) for n in (1, 3)}
    three, one = prepare(scan, of[3]), prepare(scan, of[1])
    np.testing.assert_allclose(three.tensor[0].numpy(), scan.colours / 255, atol=1e-6)
    np.testing.assert_allclose(one.tensor[0].numpy(), scan.array / 255, atol=1e-6)
    assert any("red, green and blue" in note for note in three.notes)
    assert not any("red, green and blue" in note for note in one.notes)
    # a change of the first channel is shown on the first channel
    shown = three.changed_scan(three.tensor[0, 0].numpy() + 0.1)
    np.testing.assert_allclose(shown, scan.colours[0] + 25.5, atol=1e-3)


def test_a_model_of_three_channels_is_fed_a_grey_image_three_times_and_that_is_said() -> None:
    values = np.random.default_rng(0).random((8, 8))
    prepared = prepare(picture(values), InputContract(dimensions=2, channels=3, intensity=PROBABILITY))
    np.testing.assert_allclose(prepared.tensor[0].numpy(), np.stack([values] * 3), atol=1e-6)
    assert any("three times" in note for note in prepared.notes)


def test_a_model_of_free_size_takes_the_scan_as_it_is_padded_to_its_multiple() -> None:
    contract = InputContract(dimensions=2, multiple_of=16, intensity=PROBABILITY)
    values = np.random.default_rng(0).random((30, 33))
    prepared = prepare(picture(values), contract)
    assert prepared.tensor.shape[2:] == (32, 48)
    np.testing.assert_allclose(prepared.to_scan(prepared.tensor[0, 0].numpy()), values, atol=1e-6)


def test_a_volume_without_a_fixed_grid_is_sampled_around_its_own_centre() -> None:
    contract = InputContract(dimensions=3, shape=(16, 16, 16), spacing_mm=(6.0, 6.0, 6.0), intensity=PROBABILITY)
    prepared = prepare(scan_on(COARSE), contract)
    centre = lambda grid: grid.affine @ [*((np.array(grid.shape) - 1) / 2), 1]  # noqa: E731
    np.testing.assert_allclose(centre(prepared.grid), centre(COARSE))


def test_a_volume_one_slice_thick_is_an_image_to_a_model_of_images() -> None:
    contract = InputContract(dimensions=2, shape=(20, 10), intensity=PROBABILITY)
    values = np.random.default_rng(0).random((20, 40, 1)).astype(np.float32)
    prepared = prepare(Scan(values[None], np.diag([1.0, 1.0, 5.0, 1.0])), contract)
    assert prepared.plane == "axial" and prepared.tensor.shape[2:] == (20, 10)
    assert prepared.spacing_mm == pytest.approx((2.0, 2.0))


@pytest.mark.parametrize("position_mm", [-21.0, -18.0, -14.1])
def test_a_slice_models_map_lies_on_the_one_slice_of_a_thick_scan_that_holds_the_plane(position_mm: float) -> None:
    thick = np.diag([2.0, 8.0, 2.0, 1.0])
    thick[:3, 3] = [-90, -122, -72]
    scan = scan_on(Grid((91, 27, 91), thick))
    prepared = prepare(scan, slice_contract("coronal", position_mm, mni_grid(1.5)))
    back = prepared.to_scan(np.ones(prepared.tensor.shape[2:], dtype=np.float32))
    marked = np.flatnonzero(back.any(axis=(0, 2)))
    assert marked.tolist() == [round((position_mm + 122) / 8)]


@pytest.mark.parametrize(("share", "warned"), [(0.5, True), (0.8, False)])
def test_a_scan_that_covers_little_of_what_the_model_looks_at_is_warned_about(share: float, warned: bool) -> None:
    kept = round(share * COARSE.shape[0])
    prepared = prepare(scan_on(Grid((kept, *COARSE.shape[1:]), COARSE.affine)), volume_contract())
    assert any("covers only" in warning for warning in prepared.warnings) == warned
    if warned:
        assert f"the scan covers only {kept / COARSE.shape[0]:.0%} of what the model looks at" in prepared.warnings


@pytest.mark.parametrize(("units", "spacing"), [("8-bit", (0.5, 0.25)), (None, (1.0, 1.0))])
def test_a_picture_of_any_size_measures_what_the_contract_says_and_an_image_with_millimetres_its_own(
    units: str | None, spacing: tuple[float, float]
) -> None:
    contract = InputContract(
        dimensions=2, multiple_of=8, spacing_mm=(0.5, 0.25), intensity=Intensity(low=0, high=1, rescale="minmax")
    )
    image = np.arange(70, dtype=np.float32).reshape(1, 10, 7)
    assert prepare(Scan(image, np.eye(4), units=units), contract).spacing_mm == spacing


@pytest.mark.parametrize("voxel", [(20, 21, 22), (21, 21, 21), (40, 3, 17), (19, 44, 30)])
def test_a_single_voxel_finer_than_the_models_grid_marks_the_one_it_lies_nearest_to(voxel):
    fine = mni_grid(1.5)
    prepared = prepare(Scan(np.zeros((1, *fine.shape), np.float32), fine.affine), volume_contract())
    region = np.zeros(fine.shape, dtype=bool)
    region[voxel] = True
    marked = prepared.region_to_model(region)
    here = fine.affine @ (*voxel, 1)
    (found,) = np.argwhere(marked)
    assert np.abs((prepared.grid.affine @ (*found, 1) - here)[:3]).max() <= 3.0 + 1e-9


def test_a_region_outside_the_models_view_marks_nothing():
    fine = mni_grid(1.5)
    moved = fine.affine.copy()
    moved[0, 3] -= 60
    prepared = prepare(Scan(np.zeros((1, *fine.shape), np.float32), moved), volume_contract())
    region = np.zeros(fine.shape, dtype=bool)
    region[0, 60, 60] = True
    assert not prepared.region_to_model(region).any()


@pytest.mark.parametrize(
    ("shape", "multiple_of", "said"),
    [
        ((64, 64), 1, ["image scaled 64×64 → 32×32 pixels"]),
        ((64, 63), 1, ["image scaled 64×63 → 32×32 pixels"]),
        ((64, 30), 1, ["image scaled and padded 64×30 → 32×32 pixels"]),
        ((30, 30), 8, ["image padded 30×30 → 32×32 pixels"]),
        ((33, 33), 1, ["image scaled 33×33 → 32×32 pixels"]),
        ((32, 32), 1, []),
    ],
)
def test_how_a_picture_was_made_to_fit_is_said(shape: tuple[int, int], multiple_of: int, said: list[str]) -> None:
    fixed = (32, 32) if multiple_of == 1 else None
    contract = InputContract(
        dimensions=2, shape=fixed, multiple_of=multiple_of, intensity=Intensity(low=0.0, high=1.0)
    )  # fmt: skip
    values = np.random.default_rng(0).random(shape, dtype=np.float32)
    assert [note for note in prepare(picture(values), contract).notes if note.startswith("image")] == said


@pytest.mark.parametrize(("millimetres", "fits"), [(1, True), (60, True), (100, False), (600, False), (9000, False)])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_no_grid_is_made_of_a_voxel_size_that_cannot_be_true(millimetres, fits, dimensions):
    spacing = (float(millimetres),) * 2
    scan = Scan(np.zeros((1, 100, 100, 1), np.float32), np.diag([*spacing, 1.0, 1.0]))
    contract = InputContract(
        dimensions=dimensions,
        spacing_mm=(1.0,) * dimensions,
        plane="axial" if dimensions == 2 else None,
        intensity=Intensity(low=0, high=1),
    )
    if fits:
        assert input_grid(scan, contract)[0].shape == (100 * millimetres, 100 * millimetres, 1)
        return
    with pytest.raises(BadInput, match=rf"voxels of {millimetres}×.*the limit is 67 million: check the voxel size"):
        prepare(scan, contract)


def test_a_large_scan_may_be_sampled_as_finely_as_it_is():
    grid = Grid((600, 600, 600), np.eye(4))
    check_growth(grid, grid)
    check_growth(grid, Grid((1000, 1000, 1000), np.eye(4)))
    with pytest.raises(BadInput, match="million"):
        check_growth(grid, Grid((2000, 2000, 2000), np.eye(4)))
