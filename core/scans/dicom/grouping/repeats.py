"""Files that are there twice, told from different files that an anonymiser gave one UID."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from core.scans.dicom.image import DicomImage
from core.scans.dicom.values import short_hash


def without_repeats(images: Iterable[DicomImage]) -> tuple[list[DicomImage], Counter[str]]:
    """Each image once, in an order that depends on the images alone.

    Two files are the same image when everything that is read of the header agrees (a copy may have been given a UID of
    its own), and so do the pixels as stored. Of copies of one UID in several encodings one that can be read is kept.

    Returns
    -------
    kept : list of DicomImage
        Sorted; `identity` and `instance` differ from image to image.
    repeated : Counter of str
        Series → number of files that were left out.
    """
    alike: dict[str, list[DicomImage]] = defaultdict(list)
    for image in images:
        alike[image.content].append(image)
    kept: list[DicomImage] = []
    repeated: Counter[str] = Counter()
    instances: set[str] = set()
    for content in sorted(alike):
        different = _different(alike[content])
        repeated[different[0].series] += len(alike[content]) - len(different)
        for image in different:
            if image.instance in instances:
                image.instance = short_hash(image.instance + image.identity)
            instances.add(image.instance)
        kept.extend(different)
    return kept, repeated


def _different(images: list[DicomImage]) -> list[DicomImage]:
    """Of images whose headers say the same, those whose pixels are not."""
    if len(images) == 1:
        return images
    alike: dict[str, list[DicomImage]] = defaultdict(list)
    for image in images:
        alike[image.identity].append(image)
    by_pixels: dict[str, DicomImage] = {}
    for identity in sorted(alike):
        for digest, image in _encodings(alike[identity]).items():
            by_pixels.setdefault(digest, image)
    return [by_pixels[digest] for digest in sorted(by_pixels)]


def _encodings(images: list[DicomImage]) -> dict[str, DicomImage]:
    """Of images of one UID, those in one encoding that can be read, by their pixels."""
    readable = [image for image in images if image.problem is None] or images
    syntax = min(str(image.transfer_syntax) for image in readable)
    by_pixels = {image.digest(): image for image in readable if str(image.transfer_syntax) == syntax}
    if len(by_pixels) > 1:
        for digest, image in by_pixels.items():
            image.identity = short_hash(image.identity + digest)
    return by_pixels
