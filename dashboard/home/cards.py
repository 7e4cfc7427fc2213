"""The pictures on Home: what the demo scans, models and explainers give, as small files.

Run ``python -m dashboard.home.cards`` after the demo models were made anew; it computes all three and writes them.
"""

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from core.scans.scan import Scan
from core.settings import ASSETS
from dashboard.frame.pages import CARDS
from dashboard.intake import demo
from dashboard.look import pictures

if TYPE_CHECKING:
    from core.models import Model

#: Width and height of a card's picture, pixels: twice what a laptop shows of it.
SIZE: Final = (480, 300)


def brain() -> bytes:
    """The coronal slice in which most had to be hidden, before a model no longer says Alzheimer's disease."""
    scan = _scan("ad-moderate.nii.gz")
    found = _map(scan, _model("alzheimer-phantom"), "mask", target="AD")
    place = int(found.sum(axis=(0, 2)).argmax())
    # the right of the body on the left, the head up
    below, above = (image[::-1, place, ::-1].T for image in (scan.array[0], found))
    return _card(pictures.film_png(below, above))


def marker() -> bytes:
    """A film, and over it what a network takes for the body part: the letter of the side marker."""
    scan = _scan("film-hand-marker.png")
    return _card(pictures.film_png(scan.array[0], _map(scan, _model("anatomy-marker"), "deconvnet")))


def trace() -> bytes:
    """A T1 slice with a painted spot, and the T2 slice that a model makes of it with what the spot changes."""
    scan, model = _scan("t1-slice-1.png"), _model("t1-t2-phantom")
    spot = demo.painted(scan.shape)
    made = model.generate(model.prepare(scan))[0]
    found = _map(scan, model, "ibix", region=spot, direction="forward")
    return _card(pictures.film_png(scan.array[0], spot.astype(float)), pictures.film_png(made, found))


PICTURES: Final = {"brain": brain, "marker": marker, "trace": trace}


def _scan(file: str) -> Scan:
    from core.scans import load_scan

    return load_scan(ASSETS / "scans" / file)


def _model(name: str) -> "Model":
    from core.models import load_model

    return load_model(name)


def _map(scan: Scan, model: "Model", explainer: str, **asked: Any) -> np.ndarray:
    """Size of a map, in the shape of the scan."""
    from core.explainers import explain

    return np.abs(explain(scan, model, explainer, **asked).arrays["map"].values.astype(np.float64))


def _card(*films: bytes) -> bytes:
    """Pictures side by side on black, as large as a card shows them; WebP."""
    from PIL import Image

    ground = Image.new("RGB", SIZE)
    room = SIZE[0] // len(films)
    for place, film in enumerate(films):
        image = Image.open(io.BytesIO(film)).convert("RGB")
        scale = min(room / image.width, SIZE[1] / image.height)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
        ground.paste(image, (place * room + (room - image.width) // 2, (SIZE[1] - image.height) // 2))
    written = io.BytesIO()
    ground.save(written, format="WEBP", quality=82, method=6)
    return written.getvalue()


def main() -> None:
    """Compute and write them all."""
    for name, make in PICTURES.items():
        (CARDS / f"{name}.webp").write_bytes(make())


if __name__ == "__main__":
    main()
