"""What a list shows of a run without opening it: what was asked of whom, and how that came out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """What a request names.

    Parameters
    ----------
    method : str
        Name of the explainer, the study or the recipe.
    model : str
        Name of the model, without the folders that it lies in.
    scan : str
        Content hash of the scan; empty where there is none, or more than a list can show.
    target : str
        Class; empty where the run chooses one itself.
    """

    method: str = ""
    model: str = ""
    scan: str = ""
    target: str = ""


@dataclass(frozen=True)
class Outcome:
    """How it came out.

    Parameters
    ----------
    verdict : str
        State of `core.explainers.extras.Verdict`, ``"refused"`` where the model cannot read the scan; empty where
        nothing is said.
    before, after : float, optional
        Probability of the class on the scan as it is, and on what the explanation made of it, 0..1.
    target : str
        The class; empty where there is none.
    """

    verdict: str = ""
    before: float | None = None
    after: float | None = None
    target: str = ""


#: Verdict of a run whose model was not made for its scan, whatever the checks of the map say.
REFUSED = "refused"
