"""Settings of the recipe "pix2pix"."""

from core.parameters import parameter
from core.training.base import CHANGES, DRAWN, LEARNING, NETWORK, READ
from core.training.fitting.parameters import NetworkParameters, PairParameters, architecture_of

_ISOLA = "Isola et al., section 6"


class Pix2PixParameters(PairParameters, NetworkParameters):
    """Settings of the recipe; defaults are the papers' but for batch (theirs is 1), steps and jitter."""

    architecture: str = architecture_of("pix2pix-unet")
    channels: int | None = parameter(
        None,
        "Channels of the input: 3 reads a picture's colours as three images; by default what it holds.",
        minimum=1,
        advanced=True,
        **NETWORK,
    )
    width: int = parameter(
        64, "Filters of the generator's first level.", minimum=1, maximum=256, paper=64, reference=_ISOLA, **NETWORK
    )
    levels: int = parameter(
        8,
        "Halvings of the generator: 8 for images of 256×256, 5 for 32×32.",
        minimum=2,
        maximum=10,
        paper=8,
        reference=_ISOLA,
        **NETWORK,
    )
    dropout: float = parameter(
        0.5,
        "Share of features dropped in the generator's first three decoder blocks while training.",
        minimum=0,
        below=1,
        paper=0.5,
        reference=_ISOLA,
        **NETWORK,
    )
    patch_width: int = parameter(
        64,
        "Filters of the discriminator's first layer.",
        minimum=1,
        maximum=256,
        paper=64,
        reference=_ISOLA,
        advanced=True,
        **NETWORK,
    )
    patch_halvings: int = parameter(
        3,
        "Of the discriminator: 3 judges patches of 70×70 pixels, 2 of 34×34, 1 of 16×16.",
        minimum=1,
        maximum=5,
        paper=3,
        reference=_ISOLA,
        advanced=True,
        **NETWORK,
    )
    steps: int = parameter(20000, "Batches in all.", minimum=1, unit="batches", **LEARNING)
    batch: int = parameter(4, "Pairs a batch.", minimum=1, unit="pairs", paper=1, reference=_ISOLA, **LEARNING)
    learning_rate: float = parameter(
        2e-4,
        "Of Adam, both networks; betas 0.5 and 0.999.",
        above=0,
        maximum=1,
        scale="log",
        paper=2e-4,
        reference=_ISOLA,
        **LEARNING,
    )
    decay_share: float = parameter(
        0.5, "Share of the steps over which the rate falls to 0.", minimum=0, maximum=1, **LEARNING
    )
    l1_weight: float = parameter(
        100.0,
        "Weight of the mean absolute error beside the GAN loss.",
        minimum=0,
        paper=100.0,
        reference=_ISOLA,
        title="λ L1 weight",
        **LEARNING,
    )
    gan_weight: float = parameter(
        1.0, "Weight of the GAN loss; 0 trains on L1 alone, as a control.", minimum=0, advanced=True, **LEARNING
    )
    crop: int = parameter(
        256, "Larger images are cropped at random to so many rows and columns.", minimum=4, unit="pixels", **CHANGES
    )
    jitter_pixels: int = parameter(
        30,
        "Images are enlarged by up to so many pixels before the crop.",
        minimum=0,
        unit="pixels",
        title="jitter",
        **CHANGES,
    )
    flip: bool = parameter(True, "Half of the pairs are mirrored left to right.", **CHANGES)
    target_low: float | None = parameter(
        None,
        "Lowest target value, lower ones are clipped; by default -1024 (HU), or 0 for pictures.",
        advanced=True,
        **READ,
    )
    target_high: float | None = parameter(
        None, "Highest target value; by default 1250 (HU), or a picture's full scale.", advanced=True, **READ
    )
    target_units: str | None = parameter(
        None, "What the target's values are; by default HU or grey level.", advanced=True, **READ
    )
    half: bool = parameter(True, "Store weights as float16, half the size.", advanced=True, **NETWORK)
    phantom_train: int = parameter(400, "Pairs for training.", minimum=1, unit="pairs", **DRAWN)
    phantom_test: int = parameter(60, "Pairs to test.", minimum=1, unit="pairs", **DRAWN)
    phantom_size: int = parameter(
        256, "Rows and columns of a slice, 1 mm each.", minimum=32, unit="pixels", advanced=True, **DRAWN
    )
