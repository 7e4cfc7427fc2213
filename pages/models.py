"""Models: the cards of the library."""

from dashboard import models

models.show()
