"""One model by two ways: what following a PyTorch model gives is what its ONNX export gives, figure by figure."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import pytest

import symconv as sc

torch = pytest.importorskip("torch", reason="models are PyTorch's")
onnx = pytest.importorskip("onnx", reason="exports are read with the onnx package")
nn = torch.nn


def exported(model: Any, x: Any) -> Any:
    """The model as ONNX, its batch normalisations left as they are."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = torch.onnx.TrainingMode.PRESERVE
        torch.onnx.export(model, (x,), file, dynamo=False, training=kept, opset_version=17)
    return onnx.load_from_string(file.getvalue())


def rows(table: Any) -> list[Any]:
    """The figures of all layers, in an order that does not depend on that of branches."""
    return sorted(
        (
            str(layer.input), str(layer.output), layer.parameters, layer.multiply_adds, str(layer.receptive_field),
            str(layer.whole_input), str(layer.jump), str(layer.unread), str(layer.unread_of_network), layer.reason,
        )
        for layer in table.layers
    )  # fmt: skip


def products(model: Any, x: Any) -> int:
    """The multiply-adds of the convolutions of a model, by hooks that count as it runs."""
    found = []

    def hook(module: Any, _: Any, y: Any) -> None:
        if isinstance(module, nn.Conv1d | nn.Conv2d):
            found.append(y.numel() * module.weight[0].numel())

    handles = [module.register_forward_hook(hook) for module in model.modules()]
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return sum(found)


def same(model: Any, x: Any) -> tuple[Any, Any]:
    """The tables of both ways, which agree."""
    followed, read = sc.network_from_torch(model, x), sc.network_from_onnx(exported(model, x))
    assert followed.complete
    assert read.complete
    assert rows(followed) == rows(read)
    assert followed.multiply_adds == products(model, x)
    if followed.network is not None:
        due = model(x).detach().numpy()
        for table in (followed, read):
            found = sc.compile(table.network)(x.numpy(), table.weights)
            np.testing.assert_allclose(found, due, rtol=1e-3, atol=1e-5)
    return followed, read


# ---------------------------------------------------------------------- small ones


class Gated(nn.Module):  # type: ignore[name-defined,misc]
    """Squeeze and excitation, and what lies behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(2, 4, 3, 2, 1), nn.Conv2d(4, 4, 3)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 1))

    def forward(self, x: Any) -> Any:
        y = nn.functional.hardswish(self.one(x))
        return self.two(y * nn.functional.hardsigmoid(self.gate(y)))


class Shuffled(nn.Module):  # type: ignore[name-defined,misc]
    """Half of the channels go through a layer; then the channels are mixed, as in ShuffleNet."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1, groups=2), nn.BatchNorm2d(2), nn.ReLU6())
        self.last = nn.Conv2d(4, 3, (2, 3), stride=2)

    def forward(self, x: Any) -> Any:
        left, right = x.chunk(2, dim=1)
        y = torch.cat((left, self.branch(right)), 1)
        n, c, h, w = y.shape
        return self.last(y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w))


class Branched(nn.Module):  # type: ignore[name-defined,misc]
    """Branches of several reaches, joined by channels, and a mean over all positions."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.five = nn.Conv2d(3, 2, 1), nn.Conv2d(3, 2, 5, padding=2)
        self.pool = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), nn.Conv2d(3, 1, 1, bias=False))
        self.dilated = nn.Conv2d(5, 2, 3, dilation=2)

    def forward(self, x: Any) -> Any:
        y = torch.cat([self.one(x), self.five(x), self.pool(x)], dim=1)
        return self.dilated(y).mean((2, 3))


class Norms(nn.Module):  # type: ignore[name-defined,misc]
    """Channels last for a layer norm, as in ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.deep, self.norm = (
            nn.Conv2d(3, 4, 2, 2),
            nn.Conv2d(4, 4, 3, padding=1, groups=4),
            nn.LayerNorm(4),
        )

    def forward(self, x: Any) -> Any:
        y = self.stem(x)
        z = self.norm(self.deep(y).permute(0, 2, 3, 1))
        return nn.functional.avg_pool2d(y + z.permute(0, 3, 1, 2), 2, ceil_mode=True)


@pytest.mark.parametrize(
    ("model", "shape", "layers"), [(Gated, (2, 11, 8), 5), (Shuffled, (4, 7, 9), 2), (Branched, (3, 9, 12), 6),
                                   (Norms, (3, 10, 7), 3)],
)  # fmt: skip
def test_small_models_equal_their_exports(model: Any, shape: tuple[int, ...], layers: int) -> None:
    torch.manual_seed(1)
    followed, _ = same(model().eval(), torch.randn(2, *shape))
    assert len(followed.layers) == layers


# ---------------------------------------------------------------------- torchvision

NAMES = {
    "resnet18": 72, "alexnet": 224, "squeezenet1_1": 72, "googlenet": 72, "shufflenet_v2_x1_0": 72, "mobilenet_v2": 72,
    "mobilenet_v3_small": 72, "efficientnet_b0": 72, "mnasnet0_5": 72, "regnet_y_400mf": 72, "convnext_tiny": 72,
    "densenet121": 72, "inception_v3": 107,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_architectures_of_torchvision_equal_their_exports(name: str) -> None:
    models = pytest.importorskip("torchvision.models", reason="the architectures are torchvision's")
    torch.manual_seed(0)
    plain = {"init_weights": False, "aux_logits": False} if name in ("googlenet", "inception_v3") else {}
    same(getattr(models, name)(**plain).eval(), torch.randn(1, 3, NAMES[name], NAMES[name]))
