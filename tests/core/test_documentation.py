"""What README, docs and assets tell people to type must be what the program takes."""

import re
import shlex
from pathlib import Path

import pytest

from core.bench import bench_names
from core.command_line.parser import make_parser
from core.explainers import get_explainer
from core.models.folders import list_cards
from core.settings import ROOT
from core.studies import get_study
from core.training import get_recipe

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "assets" / "README.md"])


def commands(page: Path) -> list[str]:
    """Whole lines of a page that call the command line, without pipes, alternatives and comments."""
    text = re.sub(r"\\\n\s+", "", page.read_text(encoding="utf-8"))
    found = re.findall(r"^(?: {4}|\.venv/bin/)(?:\S+ +[=#] )?python -m core (.+)$", text, flags=re.MULTILINE)
    return [re.split(r" \| |\s+# ", line)[0].strip() for line in found if "|" not in line.split(" --")[0]]


def made_on(page: Path) -> set[str]:
    """Models that the training commands of a page write (of a loop, the first), or its code."""
    text = re.sub(r"\\\n\s+", "", (ROOT / page).read_text(encoding="utf-8"))
    trained = {re.sub(r"\$\w+", "0", out) for out in re.findall(r"python -m core train .*?--out (\S+)", text)}
    return trained | set(re.findall(r"save_model\(Path\(\"models/([\w-]+)\"", text))


WRITTEN = [
    (page.relative_to(ROOT), command) for page in PAGES for command in commands(page) if "COMMAND" not in command
]


def test_commands_are_found_on_the_pages_that_have_them():
    pages = {str(page) for page, _ in WRITTEN}
    assert {
        "README.md",
        "docs/reference/command-line.md",
        "docs/recipes/pix2pix.md",
        "docs/explainers/ibix.md",
    } <= pages
    assert len(WRITTEN) > 15


@pytest.mark.parametrize(("page", "command"), WRITTEN, ids=lambda value: str(value)[:60])
def test_a_written_command_is_one_that_can_be_given(page, command):
    chosen = make_parser().parse_args(shlex.split(command))
    given = {pair.partition("=")[0] for pair in getattr(chosen, "param", [])}
    named = getattr(chosen, "model", None)
    if named and named != "M":
        assert named in {card.name for card in list_cards()} | made_on(page)
    known = set()
    if hasattr(chosen, "explainer"):
        known = set(get_explainer(chosen.explainer).parameters_model.model_fields)
    elif hasattr(chosen, "recipe"):
        known = set(get_recipe(chosen.recipe).parameters_model.model_fields)
    elif chosen.command == "study":
        known = set(get_study(chosen.name).parameters_model.model_fields)
    elif chosen.command == "bench":
        assert chosen.name in bench_names()
    assert given <= known
    for path in re.findall(r"assets/\S+", command):
        assert (ROOT / path).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, link


def test_every_benchmark_stands_on_the_command_lines_page():
    text = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    names = re.search(r"\| `bench ([^`]+)`", text)[1].split(r"\|")
    assert sorted(names) == bench_names()
