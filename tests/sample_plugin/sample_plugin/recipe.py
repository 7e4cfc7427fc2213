"""A recipe that draws its weights instead of learning them."""

from pathlib import Path

from core.models.card import Architecture, Card, InputContract, Intensity
from core.parameters import Parameters, parameter
from core.progress import Progress, Report, silent
from core.training import Recipe


class DrawnWeightsParameters(Parameters):
    """Settings of the recipe."""

    seed: int = parameter(0, "Seed of the weights.", minimum=0, maximum=1000)


class DrawnWeights(Recipe):
    """A model of the plug-in's own architecture."""

    name = "sample-drawn"
    title = "Drawn weights"
    summary = "A network of two numbers that nobody trained."
    parameters_model = DrawnWeightsParameters

    def train(
        self, parameters: DrawnWeightsParameters, cohort: Path | None, out: Path, report: Report = silent
    ) -> Card:
        """Draw, write."""
        import torch

        from core.models import save_model
        from core.models.zoo import build

        report(Progress(0.5, "drawing"))
        torch.manual_seed(parameters.seed)
        card = Card(
            name="sample-mean",
            title="Mean of the image",
            task="classification",
            synthetic=True,
            architecture=Architecture(name="sample-mean", arguments={"classes": 2}),
            input=InputContract(dimensions=2, shape=None, intensity=Intensity(low=0, high=255)),
            classes=("dark", "bright"),
            training=self.record(parameters, out, "nothing", cohort is not None),
        )
        save_model(out, card, build("sample-mean", {"classes": 2}))
        return card
