"""What somebody pressed is done, whatever the browser asks for at the same moment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.settings import ROOT

_CALLBACKS = {"on_click", "on_change", "on_select"}


def _page(guarded: bool) -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

    from dashboard.callbacks import whole

    def also_asked() -> None:
        """The browser asks for something else, just as the press is about to be heard."""
        context = get_script_run_ctx()
        context.script_requests.request_rerun(RerunData(page_script_hash=context.page_script_hash))

    def pressed() -> None:
        st.session_state["presses"] = st.session_state.get("presses", 0) + 1

    def heard() -> None:
        also_asked()
        (whole(pressed) if guarded else pressed)()

    st.button("Press", on_click=heard)
    st.text(f"pressed {st.session_state.get('presses', 0)} times")


@pytest.mark.parametrize(("guarded", "counted"), [(True, 1), (False, 0)])
def test_a_press_counts_once_although_another_request_waits(guarded: bool, counted: int) -> None:
    """Without the guard Streamlit loses it: when that is mended there, the guard can go."""
    page = AppTest.from_function(_page, args=(guarded,)).run()
    page.button[0].click().run()
    assert not page.exception
    assert page.text[0].value == f"pressed {counted} times"


def test_arguments_reach_the_callback_and_its_own_wish_to_draw_again_is_kept() -> None:
    def page() -> None:
        import streamlit as st

        from dashboard.callbacks import whole

        def pressed(name: str, *, times: int) -> None:
            st.session_state["said"] = name * times
            st.rerun()

        st.button("Press", on_click=whole(pressed), args=("a",), kwargs={"times": 3})
        st.text(st.session_state.get("said", "nothing"))

    shown = AppTest.from_function(page).run()
    shown.button[0].click().run()
    assert shown.text[0].value == "aaa"


def _unguarded(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        pairs: list[tuple[str, ast.expr]] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _of_streamlit(node.func):
            pairs = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
        elif isinstance(node, ast.Dict):
            pairs = [
                (str(key.value), value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            ]
        for name, value in pairs:
            if name in _CALLBACKS and not _guarded(value):
                yield f"{path.relative_to(ROOT)}:{value.lineno}"


def _of_streamlit(function: ast.Attribute) -> bool:
    return isinstance(function.value, ast.Name) and function.value.id == "st"


def _guarded(value: ast.expr) -> bool:
    if isinstance(value, ast.IfExp):
        return _guarded(value.body) and _guarded(value.orelse)
    if isinstance(value, ast.Constant):
        return True
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "whole"


def test_every_callback_of_the_dashboard_is_done_as_a_whole() -> None:
    found = [place for path in sorted((ROOT / "dashboard").rglob("*.py")) for place in _unguarded(path)]
    assert [place for place in found if not place.startswith("dashboard/bench/")] == []
