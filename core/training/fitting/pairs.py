"""What recipes on image pairs share: tensors, batches, guesses to beat, figures with intervals, the card."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.cohorts.cohort import SPLITS
from core.cohorts.pairs import Pair, PairCohort, read_pairs, split_by_case
from core.errors import BadInput
from core.metrics.difference import fit_intensity_regression, mean_image
from core.models.card import Architecture, Card, InputContract, Intensity, OutputContract, Training
from core.models.inputs import prepare
from core.models.intensities import FULL_SCALE
from core.models.trainable import FirstLook
from core.progress import Progress, Report, part_of
from core.scans.scan import Scan
from core.training.base import model_name
from core.training.fitting.data import TrainingImages
from core.training.fitting.parameters import PairParameters


@dataclass(frozen=True, eq=False)
class PairTensors:
    """Pairs of one split.

    Parameters
    ----------
    inputs : torch.Tensor, float32, shape (N, C, *spatial)
        As the network is fed.
    targets : torch.Tensor, float32, shape (N, C_out, *spatial)
        What it should answer, in the network's own units.
    pairs : tuple of Pair
        Which they are.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    pairs: tuple[Pair, ...]

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def cases(self) -> tuple[str, ...]:
        """Whose each pair is."""
        return tuple(pair.case for pair in self.pairs)


#: Images in the card's units, shape (N, C_out, *spatial), for the pairs of a split.
Guess = Callable[[PairTensors], np.ndarray]


def find_pairs(folder: Path, parameters: PairParameters, report: Report) -> PairCohort:
    """Pairs of `folder` with every split decided; says what is left out.

    Raises
    ------
    BadInput
        See `core.cohorts.pairs.read_pairs` and `split_by_case`.
    """
    cohort = read_pairs(
        folder,
        parameters.input_folder,
        parameters.target_folder,
        parameters.case_pattern,
        parameters.quality_table,
        parameters.quality_from,
    )
    if cohort.left_out:
        some = "; ".join(f"{name}: {why}" for name, why in list(cohort.left_out.items())[:3])
        report(Progress(0.0, f"{len(cohort.left_out)} images are left out ({some})"))
    return split_by_case(cohort, parameters.validation, parameters.test, parameters.seed)


def input_contract(
    example: Scan, multiple_of: int, low: float = 0.0, high: float = 1.0, modality: str | None = None
) -> InputContract:
    """What a fully convolutional network trained on images like `example` is fed: any size, padded to `multiple_of`.

    Pictures of 8 or 16 bits have a full scale, which becomes `low`..`high`; of anything else, each scan's own
    0.5..99.5 percentiles do.
    """
    return InputContract(
        dimensions=2 if example.dimensions == 2 else 3,
        channels=example.channels,
        multiple_of=multiple_of,
        space="other",
        intensity=Intensity(low=low, high=high, units="signal", rescale=_rescale(example)),
        modality=modality,
    )


def target_contract(
    example: Scan, sees: InputContract, output: OutputContract, physical: bool = False
) -> InputContract:
    """How a true image is brought to `output`'s physical range on the grid of the input.

    Parameters
    ----------
    example : Scan
        A target of the cohort.
    sees : InputContract
        What the network is fed.
    output : OutputContract
        What it answers.
    physical : bool
        The values are in `output`'s units already, such as HU, and are clipped to its range. Otherwise a picture's
        full scale, or each scan's own 0.5..99.5 percentiles, become that range.
    """
    rescale = "none" if physical else _rescale(example)
    intensity = Intensity(low=output.low, high=output.high, units=output.units, rescale=rescale)
    return sees.model_copy(update={"channels": output.channels, "intensity": intensity})


def _rescale(example: Scan) -> str:
    return "none" if example.units in FULL_SCALE else "minmax"


def load_pairs(
    cohort: PairCohort,
    pairs: Sequence[Pair],
    sees: InputContract,
    target: InputContract,
    output: OutputContract,
    report: Report,
) -> PairTensors:
    """Read, prepare and stack `pairs`.

    Raises
    ------
    BadInput
        When the images of a pair do not lie on each other, cannot meet the contract, or differ in size from the
        first; names the pair.
    """
    inputs: list[torch.Tensor] = []
    targets: list[torch.Tensor] = []
    for number, pair in enumerate(pairs):
        report(Progress(number / len(pairs), f"reading {pair.name}"))
        try:
            shown, true = cohort.load(pair)
            if not shown.grid.same_as(true.grid):
                raise BadInput("its two images differ in size or place: register them and sample them alike first.")
            inputs.append(prepare(shown, sees).tensor)
            targets.append(to_network(prepare(true, target).tensor, output))
        except BadInput as error:
            raise BadInput(f"The pair {pair.name}: {error}") from error
        if inputs[-1].shape != inputs[0].shape:
            raise BadInput(f"The pair {pair.name} differs in size from {pairs[0].name}: crop or pad them to one size.")
    return PairTensors(torch.cat(inputs), torch.cat(targets), tuple(pairs))


def load_parts(
    cohort: PairCohort,
    sees: InputContract,
    target: InputContract,
    output: OutputContract,
    report: Report,
) -> dict[str, PairTensors]:
    """Every split that has pairs; see `load_pairs`.

    Raises
    ------
    BadInput
        When nothing is left to train on.
    """
    if not cohort.part("train"):
        raise BadInput("The cohort has no pair for training: put some into the folder train.")
    loaded: dict[str, PairTensors] = {}
    done = 0
    for split in SPLITS:
        pairs = cohort.part(split)
        if pairs:
            start, end = done / len(cohort.pairs), (done + len(pairs)) / len(cohort.pairs)
            loaded[split] = load_pairs(cohort, pairs, sees, target, output, part_of(report, start, end))
            done += len(pairs)
    return loaded


