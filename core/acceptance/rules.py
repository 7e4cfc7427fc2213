"""Signs that need no statistics: what the files and the card say of themselves."""

import re
from collections.abc import Iterator

import numpy as np

from core.acceptance.space import Place
from core.acceptance.verdict import HEADER, SPACE, Sign
from core.models.card import Card, InputContract
from core.models.inputs import PreparedInput
from core.models.intensities import FULL_SCALE
from core.scans.scan import Scan
from core.wording import percent

#: DICOM's code of a modality → words by which cards name it.
_WORDS = {
    "CT": ("ct", "computed tomography"),
    "MR": ("mr", "mri", "t1", "t2", "flair", "magnetic resonance", "grey-matter", "gray-matter"),
    "PT": ("pet", "positron"),
    "NM": ("spect", "scintigraphy", "nuclear"),
    "US": ("ultrasound", "echography"),
    "MG": ("mammogram", "mammography"),
    "DX": ("x-ray", "xray", "radiograph", "radiography", "film"),
}
_WORDS["CR"] = _WORDS["DR"] = _WORDS["RG"] = _WORDS["DX"]
#: Units of values that mean the same on every machine.
_QUANTITIES = ("HU", "Bq/ml")
#: nifti1.h's code of the scanner's own space, and of those that a template has.
_SCANNER = 1
_TEMPLATES = {3: "Talairach space", 4: "MNI space", 5: "the space of a template"}
_HEADER_TITLE = "Space named by the header"
#: How many times as far apart as the model's samples those of a scan may be.
_COARSEST = 2.5
#: Share of the trained range by which values may leave it, and share of the samples that may leave it further.
_BESIDE, _MOST_OUTSIDE = 0.05, 0.01


def signs(card: Card, prepared: PreparedInput, place: Place | None) -> Iterator[Sign]:
    """What can be said of a scan without knowing a single training scan.

    Parameters
    ----------
    card : Card
        The model's.
    prepared : PreparedInput
        The scan as the network sees it.
    place : Place, optional
        How it lies in MNI space, of a model whose grid is fixed there.
    """
    scan, contract = prepared.scan, card.input
    yield _modality(scan, contract)
    yield _spacing(prepared, contract)
    if contract.intensity.rescale == "none" and scan.units not in FULL_SCALE:
        yield _range(prepared, contract)
    if place is not None:
        yield _space(place)
        yield from _header(scan, place)


def _modality(scan: Scan, contract: InputContract) -> Sign:
    units, wanted = scan.units or "", contract.intensity.units
    passed, sentence = True, "Nothing in the file says that it is another kind of image."
    if units in _QUANTITIES and wanted and wanted != units and contract.intensity.rescale == "none":
        passed, sentence = False, f"Its values are {units}, and the model reads {wanted}."
    kinds = {code for code, words in _WORDS.items() if _names(contract.modality or "", words)}
    if scan.modality in _WORDS and kinds and scan.modality not in kinds:
        passed = False
        sentence = f"The file says that it is of modality {scan.modality}; the model reads {contract.modality}."
    return Sign("modality", "Kind of image", passed, sentence)


def _names(text: str, words: tuple[str, ...]) -> bool:
    return any(re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text.lower()) for word in words)


def _spacing(prepared: PreparedInput, contract: InputContract) -> Sign:
    """Whether the scan has about as many samples as the model looks at."""
    times = _times_coarser(prepared, contract)
    passed = times <= _COARSEST
    sentence = (
        "Its samples are as close to each other as the model needs."
        if passed
        else f"Its samples are {times:.1f} times as far apart as those that the model reads."
    )
    return Sign("spacing", "Spacing", passed, sentence, times, _COARSEST)


def _times_coarser(prepared: PreparedInput, contract: InputContract) -> float:
    """How many steps of the model's grid one step of the scan takes, along the axis where it takes most."""
    scan, grid = prepared.scan, prepared.grid
    fixed = contract.affine is not None or contract.spacing_mm is not None or contract.shape is not None
    if not fixed or (scan.dimensions == 2 and contract.shape is None and not scan.in_millimetres):
        return 1.0
    keep = [*range(len(grid.shape)), 3]
    steps = np.abs((np.linalg.inv(grid.affine) @ scan.affine)[np.ix_(keep, keep)][:-1, :-1])
    if prepared.plane is not None:  # across the plane that was taken a scan may be as coarse as it likes
        steps = np.delete(steps, grid.shape.index(1), axis=0)
    return float(steps.max())


def _range(prepared: PreparedInput, contract: InputContract) -> Sign:
    intensity, values = contract.intensity, prepared.tensor
    beside = _BESIDE * (intensity.high - intensity.low)
    outside = float(((values < intensity.low - beside) | (values > intensity.high + beside)).float().mean())
    passed = outside <= _MOST_OUTSIDE
    unit = f" ({intensity.units})" if intensity.units else ""
    sentence = (
        "Its values lie in the range that the model was trained on."
        if passed
        else f"{percent(outside)} of its values lie outside of {intensity.low:g}…{intensity.high:g}{unit}, the range "
        "that the model was trained on."
    )
    return Sign("range", "Range of values", passed, sentence, outside, _MOST_OUTSIDE)


def _space(place: Place) -> Sign:
    if place.found:
        sentence = "It lies where the MNI152 template lies."
        return Sign(SPACE, "Place in MNI space", True, sentence, place.fit, place.elsewhere)
    if place.cover < 0.6:
        sentence = f"It covers {percent(place.cover)} of the brain in MNI space."
    else:
        sentence = "It does not lie where the MNI152 template lies: register it to MNI space first."
    return Sign(SPACE, "Place in MNI space", False, sentence, place.fit, place.elsewhere)


def _header(scan: Scan, place: Place) -> Iterator[Sign]:
    """What a NIfTI header calls the space of its scan: it tips the scales where the grey levels do not, no more.

    Only the form counts that the scan was read by. A header that names neither a template nor the scanner says
    nothing: maps in MNI space often have the code of "aligned to another file".
    """
    forms = scan.source.forms if scan.source is not None else None
    form = (forms.sform or forms.qform) if forms is not None else None
    if form is None or form.code not in (_SCANNER, *_TEMPLATES):
        return
    if form.code in _TEMPLATES:
        named = _TEMPLATES[form.code]
        agrees = f"Its header says that it lies in {named}, too."
        differs = f"Its header says that it lies in {named}: what the scan shows does not lie there."
        yield Sign(HEADER, _HEADER_TITLE, place.found, agrees if place.found else differs)
    elif place.clear:
        yield Sign(HEADER, _HEADER_TITLE, True, "Its header names the scanner's space; the scan lies in MNI space yet.")
    elif place.found:
        differs = "Its header names the scanner's space, and the template fits it as well beside its place as there."
        yield Sign(HEADER, _HEADER_TITLE, False, f"{differs} Register it to MNI space first.")
