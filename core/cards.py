"""Cards: YAML files that say what a folder is, read into a pydantic model."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from core.errors import BadInput

CardModel = TypeVar("CardModel", bound=BaseModel)

#: What a card may hold: bytes of its file, levels and values in it, characters once every alias is written out.
_BYTES, _LEVELS, _VALUES, _CHARACTERS = 2**20, 50, 50_000, 2**22
#: Longest sentence about a card: names of fields are whatever somebody wrote.
_SENTENCE = 400
#: libyaml, where PyYAML brings it: ten times as quick
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml_card(path: Path, model: type[CardModel]) -> CardModel:
    """Read the YAML file `path`; an empty one says nothing and leaves every field at its default.

    Raises
    ------
    BadInput
        When it is no file, not UTF-8, not YAML, larger than a card can be (also by aliases that repeat each other), or
        does not fit `model`; names the file, its folder and the field.
    """
    where = f"{path.name} of {path.parent.name}"
    try:
        if path.exists() and not path.is_file():
            raise BadInput(f"{where} is no file but a pipe, a device or a folder: put a text file in its place.")
        with path.open("rb") as file:
            content = file.read(_BYTES + 1)
        if len(content) > _BYTES:
            raise BadInput(f"{where} is larger than the {_BYTES >> 20} MB of a card: leave out what is no description.")
        words = content.decode("utf-8")
        if reason := _why_too_much(words):
            raise BadInput(f"{where} {reason}.")
        found = yaml.load(words, Loader=_LOADER)  # noqa: S506 - a safe loader, which makes plain values alone
        return model.model_validate({} if found is None else found)
    except UnicodeDecodeError as error:
        raise BadInput(f"{where} is not text in UTF-8: save it as that.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        what = first["msg"].removeprefix("Value error, ")
        raise BadInput(_one_sentence(f"{where}: {field}: {what}")) from error
    except OSError as error:
        raise BadInput(f"{where} cannot be read ({error.strerror or type(error).__name__}).") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # also days that no month has, lists in lists
        raise BadInput(_one_sentence(f"{where} is not valid YAML: {str(error).splitlines()[0]}")) from error


def _why_too_much(words: str) -> str | None:
    """Why YAML is more than a card, as the end of a sentence, found before anything of it is made; None when it is not.

    An alias counts as all that it stands for: ten of them that repeat each other are ten thousand million values.
    """
    sizes: dict[str, int] = {}
    open_anchors: list[str | None] = []
    inside, values = [0], 0
    for event in yaml.parse(words, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in open_anchors:
                return f"holds itself: the alias *{event.anchor} stands inside what it names"
            inside[-1] += sizes.get(str(event.anchor), 1)
        elif isinstance(event, yaml.ScalarEvent):
            inside[-1] += 1 + len(event.value)
            if event.anchor is not None:
                sizes[event.anchor] = 1 + len(event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_anchors.append(event.anchor)
            inside.append(1)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_anchors.pop(), inside.pop()
            inside[-1] += size
            if anchor is not None:
                sizes[anchor] = size
        values += isinstance(event, yaml.NodeEvent)
        if len(inside) > _LEVELS:
            return f"is not valid YAML for a card: it has more than {_LEVELS} levels"
        if values > _VALUES or inside[-1] > _CHARACTERS:
            return "holds more than a card can, its aliases written out: leave out what is no description"
    return None


def _one_sentence(words: str) -> str:
    """Words on one line, no longer than somebody reads, with a full stop."""
    line = " ".join(words.split())
    return f"{line if len(line) <= _SENTENCE else line[: _SENTENCE - 1] + '…'}."
