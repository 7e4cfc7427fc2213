import pytest

from core.cohorts import tables
from core.errors import BadInput


def test_a_table_of_endless_rows_is_refused_before_any_is_looked_up(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    (tmp_path / "participants.tsv").write_text("participant_id\tlabel\n" + "a\tx\n" * 3)
    assert len(tables.read_table(tmp_path / "participants.tsv")) == 3
    (tmp_path / "participants.tsv").write_text("participant_id\tlabel\n" + "a\tx\n" * 4)
    with pytest.raises(BadInput, match=r"participants\.tsv has more than 3 rows"):
        tables.read_table(tmp_path / "participants.tsv")
