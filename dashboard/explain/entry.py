"""What the app needs to know of the Explain page."""

from collections.abc import Mapping, Sequence
from functools import partial

from core.models.card import Card
from core.runs import ExplanationSpec, Run
from dashboard.desk import shelf
from dashboard.explain import page
from dashboard.explain.desk import ExplainDesk, explain_desk
from dashboard.frame.pages import Page, Start
from dashboard.intake import catalogue, demo
from dashboard.intake.request import lay_out

#: The demo model that was trained on films whose side markers give the answer away.
MARKER = "anatomy-marker"


class ExplainPage(Page):
    """One scan, one model, one explainer."""

    name = "explain"
    title = "Explain"
    order = 10
    help = "how-to/explain-a-scan"

    def show(self) -> None:
        """Draw it."""
        page.show(self)

    def desk(self) -> ExplainDesk:
        """What is laid out on it."""
        return explain_desk()

    def opens(self, run: Run) -> bool:
        """Explanations; of those that a region steered, the ones whose region is a landmark of the scan."""
        if run.kind != ExplanationSpec.kind or not catalogue.is_of_region(run):
            return run.kind == ExplanationSpec.kind
        landmarks = {landmark.region for landmark in shelf().landmarks(run.request["scan"])}
        return run.request["region"] in landmarks and not run.request.get("others")

    def open(self, run: Run, place: Mapping[str, str]) -> None:
        """Scan, model, explainer, parameters and result."""
        lay_out(explain_desk(), run)

    def verb(self, card: Card) -> str:
        """Classifiers are explained."""
        return "Explain" if card.task == "classification" else ""

    def begin_with(self, card: Card) -> None:
        """The model, with the scan that is there."""
        explain_desk().take_model(card.name)

    def starts(self) -> Sequence[Start]:
        """The demo; a film that shows what a network must not look at, and another, where there are some."""
        shipped = [scan for scan in demo.scans() if not catalogue.makes_images(scan)]
        plain = next((scan for scan in shipped if scan.explainer is None), None)
        films = [scan for scan in shipped if scan.explainer is not None]
        marker = next((scan for scan in films if scan.model == MARKER), None)
        begin = partial(_begin, plain, ask=True) if plain is not None else None
        brain = Start(
            "open demo", "Explain the demo", ":material/play_arrow:", begin,
            "A network says Alzheimer's disease. How little has to be hidden before it changes its mind, and where?",
            "What does it rest on?", "brain",
        )  # fmt: skip
        found = [brain]
        if marker is not None:
            words = "It names body parts, and calls this hand a pelvis. The map lies on the letter R beside it."
            title, icon = "Does it look at the right thing?", ":material/radiology:"
            begin = partial(_begin, marker, ask=True)
            found.append(Start("marker demo", "Explain the marker", icon, begin, words, title, "marker"))
        if films:
            words = "See which parts of a film a network used, filter by filter."
            found.append(
                Start("xray demo", "Explain an X-ray", ":material/radiology:", partial(_begin, films[0]), words)
            )
        return found


def _begin(scan: demo.DemoScan, ask: bool = False) -> None:
    """Lay out a demo: its scan, its model, its explainer (unless it says, the first) with the first preset."""
    laid = explain_desk()
    laid.demo, laid.scan, laid.begin = scan.name, None, ask
    laid.model, laid.target = scan.model, None
    laid.explainer = scan.explainer or catalogue.first_explainer()
    laid.settings.pop(laid.explainer or "", None)
    laid.revision += 1