def images_of(parts: Mapping[str, PairTensors]) -> TrainingImages:
    """Inputs of every split."""
    held_out = [part.inputs for split, part in parts.items() if split != "train"]
    return TrainingImages(parts["train"].inputs, torch.cat(held_out) if held_out else None)


def load_inputs(cohort: PairCohort, sees: InputContract, report: Report) -> TrainingImages:
    """Inputs of every pair, without the images that should be made of them."""
    found: dict[str, list[torch.Tensor]] = {"train": [], "held out": []}
    for number, pair in enumerate(cohort.pairs):
        report(Progress(number / len(cohort.pairs), f"reading {pair.name}"))
        split = "train" if pair.split == "train" else "held out"
        found[split].append(prepare(cohort.load(pair)[0], sees).tensor)
    return TrainingImages(torch.cat(found["train"]), torch.cat(found["held out"]) if found["held out"] else None)


def to_network(physical: torch.Tensor, output: OutputContract) -> torch.Tensor:
    """Values in the card's units → the network's own, clipped to its range."""
    return ((physical - output.offset) / output.gain).clamp(output.network_low, output.network_high)


def to_physical(answer: torch.Tensor, output: OutputContract) -> np.ndarray:
    """The network's values → the card's units, float32."""
    return (answer * output.gain + output.offset).float().cpu().numpy()


def epoch_batches(count: int, batch: int, random: np.random.Generator) -> Iterator[torch.Tensor]:
    """Indices of one epoch: all `count` pairs once, in random order, `batch` at a time (the last may be smaller)."""
    yield from torch.from_numpy(random.permutation(count)).split(batch)


@torch.no_grad()
def answers(network: torch.nn.Module, inputs: torch.Tensor, chunk: int = 8) -> torch.Tensor:
    """What `network` in eval mode makes of `inputs` (N, C, *spatial), float32 on the CPU, `chunk` images at a time."""
    network.eval()
    device = next(network.parameters()).device
    return torch.cat([network(part.to(device)).float().cpu() for part in inputs.split(chunk)])


def first_look(train: PairTensors, values: tuple[float, float]) -> FirstLook:
    """What a network may know of the training pairs before its first step; `values` is the range it is fed."""
    return FirstLook(train.inputs.mean(dim=0), *values, train.targets.transpose(0, 1).flatten(1).mean(dim=1))


def plain_guesses(train: PairTensors, output: OutputContract) -> dict[str, Guess]:
    """What a network must beat: guesses learnt from the training pairs that hardly look at the input.

    Returns
    -------
    dict
        ``mean_target`` is the mean target image; ``intensity_regression`` the mean target of each input intensity
        (inputs and targets of one channel and one shape only). Each takes `PairTensors` and gives images in the card's
        units, shape (N, C_out, *spatial).
    """
    true = to_physical(train.targets, output)
    mean = mean_image(true)
    guesses: dict[str, Guess] = {"mean_target": lambda part: np.broadcast_to(mean, part.targets.shape)}
    if train.inputs.shape == train.targets.shape and train.inputs.shape[1] == 1:
        by_intensity = fit_intensity_regression(train.inputs.numpy(), true)
        guesses["intensity_regression"] = lambda part: by_intensity(part.inputs.numpy())
    return guesses


def mean_with_interval(values: Sequence[float], cases: Sequence[str], seed: int) -> tuple[float, list[float]]:
    """Mean of a figure that every pair has, and its 95 % interval (bootstrap, 2,000 draws, percentiles 2.5 and 97.5).

    Pairs of one case are alike, so whole cases are drawn.
    """
    figures, names = np.asarray(values, dtype=np.float64), np.asarray(cases)
    unique = np.unique(names)
    sums = np.array([figures[names == case].sum() for case in unique])
    counts = np.array([(names == case).sum() for case in unique])
    draws = np.random.default_rng(seed).integers(len(unique), size=(2000, len(unique)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    return float(figures.mean()), [float(v) for v in np.percentile(means, (2.5, 97.5))]


def describe_pairs(cohort: PairCohort, trained: int, synthetic: str | None) -> str:
    """What the weights come from, one line for the card; `synthetic` says how phantoms were made."""
    if synthetic is not None:
        return f"{trained} {synthetic}; no person was scanned"
    left_out = f"; {len(cohort.left_out)} images of it were left out" if cohort.left_out else ""
    return f"{trained} pairs of {cohort.input_name} and {cohort.target_name} of the cohort {cohort.name}{left_out}"


def card_of_regressor(
    out: Path,
    architecture: Architecture,
    sees: InputContract,
    output: OutputContract,
    feature_layers: tuple[str, ...],
    training: Training,
    metrics: dict[str, Any],
    synthetic: bool,
) -> Card:
    """Card of an image-to-image model, named after its folder `out`; what a person's own pairs made has no licence."""
    name = model_name(out)
    return Card(
        name=name,
        title=name,
        task="regression",
        synthetic=synthetic,
        architecture=architecture,
        input=sees,
        output=output,
        feature_layers=feature_layers,
        training=training,
        metrics=metrics,
        license="Apache-2.0" if synthetic else "",
    )
