"""Attribution maps the long way: loops over noisy copies, path points and boxes, and gradients rebuilt by hand."""

import numpy as np
import torch
from torch import nn


def gradient(network: nn.Module, x: torch.Tensor, target: int) -> np.ndarray:
    """∂ logit / ∂ x, (C, *spatial)."""
    x = x.clone().requires_grad_(True)
    network(x)[0, target].backward()
    return x.grad[0].numpy()


def finite_difference(network: nn.Module, x: torch.Tensor, target: int, at: tuple[int, ...], step: float) -> float:
    """Slope of the logit at one voxel of channel 0."""
    up, down = x.clone(), x.clone()
    up[(0, 0, *at)] += step
    down[(0, 0, *at)] -= step
    with torch.no_grad():
        return float((network(up) - network(down))[0, target]) / (2 * step)


def integrated_gradients(
    network: nn.Module, x: torch.Tensor, baseline: torch.Tensor, target: int, steps: int
) -> np.ndarray:
    """Sundararajan eq. 1 by the midpoint rule."""
    total = np.zeros(x.shape[1:])
    for k in range(steps):
        total += gradient(network, baseline + (k + 0.5) / steps * (x - baseline), target)
    return (x - baseline)[0].numpy() * total / steps


def smoothgrad(network: nn.Module, noisy: list[torch.Tensor], target: int) -> np.ndarray:
    """Mean gradient over given noisy copies."""
    return np.mean([gradient(network, copy, target) for copy in noisy], axis=0)


def occlusion(
    network: nn.Module,
    x: torch.Tensor,
    baseline: torch.Tensor,
    target: int,
    window: tuple[int, ...],
    stride: tuple[int, ...],
) -> np.ndarray:
    """Mean fall of the logit over the boxes that cover each voxel; boxes may stick out at the far end."""
    shape = tuple(x.shape[2:])
    fall, covers = np.zeros(shape), np.zeros(shape)
    counts = [-(-(n - w) // s) + 1 for n, w, s in zip(shape, window, stride, strict=True)]
    with torch.no_grad():
        before = float(network(x)[0, target])
        for position in np.ndindex(*counts):
            box = tuple(slice(p * s, p * s + w) for p, s, w in zip(position, stride, window, strict=True))
            covered = x.clone()
            covered[(slice(None), slice(None), *box)] = baseline[(slice(None), slice(None), *box)]
            fall[box] += before - float(network(covered)[0, target])
            covers[box] += 1
    return fall / covers


def activations_and_gradients(
    network: nn.Module, layer: nn.Module, x: torch.Tensor, target: int
) -> tuple[np.ndarray, np.ndarray]:
    """What a layer gives, and the logit's gradient with respect to it; each (K, *spatial)."""
    kept: list[torch.Tensor] = []

    def keep(module: nn.Module, inputs: object, output: torch.Tensor) -> torch.Tensor:
        kept.append(output.detach().requires_grad_(True))
        return kept[0]

    handle = layer.register_forward_hook(keep)
    try:
        network(x)[0, target].backward()
    finally:
        handle.remove()
    return kept[0][0].detach().numpy(), kept[0].grad[0].numpy()


def grad_cam(network: nn.Module, layer: nn.Module, x: torch.Tensor, target: int) -> np.ndarray:
    """Selvaraju eq. 1 and 2 at the layer's own resolution."""
    activations, gradients = activations_and_gradients(network, layer, x, target)
    total = np.zeros(activations.shape[1:])
    for channel in range(len(activations)):
        total += gradients[channel].mean() * activations[channel]
    return np.maximum(total, 0)


def gradient_times_activation(network: nn.Module, layer: nn.Module, x: torch.Tensor, target: int) -> np.ndarray:
    """Draelos and Carin: Σ_k ∂z/∂A_k(u) · A_k(u)."""
    activations, gradients = activations_and_gradients(network, layer, x, target)
    total = np.zeros(activations.shape[1:])
    for channel in range(len(activations)):
        total += gradients[channel] * activations[channel]
    return total


class GuidedRectifier(torch.autograd.Function):
    """Leaky rectifier whose gradient passes only where it is positive after the rectifier's own derivative."""

    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x)
        ctx.slope = slope
        return torch.where(x > 0, x, slope * x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        passed = torch.where(x > 0, gradient, ctx.slope * gradient)
        return passed * (passed > 0), None


def guided_backpropagation(layers: list[nn.Module], x: torch.Tensor, target: int) -> np.ndarray:
    """Springenberg section 3.4 through a plain list of layers."""
    x = x.clone().requires_grad_(True)
    signal = x
    for layer in layers:
        if isinstance(layer, nn.ReLU | nn.LeakyReLU):
            signal = GuidedRectifier.apply(signal, getattr(layer, "negative_slope", 0.0))
        else:
            signal = layer(signal)
    signal[0, target].backward()
    return x.grad[0].numpy()
