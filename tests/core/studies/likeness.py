"""The study of the page "How to write a study", as somebody types it from there."""

from core.settings import ROOT
from tests.core.test_documentation_code import files_of

PAGE = ROOT / "docs" / "how-to" / "write-a-study.md"
SOURCE = files_of(PAGE)["likeness.py"]

exec(compile(SOURCE, "likeness.py", "exec"))

Likeness = globals()["Likeness"]
