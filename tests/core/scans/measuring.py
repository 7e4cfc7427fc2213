"""Reads files one by one, each in a process of its own, and prints what it took: one JSON object a line.

Run as ``python measuring.py PATH…``. The readers' libraries are imported before, so that what is measured is the
reading: seconds of processor time (others may keep the machine busy), and the highest resident memory above what there
was before it began.
"""

import json
import os
import resource
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))


def main() -> None:
    """Warm up, then measure every path of the command line."""
    import nibabel.freesurfer.mghformat
    import nibabel.nifti1
    import nibabel.nifti2
    import nibabel.spm2analyze  # noqa: F401
    import pydicom.encaps
    import pydicom.pixels
    from PIL import JpegImagePlugin, PngImagePlugin, TiffImagePlugin  # noqa: F401
    from pydicom.uid import AllTransferSyntaxes

    from core.scans import load_scan

    for syntax in AllTransferSyntaxes:
        try:
            _ = pydicom.pixels.get_decoder(syntax).is_available
        except NotImplementedError:
            continue
    for path in sys.argv[1:]:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            print(json.dumps({"path": path, **measure(load_scan, path)}), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


def measure(load_scan, path):
    """Outcome, seconds and megabytes of reading `path`."""
    from core.errors import BadInput

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    try:
        scan = load_scan(path)
        outcome = {"read": scan.shape, "notes": scan.notes}
        outcome["sum"] = float(scan.array.sum())
    except BadInput as refusal:
        outcome = {"refused": str(refusal)}
    except BaseException:
        outcome = {"crashed": traceback.format_exc()}
    seconds = time.process_time() - start
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    # the process that decodes compressed pixels belongs to the reader
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds += children.ru_utime + children.ru_stime
    megabytes += children.ru_maxrss / 1024
    return {**outcome, "seconds": seconds, "megabytes": megabytes}


if __name__ == "__main__":
    main()
