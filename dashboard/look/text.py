"""Small pieces of HTML for `st.html`. Everything that comes from outside is escaped here."""

import html
from collections.abc import Iterable


def escape(words: str) -> str:
    """Words from outside, safe inside HTML."""
    return html.escape(words)


def tag(text: str, kind: str = "") -> str:
    """A word or two in a thin frame; `kind` is ``synthetic`` or ``warning`` or nothing."""
    return f"<span class='tag {kind}'>{html.escape(text)}</span>"


def facts(parts: Iterable[str]) -> str:
    """A line of ready-made pieces."""
    return f"<div class='facts'>{''.join(parts)}</div>"


def empty(title: str, sentence: str) -> str:
    """The frame shown where images would be."""
    return f"<div class='empty'><b>{html.escape(title)}</b><span>{html.escape(sentence)}</span></div>"


def numbers(rows: Iterable[tuple[str, str]], heading: str = "") -> str:
    """A quiet two-column table."""
    body = "".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(value)}</td></tr>" for name, value in rows)
    top = f"<tr><th colspan='2'>{html.escape(heading)}</th></tr>" if heading else ""
    return f"<table class='numbers'>{top}{body}</table>"


def quiet(sentence: str) -> str:
    """A sentence in small grey."""
    return f"<div class='quiet-line'>{html.escape(sentence)}</div>"


def probability(value: float) -> str:
    """Three decimals, and never a certainty that no model has: 0.99998 is ``>0.999``, not 1.000."""
    return ">0.999" if value > 0.9995 else "<0.001" if value < 0.0005 else f"{value:.3f}"


def duration(seconds: float) -> str:
    """Seconds in words: ``8 s``, ``2 min 05 s``, ``1 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
