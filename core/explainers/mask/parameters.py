"""Parameters of the session mask."""

from __future__ import annotations

from typing import Any, Literal

from core.parameters import Parameters, parameter

_WHAT, _SMOOTH, _LONG, _START = "What to hide", "How smooth", "How long", "Where to start and what to keep"


class MaskParameters(Parameters):
    """Everything equations 1 and 2 of the paper leave to choose, and what the paper leaves open."""

    mu: Literal["auto", "healthy_mean", "blur", "constant"] = parameter(
        "auto",
        "What hidden voxels become: the mean healthy scan of the model's description, the scan blurred, or one "
        "value. Automatic takes the mean healthy scan where there is one, else the blurred scan.",
        group=_WHAT,
        paper="constant",
        reference="eq. 1",
        title="Fill (μ)",
        words={
            "auto": "automatic",
            "healthy_mean": "mean healthy scan",
            "blur": "blurred scan",
            "constant": "one value",
        },
    )
    mu_value: float = parameter(
        1.0,
        "The one value, in the scan's units; 1 is full grey matter. Used when the fill is one value.",
        group=_WHAT,
        paper=1.0,
        reference="section 2.3",
        title="Fill value (μ)",
        advanced=True,
    )
    blur_mm: float = parameter(
        20.0,
        "Full width at half maximum of the blur. Used when the fill is the blurred scan.",
        minimum=1.0,
        maximum=100.0,
        unit="mm",
        group=_WHAT,
        advanced=True,
        title="Width of the blur",
    )
    support: Literal["card", "everywhere"] = parameter(
        "card",
        "Where the mask may hide something: in the tissue that the model's description names, or everywhere. A weak "
        "network can be fooled by paint outside the brain.",
        group=_WHAT,
        paper="everywhere",
        title="May hide",
        advanced=True,
        words={"card": "in the tissue that the model names", "everywhere": "everywhere"},
    )
    lambda_1: float = parameter(
        5e-4,
        "How much each hidden cm³ costs. Larger: smaller masks.",
        minimum=1e-6,
        maximum=1.0,
        scale="log",
        group=_WHAT,
        paper=1e-4,
        reference="section 3.1",
        title="Size penalty (λ₁)",
    )
    beta_1: float = parameter(
        1.0,
        "Below 1: few voxels, fully hidden; 2: many voxels, slightly hidden.",
        minimum=0.05,
        maximum=3.0,
        step=0.05,
        group=_WHAT,
        paper=0.1,
        reference="section 3.1",
        title="Size exponent (β₁)",
        advanced=True,
    )
    threshold: float = parameter(
        0.95,
        "Mask values above this count as untouched (1), so that faint traces hide nothing.",
        minimum=0.5,
        maximum=1.0,
        step=0.01,
        group=_WHAT,
        paper=0.95,
        reference="section 2.3",
        title="Cut-off for faint traces",
        advanced=True,
    )
    lambda_2: float = parameter(
        3e-5,
        "How much the mask's edge costs. Larger: fewer, rounder patches.",
        minimum=1e-7,
        maximum=1.0,
        scale="log",
        group=_SMOOTH,
        paper=1e-2,
        reference="section 3.1",
        title="Edge penalty (λ₂)",
    )
    beta_2: float = parameter(
        1.0,
        "Larger: soft edges cost less, and the mask scatters.",
        minimum=0.05,
        maximum=3.0,
        step=0.05,
        group=_SMOOTH,
        paper=1.0,
        reference="section 3.1",
        title="Edge exponent (β₂)",
        advanced=True,
    )
    control_mm: float = parameter(
        3.0,
        "Spacing of the points that carry the mask; between them it is linear. Less than a voxel: one point a voxel.",
        minimum=0.0,
        maximum=30.0,
        step=0.5,
        unit="mm",
        group=_SMOOTH,
        paper=0.0,
        advanced=True,
        title="Grid of the mask",
    )
    iterations: int = parameter(
        300,
        "Most iterations, where the mask has not settled before. Each asks the network once, forward and back.",
        minimum=1,
        maximum=5000,
        scale="log",
        unit="iterations",
        group=_LONG,
        paper=5000,
        reference="section 2.3.5",
        title="Most iterations",
    )
    settled: float = parameter(
        2.0,
        "The mask has settled, and the iterations end, when the cheapest that meets the goal has become no more "
        "than this share cheaper in 30 iterations. 0: never.",
        minimum=0.0,
        maximum=20.0,
        step=0.5,
        unit="%",
        group=_LONG,
        paper=0.0,
        advanced=True,
        title="Settled within",
    )
    learning_rate: float = parameter(
        0.1,
        "How far the mask moves in one iteration.",
        minimum=1e-4,
        maximum=10.0,
        scale="log",
        group=_LONG,
        paper=0.1,
        reference="section 2.3.2",
        title="Step size (learning rate)",
        advanced=True,
    )
    patience: int = parameter(
        200,
        "Stops early once the loss has stayed above its lowest value this many iterations in a row.",
        minimum=1,
        maximum=5000,
        scale="log",
        unit="iterations",
        group=_LONG,
        paper=200,
        reference="section 2.3.5",
        advanced=True,
        title="Patience",
    )
    tolerance: float = parameter(
        0.01,
        "How much above the lowest loss, as a share of it, still counts as equally good.",
        minimum=0.0,
        maximum=1.0,
        step=0.005,
        group=_LONG,
        paper=0.01,
        reference="section 2.3.5",
        advanced=True,
        title="Tolerance",
    )
    optimiser: Literal["adam", "sgd"] = parameter(
        "adam",
        "How the gradient becomes a step. Plain gradient descent hardly moves at the published learning rate.",
        group=_LONG,
        advanced=True,
        title="Way of stepping (optimiser)",
        words={"adam": "Adam", "sgd": "plain gradient descent"},
    )
    warm_up: int = parameter(
        30,
        "Iterations over which both penalties rise from nothing to their full size.",
        minimum=0,
        maximum=1000,
        unit="iterations",
        group=_LONG,
        paper=0,
        advanced=True,
        title="Warm-up",
    )
    objective: Literal["hinge", "probability", "log_probability", "logit"] = parameter(
        "hinge",
        "What the mask brings down: the lead of the class over the others until it is safely lost, its probability, "
        "the logarithm of that, or its score. Logarithm and score have no floor: the mask goes on painting for "
        "nothing.",
        group=_START,
        paper="probability",
        reference="eq. 2",
        advanced=True,
        title="What is brought down (f)",
        words={
            "hinge": "lead of the class, until it is lost (hinge)",
            "probability": "probability",
            "log_probability": "logarithm of the probability",
            "logit": "score of the class (logit)",
        },
    )
    goal: float = parameter(
        0.04,
        "Probability of the explained class below which the mask has done its work.",
        minimum=0.001,
        maximum=0.5,
        step=0.01,
        group=_START,
        advanced=True,
        title="Goal probability",
    )
    goal_margin: float = parameter(
        3.5,
        "By how much the class must be behind, in units of the score, for the lead to count as lost; 3.5 is a "
        "probability of 0.03. Used when the lead of the class is brought down.",
        minimum=0.0,
        maximum=20.0,
        step=0.5,
        group=_START,
        advanced=True,
        title="Safely lost at",
    )
    adapt: bool = parameter(
        True,
        "From iteration 20 on the score weighs 15% more after each iteration that misses the goal and 7% less after "
        "each that meets it, so that the mask ends at the goal and not beyond.",
        group=_START,
        paper=False,
        advanced=True,
        title="Adapt the score's weight",
    )
    start: Literal["flip", "ones"] = parameter(
        "flip",
        "Start from the thinnest even veil that changes the model's mind, or from nothing hidden (all ones). A "
        "trained network is a switch: at all ones the gradient often points the wrong way.",
        group=_START,
        paper="ones",
        reference="section 2.3.5",
        advanced=True,
        title="Start from",
        words={"flip": "the thinnest veil that changes the answer", "ones": "nothing hidden"},
    )
    selection: Literal["reaching", "lowest_loss"] = parameter(
        "reaching",
        "Keep the cheapest mask that meets the goal (the lowest probability when none does), or just the lowest "
        "loss. From all ones the lowest loss is often the untouched first step.",
        group=_START,
        paper="lowest_loss",
        reference="section 2.3.5",
        advanced=True,
        title="Which mask is kept",
        words={"reaching": "the cheapest that meets the goal", "lowest_loss": "the one of the lowest loss"},
    )
    straight_through: bool = parameter(
        True,
        "Apply the cut-off for faint traces in every iteration (straight through: its gradient passes as if it were "
        "not there), not only at the end.",
        group=_START,
        paper=False,
        advanced=True,
        title="Cut-off in every iteration",
    )
    epsilon: float = parameter(
        1e-2,
        "Below β = 1 the slope at an untouched voxel is infinite: h^β becomes (h + ε)^β − ε^β.",
        minimum=1e-4,
        maximum=0.1,
        scale="log",
        group=_START,
        advanced=True,
        title="Softening of exponents (ε)",
    )
    reduction: Literal["physical", "paper_grid", "voxels", "mean"] = parameter(
        "physical",
        "What both penalties count: cm³ and cm² (cm² and cm for images); voxels of the paper's 1.5 mm grid, on any "
        "grid; this grid's voxels; or the mean over voxels. The same penalty means something else under each.",
        group=_START,
        paper="voxels",
        advanced=True,
        title="Penalties count",
        words={
            "physical": "cm³ and cm²",
            "paper_grid": "voxels of the paper's 1.5 mm grid",
            "voxels": "voxels of this grid",
            "mean": "the mean over voxels",
        },
    )
    session_factor: float = parameter(
        100.0,
        "Both λ are multiplied by this, since a mask for one scan overfits more easily than one for a group.",
        minimum=1.0,
        maximum=1000.0,
        scale="log",
        group=_START,
        paper=100.0,
        reference="section 2.3.4",
        advanced=True,
        title="Penalties for one scan, times",
    )
    precision: Literal["auto", "float32", "bfloat16"] = parameter(
        "auto",
        "Arithmetic of the iterations; automatic takes 16 bits where the processor has them. Scores shown are of 32 "
        "bits.",
        group=_LONG,
        advanced=True,
        title="Arithmetic",
        words={"auto": "automatic", "float32": "32 bits", "bfloat16": "16 bits (bfloat16)"},
    )
    seed: int = parameter(
        0,
        "Decides the random places the mask is compared with; the mask itself draws nothing.",
        minimum=0,
        maximum=1_000_000,
        group=_START,
        advanced=True,
        title="Seed of random draws",
    )


#: What the paper published for one session; where it says nothing (ε, selection) the reading that works.
PAPER: dict[str, Any] = {
    "mu": "constant",
    "mu_value": 1.0,
    "support": "everywhere",
    "lambda_1": 1e-4,
    "lambda_2": 1e-2,
    "beta_1": 0.1,
    "beta_2": 1.0,
    "learning_rate": 0.1,
    "iterations": 5000,
    "settled": 0.0,
    "patience": 200,
    "tolerance": 0.01,
    "control_mm": 0.0,
    "warm_up": 0,
    "objective": "probability",
    "adapt": False,
    "start": "ones",
    "selection": "reaching",
    "straight_through": False,
    "reduction": "paper_grid",
}
