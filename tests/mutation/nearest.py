"""Which tests are nearest to a module."""

from pathlib import Path

#: They explain the shipped demo for half a minute; what only they see is not seen where it was written.
LEFT_OUT = {"tests/core/explainers/test_demo.py"}


def mirrored(root: Path, module: str) -> list[str]:
    """Name the test file that mirrors a module, if there is one."""
    path = Path(module)
    file = Path("tests") / path.parent / f"test_{path.stem}.py"
    return [str(file)] if (root / file).is_file() else []


def wider(root: Path, module: str) -> list[str]:
    """Name the other test files of the module's folder, then those that lie loose in the folders above it.

    Up to the tests of the package below ``core``. Neighbours of a folder are left out: explainers never import each
    other, and what others share lies above them.
    """
    folder = Path("tests") / Path(module).parent
    found = sorted((root / folder).rglob("test_*.py"))
    while len(folder.parts) > 3:
        folder = folder.parent
        found += sorted((root / folder).glob("test_*.py"))
    names = (str(path.relative_to(root)) for path in found)
    return [name for name in names if name not in LEFT_OUT and name not in mirrored(root, module)]
