"""What the cards of the demo's models say beyond what their recipes write."""

from core.models.card import Card


def introduced(card: Card, title: str, description: str, command: str) -> Card:
    """The card with a title, a text and the command that makes the model."""
    training = card.training.model_copy(update={"command": command})
    return card.model_copy(update={"title": title, "description": description, "training": training})
