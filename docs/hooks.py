"""What MkDocs asks while it builds the site: the order of the pages, and pictures that the app has already."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

#: Title of each section and the folders whose pages it has; of the second and further ones a section each below it.
SECTIONS = {
    "Tutorials": ["tutorials"],
    "How to": ["how-to"],
    "Reference": ["reference", "explainers", "studies", "recipes"],
    "Explanation": ["explanation"],
}
#: Pages that only a site at the root of an address can have.
LEFT_OUT = {"404.html"}
PICTURES = Path(__file__).resolve().parent.parent / "dashboard" / "static"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leave out what is of no use below the app's address."""
    config.theme.static_templates -= LEFT_OUT
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Give every page its place, in the order of the file names."""
    for name in ("logo.svg", "icon.png"):
        files.append(File.generated(config, f"images/{name}", abs_src_path=str(PICTURES / name)))
    pages = sorted(page.src_uri for page in files.documentation_pages())
    sections = [{title: _section(folders, pages)} for title, folders in SECTIONS.items()]
    config["nav"] = [{"Overview": "index.md"}, *sections]
    return files


def _section(folders: list[str], pages: list[str]) -> list[Any]:
    first, *further = ([page for page in pages if page.startswith(f"{folder}/")] for folder in folders)
    below = [{folder.capitalize(): found} for folder, found in zip(folders[1:], further, strict=True)]
    return [*first, *below]
