"""Small pieces of HTML, and the one place that puts HTML on a page.

Every piece is `markupsafe.Markup`, made by the format of a template: whatever goes into it is escaped, and nobody has
to think of it. A plain string is words; `show` refuses it.
"""

import base64
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import streamlit as st
from markupsafe import Markup

from core.wording import percent

__all__ = ["Markup"]

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-!~$:|^&])")
_RESEARCH = "Lightbox is a research tool, not a medical device."


def show(
    markup: Markup,
    *,
    place: st.delta_generator.DeltaGenerator | None = None,
    width: Literal["stretch", "content"] | int = "stretch",
) -> None:
    """Put HTML on the page, in `place` or where the script stands.

    Parameters
    ----------
    markup : markupsafe.Markup
        From this module, or a template's format.
    place : DeltaGenerator, optional
        Where it goes.
    width : "stretch", "content" or int
        Of the element.

    Raises
    ------
    TypeError
        When it is a plain string: nothing in it was escaped.
    """
    if not isinstance(markup, Markup):
        raise TypeError(f"only markup goes on a page as HTML, and this is {type(markup).__name__}")
    if markup:  # Streamlit refuses an element of nothing
        (st if place is None else place).html(str(markup), width=width)


def show_style(path: Path) -> None:
    """Add a style sheet of ours to the page."""
    st.html(path)


def joined(pieces: Iterable[Markup | str]) -> Markup:
    """Pieces one after the other."""
    return Markup().join(pieces)


def as_markdown(words: str) -> str:
    """Words from outside for a heading, a label or a help of Streamlit's: nothing in them is read as Markdown."""
    return _MARKDOWN.sub(r"\\\1", words)


def tag(words: str, kind: str = "") -> Markup:
    """A word or two in a thin frame; `kind` is ``synthetic`` or ``warning`` or nothing."""
    return Markup("<span class='tag {}'>{}</span>").format(kind, words)


def bold(words: str) -> Markup:
    """What a line is about."""
    return Markup("<b>{}</b>").format(words)


def title(words: str) -> Markup:
    """The same where the line is a title."""
    return Markup("<b class='title'>{}</b>").format(words)


def heading(words: str) -> Markup:
    """Over a part of the page; words from outside must not be read as markdown."""
    return Markup("<h2 class='heading'>{}</h2>").format(words)


def beside(words: str) -> Markup:
    """What follows it in the line, after a dot."""
    return Markup("<span>· {}</span>").format(words)


def facts(parts: Iterable[Markup | str]) -> Markup:
    """A line of pieces."""
    return Markup("<div class='facts'>{}</div>").format(joined(parts))


def empty(heading: str, sentence: str) -> Markup:
    """The frame shown where images would be."""
    return Markup("<div class='empty'><b>{}</b><span>{}</span></div>").format(heading, sentence)


def numbers(rows: Iterable[tuple[str, str]], heading: str = "") -> Markup:
    """A quiet two-column table."""
    body = joined(Markup("<tr><td>{}</td><td>{}</td></tr>").format(name, value) for name, value in rows)
    top = Markup("<tr><th colspan='2'>{}</th></tr>").format(heading) if heading else ""
    return Markup("<table class='numbers'>{}{}</table>").format(top, body)


def paragraphs(words: str) -> Markup:
    """Words from outside at full size: nothing in them is read as Markdown, and a blank line parts paragraphs."""
    return joined(Markup("<p>{}</p>").format(piece) for piece in re.split(r"\n\s*\n", words.strip()))


def quiet(sentence: str) -> Markup:
    """A sentence in small grey."""
    return Markup("<div class='quiet-line'>{}</div>").format(sentence)


def quiet_word(words: str) -> Markup:
    """A few words in small grey, in a row of other things."""
    return Markup("<span class='quiet-line'>{}</span>").format(words)


def quiet_lines(sentences: Iterable[str]) -> Markup:
    """Sentences in small grey, one below the other."""
    return joined(quiet(sentence) for sentence in sentences)


def answer(figure: Markup | str, sentence: str, quiet: bool = False) -> Markup:
    """The line above the images: a large figure (or nothing), and a sentence beside it."""
    large = Markup("<div class='figure'>{}</div>").format(figure) if figure else ""
    kind = "sentence quiet" if quiet else "sentence"
    return Markup("<div class='answer'>{}<div class='{}'>{}</div></div>").format(large, kind, sentence)


def banner(heading: str, sentences: Iterable[str]) -> Markup:
    """Across the page, above a number that is not to be believed."""
    body = joined(Markup("<span>{}</span> ").format(sentence) for sentence in sentences)
    return Markup("<div class='banner' role='alert'><i aria-hidden='true'>!</i><div><b>{}</b>{}</div></div>").format(
        heading, body
    )


def struck(figure: Markup) -> Markup:
    """A number that is not to be believed."""
    return Markup("<s>{}</s>").format(figure)


def nothing_loaded(sentence: str) -> Markup:
    """The frame where images would be, before a scan was chosen; `sentence` says what to do."""
    return empty("Nothing on the lightbox yet", sentence)


def disclaimer() -> Markup:
    """What stands at the foot of every page."""
    return quiet(_RESEARCH)


def unseen_title(words: str) -> Markup:
    """The name of a page for those who hear it; who sees it has it in the navigation."""
    return Markup("<h1 class='unseen'>{}</h1>").format(words)


def unseen_words(words: str) -> Markup:
    """Words for those who hear a page."""
    return Markup("<span class='unseen'>{}</span>").format(words)


def picture(content: bytes, words: str, size: tuple[int, int]) -> Markup:
    """A small PNG, WebP or SVG in the middle of other markup.

    Parameters
    ----------
    content : bytes
        The file, a few kilobytes: it travels with the page.
    words : str
        What is to be seen, for those who hear it; empty where the words beside it say so.
    size : tuple of int
        Width and height in pixels, so that its place is there before it.
    """
    kind = "png" if content[:4] == b"\x89PNG" else "webp" if content[:4] == b"RIFF" else "svg+xml"
    address = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    template = Markup("<img src='{}' alt='{}' width='{}' height='{}'>")
    return template.format(address, words, *size)


def probability(value: float) -> str:
    """As everywhere, in percent, and never a certainty that no model has: 0.99998 is ``>99.9%``, not 100 %."""
    return percent(value)


def duration(seconds: float) -> str:
    """Seconds in words: ``8 s``, ``2 min 05 s``, ``1 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
