"""How large an input may be, checked on what its header promises, before anything is allocated."""

from dataclasses import dataclass
from math import prod

from core.errors import BadInput
from core.settings import settings

MEGABYTE = 2**20

#: Most files that one folder, zip or upload may hold.
MAX_FILES = 20_000
#: Most frames of one DICOM series and most volumes or pages of one file.
MAX_FRAMES = 100_000
#: Most pixels of a two-dimensional image: above this a picture is a slide scan, or a trap.
MAX_IMAGE_PIXELS = 100_000_000
#: Most samples that a scan may be resampled to (a volume of 406³), unless it has nearly as many itself.
MAX_GRID_SAMPLES = 2**26
#: How many times its own samples a scan may be resampled to, however many these are.
GROWTH = 8
#: DEFLATE cannot shrink anything further than this.
DEFLATE_MAX_RATIO = 1032
#: Above `BOMB_BYTES`, data that shrank further than `BOMB_RATIO` is a bomb. Below, an empty mask may shrink that much.
BOMB_RATIO = 200
BOMB_BYTES = 128 * MEGABYTE

BOMB_MESSAGE = (
    "The file is tiny and unpacks to something enormous, as a decompression bomb does: "
    "export the scan again, or give it uncompressed."
)


@dataclass(frozen=True)
class Limits:
    """Largest input, in bytes.

    Parameters
    ----------
    file_bytes : int
        Largest file as it arrives (compressed, if it is).
    expanded_bytes : int
        Largest content after unpacking, and largest array as float32.
    """

    file_bytes: int
    expanded_bytes: int

    @classmethod
    def current(cls) -> "Limits":
        """The limits of the settings: ``upload_limit_mb``, and four times as much unpacked."""
        upload = settings().upload_limit_mb * MEGABYTE
        return cls(upload, 4 * upload)

    def check_file(self, size: int) -> None:
        """Refuse a file larger than the upload limit, or an empty one.

        Raises
        ------
        BadInput
        """
        if size == 0:
            raise BadInput("The file is empty (0 bytes): copy or download it again.")
        if size > self.file_bytes:
            raise BadInput(
                f"The file has {size / MEGABYTE:.0f} MB and the limit is {self.file_bytes / MEGABYTE:.0f} MB: "
                "crop or downsample it, or raise LIGHTBOX_UPLOAD_LIMIT_MB."
            )

    def check_expanded(self, size: int, compressed: int | None = None) -> None:
        """Refuse content of `size` bytes that is too large, or that no file of `compressed` bytes can hold.

        Raises
        ------
        BadInput
        """
        if size > self.expanded_bytes:
            raise BadInput(
                f"The header asks for {size / 1e9:.3g} GB and the limit is {self.expanded_bytes / 1e9:.3g} GB: "
                "check that the file is whole, crop or downsample it, or raise LIGHTBOX_UPLOAD_LIMIT_MB."
            )
        if compressed is None:
            return
        if size > compressed * DEFLATE_MAX_RATIO + MEGABYTE:
            raise BadInput(
                f"The header asks for {size / 1e6:.3g} MB and the file cannot hold that much: "
                "it was cut off or its header is wrong; copy or export it again."
            )
        if size > BOMB_BYTES and size > compressed * BOMB_RATIO:
            raise BadInput(BOMB_MESSAGE)

    def check_array(self, *shape: int) -> None:
        """Refuse an array of `shape` that is too large as float32, or has no samples.

        Raises
        ------
        BadInput
        """
        if any(n < 1 for n in shape):
            raise BadInput("The image has a size of zero along one axis: export it again.")
        self.check_expanded(4 * prod(shape))
