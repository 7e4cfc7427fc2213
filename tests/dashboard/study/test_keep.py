import io
import json
import zipfile

from core.studies.reading import read_study
from dashboard.study.details import rows_of
from dashboard.study.keep import packed


def test_everything_of_the_result_is_packed_and_nothing_else(tmp_path):
    result = tmp_path / "result"
    (result / "maps").mkdir(parents=True)
    (result / "study.json").write_text(json.dumps({"sentence": "S."}))
    (result / "maps" / "mean.npy").write_bytes(b"1")
    (tmp_path / "secret.txt").write_text("x")
    (result / "link.txt").symlink_to(tmp_path / "secret.txt")
    with zipfile.ZipFile(io.BytesIO(packed(read_study(result)))) as archive:
        assert archive.namelist() == ["maps/mean.npy", "study.json"]
        assert archive.read("maps/mean.npy") == b"1"


def test_settings_are_rows_of_words_and_empty_ones_are_left_out():
    values = {"a_b": 1, "c": {"d": [1, "x"], "e": ""}, "f": None, "g": [], "h": 0, "i": False}
    assert rows_of(values) == [("a b", "1"), ("c d", "1, x"), ("h", "0"), ("i", "False")]
    assert rows_of("words") == rows_of(None) == []
