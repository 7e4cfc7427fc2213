import ast

from core.settings import ROOT
from dashboard.desk import UNDO_DEPTH, Desk, Setting


def test_untouched_parameters_are_the_first_preset():
    assert Desk().setting("mask", "robust") == Setting("robust")


def test_changes_are_undone_one_by_one_and_show_their_explainer():
    desk = Desk(explainer="mask")
    desk.change("mask", desk.setting("mask", "robust"), "a", 1)
    desk.change("mask", desk.setting("mask", "robust"), "a", 2)
    desk.explainer = "saliency"
    desk.undo()
    assert desk.explainer == "mask"
    assert desk.settings["mask"].changes == {"a": 1}
    desk.undo()
    assert desk.setting("mask", "robust") == Setting("robust")
    assert not desk.can_undo


def test_a_preset_drops_the_changes_and_can_be_undone():
    desk = Desk(explainer="mask")
    desk.change("mask", desk.setting("mask", "robust"), "a", 1)
    desk.choose_preset("mask", "paper")
    assert desk.settings["mask"] == Setting("paper")
    desk.undo()
    assert desk.settings["mask"] == Setting("robust", {"a": 1})


def test_undo_with_nothing_to_undo_changes_nothing():
    desk = Desk()
    desk.undo()
    assert desk == Desk()


def test_the_memory_of_changes_is_bounded():
    desk = Desk()
    for value in range(3 * UNDO_DEPTH):
        desk.change("mask", desk.setting("mask", "robust"), "a", value)
    assert len(desk._undo) == UNDO_DEPTH


def test_each_choice_remembers_its_own_run():
    desk = Desk(scan="s", model="m", explainer="mask", target="AD")
    desk.run = "first"
    desk.explainer = "saliency"
    assert desk.run is None
    desk.run = "second"
    desk.explainer = "mask"
    assert desk.run == "first"
    desk.forget("first")
    assert desk.run is None


def test_a_stored_run_is_laid_out_as_it_was():
    desk = Desk(explainer="saliency")
    request = {"scan": "s", "model": "m", "explainer": "mask", "parameters": {"a": 1}}
    desk.lay_out("run", request, "AD", "robust")
    assert (desk.scan, desk.model, desk.explainer, desk.target, desk.run) == ("s", "m", "mask", "AD", "run")
    assert desk.settings["mask"] == Setting("robust", {"a": 1})


def test_no_page_goes_round_its_owners_shelf():
    """The rows of all owners, and the store itself, are for workers, the manager and the janitor."""
    found = []
    for folder in ("dashboard", "pages", "core/command_line"):
        for file in (ROOT / folder).rglob("*.py"):
            if file.is_relative_to(ROOT / "dashboard" / "bench"):
                continue  # measures from outside, and is no page
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                outside = isinstance(node, ast.Attribute) and (node.attr == "ledger" or _is_store(node))
                found += [f"{file.relative_to(ROOT)}:{node.lineno}"] if outside else []
    assert found == []


def _is_store(node):
    """Whether this is ``manager().store``."""
    called = node.value.func if isinstance(node.value, ast.Call) else None
    return node.attr == "store" and getattr(called, "id", "") == "manager"
