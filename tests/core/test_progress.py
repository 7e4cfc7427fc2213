import numpy as np

from core.progress import Progress, part_of, silent


def test_a_stage_fills_its_part_of_the_whole_and_passes_everything_else_on() -> None:
    seen: list[Progress] = []
    stage = part_of(seen.append, 0.25, 0.75)
    preview = np.zeros(3)
    for fraction in (0.0, 0.5, 1.0):
        stage(Progress(fraction, "reading", {"loss": 1.0}, preview))
    assert [progress.fraction for progress in seen] == [0.25, 0.5, 0.75]
    assert all((p.message, p.history) == ("reading", {"loss": 1.0}) and p.preview is preview for p in seen)


def test_nobody_need_listen() -> None:
    assert silent(Progress(0.5)) is None  # type: ignore[func-returns-value]
