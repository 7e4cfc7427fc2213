"""Installed plug-in packages as a folder of files: what pip leaves behind, without pip."""

from collections.abc import Mapping, Sequence
from pathlib import Path


def write_package(
    site: Path,
    package: str,
    points: Mapping[str, str],
    files: Mapping[str, str],
    requires: Sequence[str] = (),
    metadata: str | None = None,
) -> None:
    """Lay a package into `site`, a folder that is then put on the path.

    Parameters
    ----------
    points : mapping of str to str
        Entry points of the group ``lightbox``.
    files : mapping of str to str
        Source by file name.
    """
    about = site / f"{package.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    told = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
    told += "".join(f"Requires-Dist: {line}\n" for line in requires)
    (about / "METADATA").write_text(told if metadata is None else metadata)
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (about / "entry_points.txt").write_text(f"[lightbox]\n{lines}")
    for name, source in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)


#: An explainer in as few lines as there can be; NAME and CLASS are replaced.
EXPLAINER = """
import numpy as np

from core.explainers.base import Explainer, Findings, MapArray


class CLASS(Explainer):
    name = "NAME"
    title = "Ones"
    summary = "The map is one everywhere."
    reference = "nobody 2020"

    def run(self, question, parameters):
        ones = np.ones(question.prepared.tensor.shape[2:], dtype=np.float32)
        return Findings({"map": MapArray(ones, self.title, "attribution")})
"""


def explainer(name: str, cls: str = "Ones") -> str:
    """Source of a module with one explainer."""
    return EXPLAINER.replace("NAME", name).replace("CLASS", cls)
