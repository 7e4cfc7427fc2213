import json

import numpy as np
import pytest

from core.errors import LightboxError
from dashboard.bench import __main__ as command
from dashboard.bench import viewer
from dashboard.bench.viewer_app import volumes

ROW = {"what": "viewer step", "value": 20.0, "baseline": 200.0, "ratio": 0.1, "unit": "ms", "error": None}


@pytest.fixture
def result(monkeypatch):
    monkeypatch.setattr(viewer, "run", lambda: {"name": "viewer", "rows": [ROW]})


def test_the_result_is_printed_as_json_or_as_a_table(result, capsys):
    assert command.main(["viewer", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"name": "viewer", "rows": [ROW]}
    assert command.main(["viewer"]) == 0
    assert "viewer step" in capsys.readouterr().out


def test_a_machine_without_a_browser_is_told_in_one_sentence(monkeypatch, capsys):
    def run():
        raise LightboxError("No Chromium could be started: install it.")

    monkeypatch.setattr(viewer, "run", run)
    assert command.main(["viewer"]) == 2
    assert capsys.readouterr().err == "No Chromium could be started: install it.\n"


def test_the_measured_volume_differs_from_slice_to_slice_and_loses_little_by_packing():
    scan = volumes.scan()
    assert scan.shape == (197, 233, 189)
    middle = scan[..., 60:130]
    assert all(np.abs(np.diff(middle, axis=2)).max(axis=(0, 1)) > 0.01)
    assert 0 < viewer._packing_error() < 1e-4
    volumes.release()
