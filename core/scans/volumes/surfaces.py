"""Telling values on a surface from images: both come as NIfTI and MGH files."""

from collections.abc import Sequence

from core.errors import BadInput

NO_IMAGE = (
    "The file holds a list of numbers (one for each point of a surface, perhaps) and not an image: "
    "give the volume that they were taken from."
)
_CIFTI = "This is a CIFTI file (values on a surface, not an image): give a NIfTI volume."
_MESH = "The file holds the points of a surface mesh and not an image: give the volume that the surface was made from."

#: nifti1.h: points, triangles and numbers of the points of a mesh
_MESH_INTENTS = frozenset({1008, 1009, 2002})
_CIFTI_INTENTS = range(3000, 3100)
#: A line of samples is as long as the smallest mesh, an icosahedron.
_SHORTEST_LIST = 12
#: Where FreeSurfer folds a list that is too long for NIfTI-1, one axis is of length 1 and another of about 6.
_NARROW = 16
_LONG = 1000
_FOLD = 6
#: Points of an icosahedron each of whose triangles was divided into four, again and again.
_ICOSAHEDRA = frozenset(10 * 4**order + 2 for order in range(2, 8))


def refuse_surface_intent(intent: int) -> None:
    """Refuse a NIfTI file whose ``intent_code`` says that it lies on a surface.

    Raises
    ------
    BadInput
    """
    if intent in _CIFTI_INTENTS:
        raise BadInput(_CIFTI)
    if intent in _MESH_INTENTS:
        raise BadInput(_MESH)


def refuse_surface_shape(sizes: Sequence[int]) -> None:
    """Refuse a shape that no image has: one list of numbers, or several behind each other.

    Parameters
    ----------
    sizes : sequence of int
        Length of every axis as the header gives it. FreeSurfer writes -1 for a list that is too long for NIfTI-1.

    Raises
    ------
    BadInput
    """
    if sizes[0] == -1:
        raise BadInput(NO_IMAGE)
    if len(sizes) > 4 and set(sizes[:4]) == {1}:
        raise BadInput(_CIFTI)
    shortest, middle, longest = sorted([*sizes, 1, 1][:3])
    line = middle == 1 and longest >= _SHORTEST_LIST
    ribbon = shortest == 1 and middle <= _NARROW and longest >= _LONG
    folded = tuple(sizes[1:3]) == (1, _FOLD) and sizes[0] * _FOLD in _ICOSAHEDRA
    if shortest >= 1 and (line or ribbon or folded):
        raise BadInput(NO_IMAGE)
