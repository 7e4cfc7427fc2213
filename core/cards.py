"""Cards: YAML files that say what a folder is, read into a pydantic model."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from core.errors import BadInput

CardModel = TypeVar("CardModel", bound=BaseModel)


def read_yaml_card(path: Path, model: type[CardModel]) -> CardModel:
    """Read the YAML file `path`; an empty one says nothing and leaves every field at its default.

    Raises
    ------
    BadInput
        When it is not UTF-8, not YAML or does not fit `model`; names the file, its folder and the field.
    """
    where = f"{path.name} of {path.parent.name}"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return model.model_validate({} if content is None else content)
    except UnicodeDecodeError as error:
        raise BadInput(f"{where} is not text in UTF-8: save it as that.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole file"
        what = first["msg"].removeprefix("Value error, ")
        raise BadInput(f"{where}: {field}: {what}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # also days that no month has, lists in lists
        raise BadInput(f"{where} is not valid YAML: {str(error).splitlines()[0]}.") from error
