import pytest

from core.scans.mni import mni_grid


@pytest.mark.parametrize(
    ("spacing_mm", "shape"), [(1.5, (121, 145, 121)), (3.0, (61, 73, 61)), (4.5, (41, 49, 41)), (1.0, (181, 217, 181))]
)
def test_the_box_is_the_usual_one_at_any_spacing(spacing_mm: float, shape: tuple[int, ...]) -> None:
    grid = mni_grid(spacing_mm)
    assert grid.shape == shape
    assert grid.spacing_mm == pytest.approx((spacing_mm,) * 3)
    assert grid.affine[:3, 3].tolist() == [-90, -126, -72]
