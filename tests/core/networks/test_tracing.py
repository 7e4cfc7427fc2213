import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import fx, nn

from core.models.zoo import build
from core.networks.choosing import responses_for
from core.networks.fast import fast_network
from core.networks.tracing import copy_of, graph_of, twin

SIZE = (1, 1, 64, 64)


class Keeping(nn.Module):
    """Keeps what it saw, as many networks do for their loss."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3, padding=1)
        self.count = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = self.layer(x)
        self.count = self.count + x.shape[0]
        return self.seen


class Waiting(nn.Module):
    """Stops in the middle of being traced until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 1, 3, padding=1)
        self.begun, self.go = threading.Event(), threading.Event()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer(x)
        self.begun.set()
        assert self.go.wait(20)
        return self.layer(x) + self.layer.bias


def test_a_network_asked_by_another_thread_while_one_is_traced_answers_as_ever():
    # a page's thread asked for an answer while a run's thread traced: "module is not installed as a submodule"
    waiting = Waiting().eval()
    other = build("autoencoder", {"widths": (4, 4)}).eval()
    x = torch.rand(SIZE)
    expected, shared = other(x), waiting.layer(x)
    graphs: list[int] = []
    tracing = threading.Thread(target=lambda: graphs.append(len(graph_of(waiting).nodes)))
    tracing.start()
    try:
        assert waiting.begun.wait(20)
        assert torch.equal(other(x), expected)
        assert torch.equal(waiting.layer(x), shared)  # the very layer that is being traced
        with ThreadPoolExecutor() as later:  # a thread that began after the one that traces
            assert torch.equal(later.submit(waiting.layer, x).result(), shared)
    finally:
        waiting.go.set()
        tracing.join()
    assert graphs == [6]  # input, layer, layer, its bias, sum, output: nothing of the other thread's calls


def test_several_threads_trace_at_once_and_leave_torch_as_it_was():
    call, attribute = nn.Module.__call__, nn.Module.__getattr__
    networks = [build("autoencoder", {"widths": (4, 4)}).eval() for _ in range(4)]
    found: list[str | None] = []
    failed: list[BaseException] = []

    def trace(network: nn.Module) -> None:
        try:
            for _ in range(5):
                found.append(responses_for(network, torch.rand(SIZE), 2**26).reason)
                network(torch.rand(SIZE))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=trace, args=(network,)) for network in networks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert found == [None] * 20
    assert (nn.Module.__call__, nn.Module.__getattr__) == (call, attribute)


def test_tracing_leaves_nothing_on_a_network_that_keeps_what_it_sees():
    # its counter was left a stand-in for a tensor, and the network could not be asked again
    network = Keeping().eval().requires_grad_(False)
    x = torch.rand(SIZE)
    responses_for(network, x, 2**26, "auto")
    assert isinstance(network.count, int)
    assert torch.equal(network(x), network.layer(x))


def test_a_twin_shares_the_weights():
    network = build("autoencoder", {"widths": (4, 4)})
    assert all(a is b for a, b in zip(network.parameters(), twin(network).parameters(), strict=True))


@pytest.mark.parametrize("copied", [twin, copy_of])
def test_a_network_that_keeps_an_answer_with_its_history_is_copied(copied):
    network = Keeping()
    network(torch.rand(SIZE))
    network.more = [network.seen * 2, {"one": 1}]
    network.by_name = {"seen": network.seen * 3}
    other = copied(network)
    assert torch.equal(other.seen, network.seen)
    assert torch.equal(other.more[0], network.more[0])
    assert torch.equal(other.by_name["seen"], network.by_name["seen"])
    assert (other.layer.weight is network.layer.weight) == (copied is twin)
    assert network.seen.grad_fn is not None


class Asking(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.other = nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3)

    def forward(self, x):
        if isinstance(x, torch.Tensor) and not isinstance(x, nn.Parameter | int):
            x = self.layer(x)
        self.seen = x
        kept = [x, 2]
        total = torch.where(kept[0] > 0, kept[0], 0) + torch.cat([x, x], 1).sum(dim=1, keepdim=True)
        return self.other(total) if isinstance(kept[1], torch.Tensor | str) else total.clamp_min(0.5)


def test_a_stand_in_passes_for_a_tensor_where_code_asks():
    """What must not be is a stand-in that passes for a tensor in torch's compiled code: that ends the process."""
    graph = graph_of(Asking())
    assert [str(node.target) for node in graph.nodes if node.op == "call_module"] == ["layer"]
    assert "isinstance" not in Asking.forward.__globals__
    x = torch.rand(1, 1, 6, 6)
    network = Asking()
    assert torch.equal(fx.Interpreter(fx.GraphModule(network, graph_of(network))).run(x), network(x))


def test_code_that_asks_a_stand_in_more_than_it_knows_is_traced_without():
    class More(Asking):
        def forward(self, x):
            return self.layer(x * 2 if isinstance(x, torch.Tensor) and x.sum() > 0 else x)

    assert [node.op for node in graph_of(More()).nodes] == ["placeholder", "call_module", "output"]


def test_code_that_cannot_be_traced_leaves_everything_as_it_was():
    class Looking(Asking):
        def forward(self, x):
            return x if x.sum() > 0 else -x

    with pytest.raises(fx.proxy.TraceError):
        graph_of(Looking())
    assert "isinstance" not in Looking.forward.__globals__


class Locked(nn.Module):
    """Keeps what cannot be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.lock = nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), threading.Lock()
        self.again, self.seen = self.conv, []

    def forward(self, x):
        with self.lock:
            self.seen.append(len(x))
            return self.norm(self.conv(x)).relu()


@pytest.mark.parametrize("copied", [twin, copy_of])
def test_a_network_that_keeps_what_cannot_be_copied_is_built_again(copied):
    network = Locked().eval().requires_grad_(False)
    other, x = copied(network), torch.rand(2, 1, 6, 6)
    assert torch.equal(other(x), network(x))
    assert other.again is other.conv is not network.conv
    assert (other.conv.weight is network.conv.weight) == (copied is twin)
    assert other.norm.running_mean is not network.norm.running_mean
    assert (network.seen, other.seen) == ([2], [2])
    copy_of(network).double()
    assert network.conv.weight.dtype == torch.float32
    assert list(other.state_dict()) == list(network.state_dict())


def test_such_a_network_is_asked_quickly_and_in_windows():
    network, x = Locked().eval().requires_grad_(False), torch.rand(1, 1, 12, 12)
    network.norm.running_mean.uniform_()
    for precision in ("float32", "bfloat16"):
        torch.testing.assert_close(fast_network(network, 2, precision)(x), network(x), rtol=0.05, atol=0.02)
    responses = responses_for(network, x, 2**24)
    values = torch.rand(2, 1, 3, 3)
    box, answers = responses.changed((slice(4, 7), slice(4, 7)), values)
    changed = x.clone()
    changed[..., 4:7, 4:7] = values[1]
    torch.testing.assert_close(answers[1], network(changed)[(0, slice(None), *box)])
