import subprocess

import core
from core.interpreter import command_of, environment_with_our_sources


def test_our_own_modules_are_started_whatever_the_working_directory_holds(tmp_path, monkeypatch):
    for folder in ("core", "elsewhere/core"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").write_text("raise ImportError('this is not Lightbox')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "elsewhere"))
    said = subprocess.run(
        [*command_of("core.command_line.main")[:2], "-c", "import core, sys; print(core.__file__, sys.path)"],
        cwd=tmp_path,
        env=environment_with_our_sources(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.split()[0] == core.__file__
    assert str(tmp_path / "elsewhere") in said
