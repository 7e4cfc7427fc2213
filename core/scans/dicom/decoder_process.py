"""Decodes compressed DICOM frames in a process of its own. Run as a script by `core.scans.dicom.decoder`.

Some decoders abort the whole process, or panic, on damaged pixels: here that takes down nothing else.
Argument: which of pydicom's decoders all frames need.
Standard input: for each frame a message whose fields are the image elements and whose body is the compressed frame.
Standard output: for each frame ``{"dtype", "shape"}`` and the samples, or ``{}`` for what cannot be decoded.
A message is a length (4 bytes), JSON of that length, a length (8 bytes), a body of that length.
"""

import json
import os
import resource
import struct
import sys
import warnings
from typing import Any, BinaryIO

import numpy as np

#: GDCM aborts on damage that the others report, so it decodes only what no other can.
_PLUGINS = {
    "1.2.840.10008.1.2.4.50": "pillow",
    "1.2.840.10008.1.2.4.51": "pillow",
    "1.2.840.10008.1.2.4.57": "gdcm",
    "1.2.840.10008.1.2.4.70": "gdcm",
    "1.2.840.10008.1.2.4.80": "gdcm",
    "1.2.840.10008.1.2.4.81": "gdcm",
}
_OTHERWISE = "pylibjpeg"
#: What pydicom imports at its start, and which decoders use it: without it a process starts in two thirds of the time.
_USED_BY = {"gdcm": ("gdcm",), "PIL": ("pillow",), "requests": ()}
#: Address space: an image of 100 million pixels fits, a code stream that lies about its size does not.
_MEMORY_BYTES = 4 * 2**30


def plugin_of(transfer_syntax: str) -> str:
    """Which of pydicom's decoders reads frames of this transfer syntax."""
    return _PLUGINS.get(transfer_syntax, _OTHERWISE)


def read_message(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read one message; EOFError when the stream ends."""
    fields = json.loads(_read(stream, struct.unpack("<L", _read(stream, 4))[0]))
    return fields, _read(stream, struct.unpack("<Q", _read(stream, 8))[0])


def write_message(stream: BinaryIO, fields: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Write one message."""
    head = json.dumps(fields).encode()
    stream.write(struct.pack("<L", len(head)) + head + struct.pack("<Q", len(body)))
    stream.write(body)
    stream.flush()


def _read(stream: BinaryIO, count: int) -> bytes:
    content = stream.read(count)
    if len(content) < count:
        raise EOFError
    return content


def decode(fields: dict[str, Any], frame: bytes) -> np.ndarray:
    """Decode one compressed frame to (rows, columns) or (rows, columns, samples); colours become RGB."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.pixels import pixel_array

    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = fields.pop("TransferSyntaxUID")
    for keyword, value in fields.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = encapsulate([frame], has_bot=False)
    dataset["PixelData"].VR = "OB"
    return pixel_array(dataset, index=0, decoding_plugin=plugin_of(dataset.file_meta.TransferSyntaxUID))


def main() -> None:
    """Answer messages until standard input ends; the first argument names the decoder that they need."""
    for module, users in _USED_BY.items():
        if sys.argv[1] not in users:
            sys.modules[module] = None  # type: ignore[assignment]  # so that importing it fails at once
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    inherited = resource.getrlimit(resource.RLIMIT_AS)[0]
    memory = _MEMORY_BYTES if inherited == resource.RLIM_INFINITY else min(_MEMORY_BYTES, inherited)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    warnings.simplefilter("ignore")
    requests = sys.stdin.buffer
    # decoders print: what they say must not get between the messages
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    while True:
        try:
            fields, frame = read_message(requests)
        except EOFError:
            return
        try:
            samples = np.ascontiguousarray(decode(fields, frame))
            write_message(answers, {"dtype": samples.dtype.str, "shape": samples.shape}, samples.data.cast("B"))
        except Exception:
            write_message(answers, {})


if __name__ == "__main__":
    main()
