"""Sliding-window operators, convolution and pooling: derived, proved, printed and run from one exact formula.

The public names; each is imported when it is first used, so that ``import symconv`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symconv.audits.audit import audit
    from symconv.audits.certification import Certification
    from symconv.audits.certify import certify
    from symconv.audits.departure import AuditReport, Departure
    from symconv.audits.diagnose import diagnose
    from symconv.audits.explanation import Explanation
    from symconv.certificates.certificate import Certificate, certificate
    from symconv.claims.check import check_claim
    from symconv.claims.claim_verdict import ClaimVerdict
    from symconv.claims.declarations import Declarations
    from symconv.derivations.derive import derive
    from symconv.derivations.step import Derivation, Step
    from symconv.errors import (
        ArgumentError,
        GeometryError,
        NotSupportedError,
        ProblemFileError,
        RenderError,
        SizeLimitError,
        SymconvError,
        WriteError,
    )
    from symconv.formulas.formula import Formula
    from symconv.kernels.compile import compile
    from symconv.kernels.runtime.contract import Kernel
    from symconv.operators.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
    from symconv.operators.base import Operator
    from symconv.operators.convolution import Conv
    from symconv.operators.cross_entropy import CrossEntropy
    from symconv.operators.dense import Dense
    from symconv.operators.flatten import Flatten
    from symconv.operators.gradients import Gradients
    from symconv.operators.importers.imported import ConventionWarning
    from symconv.operators.importers.keras import from_keras
    from symconv.operators.importers.onnx import from_onnx
    from symconv.operators.importers.text import from_text
    from symconv.operators.importers.torch import from_torch
    from symconv.operators.joining import Add
    from symconv.operators.leaky_relu import LeakyReLU
    from symconv.operators.log_softmax import LogSoftmax
    from symconv.operators.morphology import Dilation, Erosion
    from symconv.operators.networks.keras_graph import network_from_keras
    from symconv.operators.networks.network import Network
    from symconv.operators.networks.onnx_graph import network_from_onnx
    from symconv.operators.networks.printed import network_from_text
    from symconv.operators.networks.torch_graph import network_from_torch
    from symconv.operators.normalisation import BatchNorm
    from symconv.operators.patches import Fold, Unfold
    from symconv.operators.pooling import AvgPool, LPPool, MaxPool
    from symconv.operators.relu import ReLU
    from symconv.operators.settings import settings_for
    from symconv.operators.sigmoid import Sigmoid
    from symconv.operators.sizing import size_report
    from symconv.operators.softmax import Softmax
    from symconv.operators.softplus import Softplus
    from symconv.operators.squared_error import SquaredError
    from symconv.operators.tanh import Tanh
    from symconv.operators.transposed import ConvTranspose
    from symconv.operators.unpooling import MaxUnpool
    from symconv.operators.window import Window
    from symconv.problems.build import build_document
    from symconv.problems.check import check
    from symconv.problems.problem import Problem
    from symconv.problems.reading import load_problem
    from symconv.proofs.prove import prove
    from symconv.proofs.verdict import Verdict
    from symconv.report.document import Document
    from symconv.report.plates.figure import Figure, figure
    from symconv.report.render import to_html, to_latex, to_pdf

    __version__: str

__all__ = [
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "Add",
    "ArgumentError",
    "AuditReport",
    "AvgPool",
    "BatchNorm",
    "Certificate",
    "Certification",
    "ClaimVerdict",
    "Conv",
    "ConvTranspose",
    "ConventionWarning",
    "CrossEntropy",
    "Declarations",
    "Dense",
    "Departure",
    "Derivation",
    "Dilation",
    "Document",
    "Erosion",
    "Explanation",
    "Figure",
    "Flatten",
    "Fold",
    "Formula",
    "GeometryError",
    "Gradients",
    "Kernel",
    "LPPool",
    "LeakyReLU",
    "LogSoftmax",
    "MaxPool",
    "MaxUnpool",
    "Network",
    "NotSupportedError",
    "Operator",
    "Problem",
    "ProblemFileError",
    "ReLU",
    "RenderError",
    "Sigmoid",
    "SizeLimitError",
    "Softmax",
    "Softplus",
    "SquaredError",
    "Step",
    "SymconvError",
    "Tanh",
    "Unfold",
    "Verdict",
    "Window",
    "WriteError",
    "__version__",
    "audit",
    "build_document",
    "certificate",
    "certify",
    "check",
    "check_claim",
    "compile",
    "derive",
    "diagnose",
    "figure",
    "from_keras",
    "from_onnx",
    "from_text",
    "from_torch",
    "load_problem",
    "network_from_keras",
    "network_from_onnx",
    "network_from_text",
    "network_from_torch",
    "prove",
    "settings_for",
    "size_report",
    "to_html",
    "to_latex",
    "to_pdf",
]

_HOME = {
    "audits.audit": ("audit",),
    "audits.departure": ("AuditReport", "Departure"),
    "audits.certification": ("Certification",),
    "audits.certify": ("certify",),
    "audits.diagnose": ("diagnose",),
    "audits.explanation": ("Explanation",),
    "certificates.certificate": ("Certificate", "certificate"),
    "claims.check": ("check_claim",),
    "claims.claim_verdict": ("ClaimVerdict",),
    "claims.declarations": ("Declarations",),
    "derivations.derive": ("derive",),
    "derivations.step": ("Derivation", "Step"),
    "errors": (
        "ArgumentError",
        "GeometryError",
        "NotSupportedError",
        "ProblemFileError",
        "RenderError",
        "SizeLimitError",
        "SymconvError",
        "WriteError",
    ),
    "formulas.formula": ("Formula",),
    "kernels.compile": ("compile",),
    "kernels.runtime.contract": ("Kernel",),
    "operators.gradients": ("Gradients",),
    "operators.dense": ("Dense",),
    "operators.flatten": ("Flatten",),
    "operators.joining": ("Add",),
    "operators.normalisation": ("BatchNorm",),
    "operators.networks.network": ("Network",),
    "operators.base": ("Operator",),
    "operators.adaptive": ("AdaptiveAvgPool", "AdaptiveMaxPool"),
    "operators.convolution": ("Conv",),
    "operators.importers.imported": ("ConventionWarning",),
    "operators.importers.keras": ("from_keras",),
    "operators.importers.onnx": ("from_onnx",),
    "operators.importers.text": ("from_text",),
    "operators.importers.torch": ("from_torch",),
    "operators.morphology": ("Dilation", "Erosion"),
    "operators.networks.keras_graph": ("network_from_keras",),
    "operators.networks.onnx_graph": ("network_from_onnx",),
    "operators.networks.printed": ("network_from_text",),
    "operators.networks.torch_graph": ("network_from_torch",),
    "operators.patches": ("Fold", "Unfold"),
    "operators.pooling": ("AvgPool", "LPPool", "MaxPool"),
    "operators.relu": ("ReLU",),
    "operators.leaky_relu": ("LeakyReLU",),
    "operators.sigmoid": ("Sigmoid",),
    "operators.tanh": ("Tanh",),
    "operators.softplus": ("Softplus",),
    "operators.softmax": ("Softmax",),
    "operators.log_softmax": ("LogSoftmax",),
    "operators.cross_entropy": ("CrossEntropy",),
    "operators.squared_error": ("SquaredError",),
    "operators.settings": ("settings_for",),
    "operators.sizing": ("size_report",),
    "operators.transposed": ("ConvTranspose",),
    "operators.unpooling": ("MaxUnpool",),
    "operators.window": ("Window",),
    "problems.build": ("build_document",),
    "problems.check": ("check",),
    "problems.problem": ("Problem",),
    "problems.reading": ("load_problem",),
    "proofs.prove": ("prove",),
    "proofs.verdict": ("Verdict",),
    "report.document": ("Document",),
    "report.plates.figure": ("Figure", "figure"),
    "report.render": ("to_html", "to_latex", "to_pdf"),
}
_MODULE = {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives (PEP 562); it is looked up here only once."""
    if name == "__version__":
        value: Any = _version()
    elif name in _MODULE:
        value = getattr(import_module(_MODULE[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    """The version of the installed distribution."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("symconv")
    except PackageNotFoundError:
        return "0+source"
