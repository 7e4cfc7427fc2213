import pytest

from tests.core.studies.films import save_films, save_network


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A cohort of nine films and two networks."""
    folder = tmp_path_factory.mktemp("anatomy")
    save_films(folder / "cohort")
    for name in ("one", "two"):
        save_network(folder, name)
    return folder
