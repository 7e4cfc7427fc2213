"""Errors that carry one sentence a person can act on."""


class LightboxError(Exception):
    """Base of every error whose message is meant for the person at the screen.

    The message is one sentence: what is wrong and what to do about it. Command line and pages print it as it is,
    without a traceback.
    """


class BadInput(LightboxError):  # noqa: N818 - it says whose the error is
    """What the user gave cannot be used: a file, a parameter, a region, a model folder (exit code 2)."""


class Cancelled(Exception):  # noqa: N818 - not an error: the person asked for it
    """Raised inside long work, by the progress callback, when the person pressed Cancel."""
