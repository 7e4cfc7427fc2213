"""What the recipe leaves to the cohort's own card, and what it does not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cohorts.reading import read_cohort
from core.cohorts.selection import Selection
from core.training.recipes.classifier.parameters import ClassifierParameters


def test_what_nobody_chose_is_the_card_s_to_say():
    assert ClassifierParameters().selection == Selection()
    chosen = ClassifierParameters(label_column="group", image="T1w", images="derivatives/x").selection
    assert chosen == Selection(label_column="group", image="T1w", images="derivatives/x")


@pytest.mark.parametrize(("chosen", "classes"), [({}, ("a", "b")), ({"label_column": "other"}, ("c", "d"))])
def test_columns_that_the_cohort_s_card_names_are_read_unless_others_are_asked_for(
    chosen: dict[str, str], classes: tuple[str, ...], tmp_path: Path
):
    for name in ("1", "2"):
        Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "films.tsv").write_text("person\tpart\tother\n1\ta\tc\n2\tb\td\n")
    (tmp_path / "cohort.yaml").write_text("table: films.tsv\nsubject_column: person\nlabel_column: part\n")
    assert read_cohort(tmp_path, ClassifierParameters(**chosen).selection).classes == classes
