"""What the app needs to know of the Trace page."""

from collections.abc import Mapping, Sequence
from functools import partial

from core.models.card import Card
from core.runs import ExplanationSpec, Run
from dashboard.desk import shelf
from dashboard.frame.pages import PAINTED, Page, Start
from dashboard.intake import catalogue, demo
from dashboard.trace import page
from dashboard.trace.desk import TraceDesk, trace_desk


class TracePage(Page):
    """Paint on one side of a model, see the other."""

    name = "trace"
    title = "Trace"
    order = 20
    help = "how-to/trace-an-image"

    def show(self) -> None:
        """Draw it."""
        page.show(self)

    def desk(self) -> TraceDesk:
        """What is laid out on it."""
        return trace_desk()

    def opens(self, run: Run) -> bool:
        """Maps of a painted region."""
        return run.kind == ExplanationSpec.kind and catalogue.is_of_region(run)

    def open(self, run: Run, place: Mapping[str, str]) -> None:
        """Scan, model, selection, parameters and result."""
        trace_desk().adopt(run)

    def verb(self, card: Card) -> str:
        """Models that make images are traced."""
        return "Trace" if card.task == "regression" else ""

    def begin_with(self, card: Card) -> None:
        """The model, with the scan that is there."""
        trace_desk().take_model(card.name)

    def starts(self) -> Sequence[Start]:
        """A slice and the model that makes another image of it."""
        scan = next((scan for scan in demo.scans() if catalogue.makes_images(scan)), None)
        if scan is None:
            return ()
        words = "A model makes a T2 slice of a T1 slice. Paint on either, and see what depends on what in the other."
        return (
            Start(
                "trace demo", "Trace the demo", ":material/brush:", partial(_begin, scan), words,
                "What depends on what?", "trace",
            ),
            Start(PAINTED, "Trace a painted spot", ":material/brush:", partial(_begin_painted, scan), on_home=False),
        )  # fmt: skip


def _begin(scan: demo.DemoScan) -> None:
    laid = trace_desk()
    laid.clear()
    laid.demo, laid.scan, laid.model = scan.name, None, scan.model
    laid.revision += 1


def _begin_painted(scan: demo.DemoScan) -> None:
    """The same with a spot on the input that somebody may have painted."""
    _begin(scan)
    laid = trace_desk()
    laid.demo, laid.scan = None, demo.opened(scan)
    laid.select(demo.painted(shelf().scan(laid.scan).shape), "input")
    laid.handed += 1
