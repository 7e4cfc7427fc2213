import io
import json
import sys

import numpy as np
import pytest

from core.command_line.terminal import (
    ProgressLine,
    as_figure,
    as_moment,
    only_results_on_stdout,
    print_json,
    print_remarks,
    print_table,
    progress_line,
)
from core.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_for_each_tenth_of_the_work_and_not_for_each_report() -> None:
    stream = io.StringIO()
    line = ProgressLine(stream)
    for hundredth in range(101):
        line(Progress(hundredth / 100, f"step {hundredth}"))
    line.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 11
    assert lines[0] == "  0%  step 0"
    assert lines[-1] == "100%  step 100"


def test_a_terminal_is_written_over_and_left_empty() -> None:
    stream = Terminal()
    line = ProgressLine(stream)
    line(Progress(0.5, "half"))
    line(Progress(0.51, "too soon to be seen"))
    line(Progress(1.0, "done"))
    line.close()
    assert stream.getvalue() == "\r\x1b[K 50%  half\r\x1b[K100%  done\r\x1b[K"


def test_the_line_is_closed_even_when_the_work_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with pytest.raises(ZeroDivisionError), progress_line() as report:
        report(Progress(0.5, "half"))
        raise ZeroDivisionError
    assert stream.getvalue().endswith("\r\x1b[K")


def test_what_a_library_prints_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with only_results_on_stdout():
        print("downloading nothing")
    print("result")
    assert capsys.readouterr() == ("result\n", "downloading nothing\n")


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"nan": float("nan"), "inf": np.float32("inf"), "words": "λ", "count": np.int64(3)})
    text = capsys.readouterr().out
    assert json.loads(text, parse_constant=pytest.fail) == {"nan": None, "inf": None, "words": "λ", "count": 3}


def test_columns_are_aligned_and_nothing_hangs_over(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([("a", "long", "x"), ("bbb", "b", "")])
    assert capsys.readouterr().out.splitlines() == ["a    long  x", "bbb  b"]
    print_table([])
    assert capsys.readouterr().out == ""


def test_remarks_leave_the_result_alone(capsys: pytest.CaptureFixture[str]) -> None:
    print_remarks(["resampled"], ["little overlap"])
    assert capsys.readouterr() == ("", "note: resampled\nwarning: little overlap\n")


@pytest.mark.parametrize(("value", "words"), [(None, "-"), (0.123456, "0.1235"), (60, "60"), ("s", "s")])
def test_a_figure_has_four_digits(value: object, words: str) -> None:
    assert as_figure(value) == words


def test_a_moment_is_local_time_to_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        assert as_moment(86_400 + 61) == "1970-01-02 00:01"
    finally:
        monkeypatch.undo()
        time.tzset()
