"""One decoder reads frames of every transfer syntax, each with the process that it needs, and leaves none behind."""

import numpy as np
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless, RLELossless

from core.scans.dicom.decoder import Decoder
from core.scans.dicom.decoder_process import plugin_of
from tests.core.scans.making import slice_at

PIXELS = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)


def compressed(syntax):
    data = slice_at((0, 0, 0), PIXELS)
    data.compress(syntax)
    return get_frame(data.PixelData, 0, number_of_frames=1), data


def test_frames_that_need_another_decoder_get_a_process_of_their_own(monkeypatch):
    frames = [compressed(RLELossless), compressed(JPEG2000Lossless), compressed(RLELossless)]
    plugins = {str(RLELossless): "pylibjpeg", str(JPEG2000Lossless): "gdcm"}  # gdcm reads these, too
    monkeypatch.setattr("core.scans.dicom.decoder.plugin_of", plugins.__getitem__)
    with Decoder() as decoder:
        for frame, data in frames:
            np.testing.assert_array_equal(decoder.decode(frame, data), PIXELS)
        running = list(decoder._processes.values())
        assert len(running) == 2
        assert all(process.poll() is None for process in running)
    assert all(process.poll() is not None for process in running)


def test_lossless_jpeg_is_read_by_the_decoder_that_alone_can():
    assert plugin_of("1.2.840.10008.1.2.4.70") == "gdcm"
    assert plugin_of("1.2.840.10008.1.2.4.50") == "pillow"
    assert plugin_of(str(RLELossless)) == plugin_of(str(JPEG2000Lossless)) == "pylibjpeg"
