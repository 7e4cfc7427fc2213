import pytest
import torch

from core.explainers import Question
from tests.core.explainers.toys import Toy, toy


@pytest.fixture(scope="session", params=[2, 3], ids=["2D", "3D"])
def trained(request: pytest.FixtureRequest) -> Toy:
    """A small network trained on toy scans with a planted deficit, in 2D and in 3D."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return toy(request.param)
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def question(trained: Toy) -> Question:
    """Why the trained network calls an unseen scan diseased."""
    return Question(trained.model, trained.model.prepare(trained.scan(400)), 1)
