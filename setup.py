"""What pyproject.toml cannot say: the pages of documentation are built into the package, for the app to serve."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithPages(build_py):
    """Builds the packages, and beside the dashboard the site that its help links lead to."""

    def run(self) -> None:
        """Start with an empty folder: what was removed from the sources since the last build does not come along."""
        if self.editable_mode:
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        # here, as an editable install does not need it
        from mkdocs.commands.build import build
        from mkdocs.config import load_config

        build(load_config("mkdocs.yml", strict=True, site_dir=str(Path(self.build_lib, "dashboard", "site").resolve())))


setup(cmdclass={"build_py": BuildWithPages})
