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
        """The demo; a film, where there is one."""
        shipped = [scan for scan in demo.scans() if not catalogue.makes_images(scan)]
        plain = next((scan for scan in shipped if scan.explainer is None), None)
        film = next((scan for scan in shipped if scan.explainer is not None), None)
        found = [
            Start("open demo", "Open the demo", ":material/play_arrow:", partial(_begin, plain) if plain else None)
        ]
        if film is not None:
            words = "See which parts of a film a network used, filter by filter."
            found.append(Start("xray demo", "Explain an X-ray", ":material/radiology:", partial(_begin, film), words))
        return [*found, Start("open own", "Open a scan of your own", ":material/upload_file:", _as_it_is)]


def _as_it_is() -> None:
    """Nothing is laid out: the page says how to open a scan."""


def _begin(scan: demo.DemoScan) -> None:
    """Lay out a demo: its scan, its model, its explainer (unless it says, the first) with the first preset."""
    laid = explain_desk()
    laid.demo, laid.scan = scan.name, None
    laid.model, laid.target = scan.model, None
    laid.explainer = scan.explainer or catalogue.first_explainer()
    laid.settings.pop(laid.explainer or "", None)
    laid.revision += 1
