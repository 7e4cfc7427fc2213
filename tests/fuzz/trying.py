"""One damaged file and what came of it."""

import random
import resource
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from core.errors import LightboxError
from tests.fuzz.mutating import mutated
from tests.fuzz.targets import Target

MOST_SECONDS, MOST_MEGABYTES = 2.0, 300.0


@dataclass(frozen=True)
class Outcome:
    """What came of one case.

    Parameters
    ----------
    ending : str
        ``read``, ``refused``, or the traceback of what was neither.
    seconds : float
        Of processor time.
    megabytes : float
        By which the highest memory of this process grew.
    """

    ending: str
    seconds: float
    megabytes: float

    @property
    def fault(self) -> str | None:
        """What is wrong with it; None where nothing is."""
        if self.ending not in ("read", "refused"):
            return self.ending
        if self.seconds > MOST_SECONDS or self.megabytes > MOST_MEGABYTES:
            return f"{self.seconds:.1f} s and {self.megabytes:.0f} MB"
        return None


def case(target: Target, seed: int) -> bytes:
    """The damaged file number `seed`."""
    chance = random.Random(seed)
    return mutated(chance.choice(target.seeds), chance, chance.choice(target.seeds))


def attempt(target: Target, content: bytes) -> Outcome:
    """Read `content` and look at it."""
    with tempfile.TemporaryDirectory(prefix="lightbox-fuzz-") as folder:
        (Path(folder) / target.name).write_bytes(content)
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        try:
            target.read(Path(folder))
            ending = "read"
        except LightboxError as refusal:
            sentence = str(refusal)
            ending = "refused" if sentence.strip() and len(sentence) < 2000 else f"no sentence: {sentence[:500]!r}"
        except Exception:
            ending = traceback.format_exc()
        seconds = time.process_time() - start
        return Outcome(ending, seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
