"""Decoding compressed DICOM frames where a crash of the decoder harms nobody."""

import subprocess
import sys
from math import prod
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from core.errors import BadInput
from core.scans.budget import current_budget
from core.scans.dicom.decoder_process import plugin_of, read_message, write_message

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

BAD_PIXELS = "The compressed pixels of the DICOM file are damaged: export it again, uncompressed if you can."
_SECONDS_PER_FRAME = 60.0
_IMAGE_ELEMENTS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
)


class Decoder:
    """A decoding process, started when the first compressed frame comes and ended with the ``with`` block.

    Frames that need another of pydicom's decoders get another process.
    """

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes.values():
            process.kill()
            process.communicate()

    def decode(self, frame: bytes, dataset: "Dataset") -> np.ndarray:
        """Decode one compressed frame.

        Parameters
        ----------
        frame : bytes
            Its code stream.
        dataset : Dataset
            For the image elements and the transfer syntax.

        Returns
        -------
        numpy.ndarray
            (rows, columns) or (rows, columns, samples), colours as RGB.

        Raises
        ------
        BadInput
            When it cannot be decoded, takes longer than a minute, or makes the decoder crash.
        """
        fields = {name: dataset.get(name) for name in _IMAGE_ELEMENTS if dataset.get(name) is not None}
        fields["TransferSyntaxUID"] = str(dataset.file_meta.TransferSyntaxUID)
        process = self._running(plugin_of(fields["TransferSyntaxUID"]))
        budget = current_budget()
        timer = Timer(
            _SECONDS_PER_FRAME if budget is None else min(_SECONDS_PER_FRAME, budget.seconds_left), process.kill
        )
        timer.start()
        try:
            write_message(cast(BinaryIO, process.stdin), fields, frame)
            answer, samples = read_message(cast(BinaryIO, process.stdout))
        except (EOFError, OSError, ValueError):
            raise BadInput(BAD_PIXELS) from None
        finally:
            timer.cancel()
        shape = tuple(answer.get("shape", ()))
        if shape[:2] != (dataset.Rows, dataset.Columns):
            raise BadInput(BAD_PIXELS)
        dtype = np.dtype(answer["dtype"])
        if dtype.kind not in "iuf" or len(samples) != prod(shape) * dtype.itemsize:
            raise BadInput(BAD_PIXELS)
        return np.frombuffer(samples, dtype).reshape(shape)

    def _running(self, plugin: str) -> "subprocess.Popen[bytes]":
        if plugin not in self._processes:
            script = Path(__file__).with_name("decoder_process.py")
            # isolated: neither the folder it runs in nor the environment may add modules
            self._processes[plugin] = subprocess.Popen(  # noqa: S603 - our own script and words, none from outside
                [sys.executable, "-I", str(script), plugin],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._processes[plugin]
