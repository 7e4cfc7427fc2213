"""What was chosen on the left of a page."""

from dataclasses import dataclass

from core.models.card import Card
from dashboard.desk import Setting
from dashboard.intake.catalogue import ExplainerEntry


@dataclass(frozen=True)
class Order:
    """Everything that is chosen; pages add what they ask for besides.

    Parameters
    ----------
    shape : tuple of int, optional
        Of the scan, channels first; None while there is none.
    cards : tuple of Card
        Models that are asked, the first of them first.
    entry : ExplainerEntry, optional
        What explains them.
    setting : Setting, optional
        Its parameters.
    refusal : str, optional
        Why it cannot be asked as it stands, and what to do.
    """

    shape: tuple[int, ...] | None = None
    cards: tuple[Card, ...] = ()
    entry: ExplainerEntry | None = None
    setting: Setting | None = None
    refusal: str | None = None

    @property
    def card(self) -> Card | None:
        """The model, on a page that asks one."""
        return self.cards[0] if self.cards else None

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return bool(self.cards) and self.entry is not None and self.refusal is None
