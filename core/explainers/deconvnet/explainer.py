"""Deconvnet: the strongest filters of a layer, each followed back to the image (paper 3; Zeiler and Fergus, 2014)."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np

from core.errors import BadInput
from core.explainers.base import Check, Explanation, Findings, MapArray, Question
from core.explainers.checked_map import CheckedMap, layer_by_default
from core.explainers.deconvnet.filters import array_of, filters_as_parts
from core.explainers.deconvnet.parameters import PAPER_FILTERS, DeconvnetParameters
from core.metrics.sanity import randomisation_check
from core.networks import convolutions
from core.parameters import Parameters
from core.progress import Progress
from core.wording import percent

if TYPE_CHECKING:
    import torch

    from core.explainers.deconvnet.chain import Chain
    from core.explainers.deconvnet.projection import Projection, Ranking
    from core.models.model import Model

_UNIT = "projected activation"
#: Ways that were followed, by layer: tracing takes as long as a network of this size takes to answer.
_FOLLOWED: WeakKeyDictionary[Model, dict[str, Chain]] = WeakKeyDictionary()
#: Shapes of the inputs on which a chain was seen to be what the network does.
_COMPARED: WeakKeyDictionary[Chain, set[tuple[int, ...]]] = WeakKeyDictionary()


class Deconvnet(CheckedMap):
    """The top filters of a layer, un-pooled with switches, rectified, filtered with transposed filters, overlaid."""

    name: ClassVar[str] = "deconvnet"
    title: ClassVar[str] = "Deconvnet"
    summary: ClassVar[str] = "The map shows what in the image the strongest filters of a layer answered to."
    reference: ClassVar[str] = "Kumar and Menkovski, 2016, section 2; Zeiler and Fergus, ECCV 2014, section 2.1"
    parameters_model: ClassVar[type[Parameters]] = DeconvnetParameters
    presets: ClassVar[dict[str, dict[str, Any]]] = {"paper": {}, "top-9": {"filters": 9}, "top-5": {"filters": 5}}
    preset_help: ClassVar[dict[str, str]] = {
        "paper": "the 25 strongest filters overlaid",
        "top-9": "nine, as the paper shows a misread film",
        "top-5": "five, as the paper shows the shallow network",
    }
    makes_parts = True
    with_parts: ClassVar[dict[str, Any]] = {"separate": "each"}
    without_parts: ClassVar[dict[str, Any]] = {"separate": "combined"}
    color = "pink"
    when_zero = "; take a layer nearer to the input"

    @classmethod
    def unfit(cls, model: Model) -> str | None:
        """Needs a classifier whose way to the layer explained is a plain chain of layers."""
        if reason := super().unfit(model):
            return reason
        if not convolutions(model.network):
            return f"{cls.title} needs a convolution layer, and this network has none."
        from core.explainers.deconvnet.chain import NoSuchLayerError, NotAChainError

        layer = _default_layer(model)
        try:
            _followed(model, layer)
        except NotAChainError as error:
            return _not_a_chain(error, model)
        except NoSuchLayerError:
            return f"{cls.title} finds no way from the input to {layer}: {_instead(model)}."
        return None

    @classmethod
    def parameters_for(cls, model: Model, parameters: Parameters) -> Parameters:
        """Name the layer, and see that it has as many filters as are asked for.

        Raises
        ------
        BadInput
            When the layer does not exist or is not on a chain, or has fewer filters than were asked for. (The paper's
            25, which nobody may have asked for, becomes all there are on running, with a warning.)
        """
        assert isinstance(parameters, DeconvnetParameters)
        layer = parameters.layer or _default_layer(model)
        there = _chain(model, layer).filters
        if parameters.filters > there and parameters.filters != PAPER_FILTERS:
            raise BadInput(
                f"The layer {layer} has {_filters(there)}: ask for at most {there}, not {parameters.filters}."
            )
        return parameters.model_copy(update={"layer": layer})

    def run(self, question: Question, parameters: DeconvnetParameters) -> Findings:
        """One pass up, which keeps the switches; then the strongest filters down, a few at a time."""
        chain, projection, ranking, top = _asked(question, parameters)
        combined, single = _maps(projection, ranking, top, question, parameters)
        array = _as_array(combined, "projected activation")
        findings = self.tested(question, parameters, array)
        own = {array_of(number): _as_array(values, f"filter {number}") for number, values in single.items()}
        held = ranking.share(top)
        return dataclasses.replace(
            findings,
            arrays={"map": findings.arrays["map"], **own, "perturbed": findings.arrays["perturbed"]},
            numbers={
                **findings.numbers,
                **{f"score_filter_{number:03d}": float(ranking.scores[number]) for number in top},
                "filters_in_layer": float(chain.filters),
                "filters_shown": float(len(top)),
                "share_of_activation": held,
            },
            parts=filters_as_parts(
                parameters.layer,
                {number: float(ranking.scores[number]) for number in top},
                own,
                whole=None if parameters.score == "max" else float(ranking.scores.sum()),
                held=held,
                there=chain.filters,
            ),
            warnings=(*findings.warnings, *_warnings(chain, ranking, top, parameters)),
        )

    def attribute(self, question: Question, parameters: DeconvnetParameters) -> MapArray:
        """See `Explainer.attribute`."""
        _, projection, ranking, top = _asked(question, parameters)
        return _as_array(_maps(projection, ranking, top, question, parameters)[0], "projected activation")

    def checks(self, question: Question, parameters: DeconvnetParameters, values: np.ndarray) -> tuple[Check, ...]:
        """How like the map is to that of random weights, all top filters projected together: a number to know."""
        from torch import nn

        from core.explainers.deconvnet.projection import Projection
        from core.explainers.hiding import support_of

        if not values.any():
            return ()
        chain = _chain(question.model, parameters.layer)
        layers, x = chain.layers(), question.prepared.tensor.to(question.model.device)

        def joint_map(network: nn.Module) -> np.ndarray:
            projection = Projection(chain.with_layers(dict(zip(layers, network.children(), strict=True))), x)
            return projection.together(projection.ranking(parameters.score).order[: parameters.filters])

        support = support_of(question.model, values.shape)
        try:
            drop = randomisation_check(joint_map, nn.ModuleList(layers.values()), (parameters.seed,), support)
        except ValueError:
            return ()  # silent with random weights: nothing to compare
        sentence = (
            f"With random weights in its layers the map keeps {drop.after:.2f} of its likeness to itself "
            "(1: the same map, so nothing learnt shows; 0: nothing is left of it)."
        )
        return (Check("randomisation", "Random weights", drop.after, sentence),)

    @classmethod
    def finding(cls, explanation: Explanation, places: str) -> str:
        """Where the structures lie that the network sees."""
        seen = "that says what the network sees, not for which class it speaks"
        if places:
            return f"The structures that excite the network most lie in {places}; {seen}."
        return f"The map shows the structures that excite the network most; {seen}."

    @classmethod
    def technical(cls, explanation: Explanation) -> str:
        """Which filters, how much of the layer they hold, and which is the strongest."""
        numbers, parts = explanation.numbers, explanation.parts
        if parts is None:
            return ""
        shown, there = len(parts.members), int(numbers["filters_in_layer"])
        which = f"The strongest filter of {there}" if shown == 1 else f"The {shown} strongest of {there} filters"
        return (
            f"{which} in {parts.owner}, filter {parts.members[0].index} first: "
            f"{percent(numbers['share_of_activation'])} of that layer's activation."
        )


def _default_layer(model: Model) -> str:
    return layer_by_default(model) or ""


def _followed(model: Model, layer: str) -> Chain:
    """The chain to `layer`, followed once for each model."""
    from core.explainers.deconvnet.chain import chain_to

    known = _FOLLOWED.setdefault(model, {})
    if layer not in known:
        known[layer] = chain_to(model.network, layer)
    return known[layer]


def _chain(model: Model, layer: str) -> Chain:
    from core.explainers.deconvnet.chain import NoSuchLayerError, NotAChainError

    try:
        return _followed(model, layer)
    except NoSuchLayerError as error:
        known = ", ".join(convolutions(model.network))
        raise BadInput(f"The model {model.card.name} has no layer {layer!r} with filters; it has {known}.") from error
    except NotAChainError as reason:
        raise _refusal(reason, model, layer) from reason


def _see_that_it_is_the_network(model: Model, layer: str, chain: Chain, x: torch.Tensor) -> None:
    """Compare the chain with what the network does, once for each shape of input."""
    from core.explainers.deconvnet.chain import NotAChainError
    from core.explainers.deconvnet.comparing import compare

    seen, shape = _COMPARED.setdefault(chain, set()), tuple(x.shape[1:])
    if shape in seen:
        return
    try:
        compare(model.network, chain, x)
    except NotAChainError as reason:
        raise _refusal(reason, model, layer) from reason
    seen.add(shape)


def _refusal(reason: Exception, model: Model, layer: str) -> BadInput:
    known = ", ".join(convolutions(model.network))
    return BadInput(f"{_not_a_chain(reason, model, layer).rstrip('.')}, or a layer nearer to the input of {known}.")


def _not_a_chain(reason: Exception, model: Model, layer: str = "the layer explained") -> str:
    return (
        f"{Deconvnet.title} follows a plain chain of layers back from {layer}, and this network {reason}: "
        f"{_instead(model)}."
    )


def _instead(model: Model) -> str:
    """What to use for a model that does not fit: the nearest relative, where that fits."""
    from core.explainers.registry import get_explainer

    relative = get_explainer("guided_backpropagation")
    return "use guided backpropagation" if relative.unfit(model) is None else "use saliency"


def _asked(question: Question, parameters: DeconvnetParameters) -> tuple[Chain, Projection, Ranking, tuple[int, ...]]:
    """One pass up: the chain, what it kept, how strongly filters answer, and the strongest of them."""
    from core.explainers.deconvnet.projection import Projection

    chain, x = _chain(question.model, parameters.layer), question.prepared.tensor.to(question.model.device)
    question.report(Progress(0.0, f"asking {parameters.layer} for its {chain.filters} filters"))
    _see_that_it_is_the_network(question.model, parameters.layer, chain, x)
    projection = Projection(chain, x)
    ranking = projection.ranking(parameters.score)
    return chain, projection, ranking, ranking.order[: parameters.filters]


def _as_array(values: np.ndarray, title: str) -> MapArray:
    return MapArray(values, title, "attribution", _UNIT, diverging=True)


def _maps(
    projection: Projection,
    ranking: Ranking,
    top: tuple[int, ...],
    question: Question,
    parameters: DeconvnetParameters,
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """The combined map, and each filter's own where they are kept; spatial, float32."""
    volume = question.prepared.tensor.ndim - 2 == 3
    keep = parameters.separate == "each" or (parameters.separate == "auto" and not volume)
    together = projection.together(top) if parameters.combine == "together" else None
    if together is not None and not keep:
        return together.astype(np.float32), {}
    shape = question.prepared.tensor.shape[2:]
    # in double, so that the sum does not depend on the order of chunks; a silent filter has nothing to project
    combined = np.zeros(shape)
    own = {number: np.zeros(shape, dtype=np.float32) for number in top} if keep else {}
    active = [number for number in top if ranking.scores[number] > 0]
    for number, values in projection.single(active):
        combined += np.abs(values) if parameters.combine == "magnitude" else values
        if keep:
            own[number] = values.astype(np.float32)
        done = active.index(number) + 1
        question.report(
            Progress(done / len(active), f"filter {done} of {len(active)}", preview=combined.astype(np.float32))
        )
    return (combined if together is None else together).astype(np.float32), own


def _warnings(chain: Chain, ranking: Ranking, top: tuple[int, ...], parameters: DeconvnetParameters) -> tuple[str, ...]:
    found = []
    if parameters.filters > chain.filters:
        found.append(
            f"the layer {parameters.layer} has {_filters(chain.filters)}: all are shown, not {parameters.filters}"
        )
    silent = sum(ranking.scores[number] <= 0 for number in top)
    if silent == len(top):
        found.append(f"no filter of {parameters.layer} answers to this scan")
    elif silent:
        what = (
            "does not answer to this scan: its map is" if silent == 1 else "do not answer to this scan: their maps are"
        )
        found.append(f"{silent} of the {len(top)} filters shown {what} zero")
    if chain.unhookable:
        found.append(
            "this network has rectifiers that work in place, serve in several places, are leaky or called as "
            "functions: they are followed exactly here, while hooks on layers, such as Captum's, would not be"
        )
    return tuple(found)


def _filters(count: int) -> str:
    return f"{count} filter{'s' if count != 1 else ''}"
