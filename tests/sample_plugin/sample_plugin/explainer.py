"""Brightness: a map that looks at the scan alone."""

from typing import ClassVar

import numpy as np

from core.explainers.base import Explainer, Findings, MapArray, Question
from core.parameters import Parameters, parameter


class BrightnessParameters(Parameters):
    """Parameters of brightness."""

    power: float = parameter(
        1.0, "Power of the brightness: more keeps the peaks.", minimum=0.5, maximum=4, group="What to show"
    )


class Brightness(Explainer):
    """The scan as the model sees it, without asking the model."""

    name = "sample-brightness"
    title = "Brightness"
    summary = "The map shows how bright the scan is."
    reference = "nobody 2020"
    parameters_model = BrightnessParameters
    presets: ClassVar = {"plain": {}, "peaks": {"power": 3.0}}
    color = "teal"

    def run(self, question: Question, parameters: BrightnessParameters) -> Findings:
        """Take the scan to a power."""
        values = question.prepared.tensor[0].abs().mean(dim=0).cpu().numpy() ** parameters.power
        return Findings({"map": MapArray(values.astype(np.float32), self.title, "attribution")})
