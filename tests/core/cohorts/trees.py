"""BIDS trees of small images."""

from pathlib import Path

import nibabel
import numpy as np

T1, T2, BOLD = "anat/{}_T1w.nii.gz", "anat/{}_T2w.nii.gz", "func/{}_task-rest_bold.nii.gz"


def tree(root: Path, images: dict[str, list[str]], table: str = "", place: str = "") -> Path:
    """A dataset: "sub-01/ses-1" → its images, where {} is what every name begins with. Every image has a value."""
    number = 0
    for session, names in images.items():
        start = session.replace("/", "_")
        for name in names:
            path = root / place / session / name.format(start)
            path.parent.mkdir(parents=True, exist_ok=True)
            number += 1
            nibabel.save(nibabel.Nifti1Image(np.full((3, 4, 5), number, np.int16), np.eye(4)), path)
            sidecar = path.with_name(path.name.replace(".nii.gz", ".json"))
            sidecar.write_text('{"EchoTime": 0.003}')
    (root / "dataset_description.json").write_text('{"Name": "test", "BIDSVersion": "1.10.0"}')
    if table:
        (root / "participants.tsv").write_text(table.replace(" | ", "\t"))
    return root
