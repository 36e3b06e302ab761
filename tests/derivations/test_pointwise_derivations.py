"""The printed derivations of functions of one value, whole."""

from __future__ import annotations

from collections.abc import Callable

import symconv as sc


def test_the_derivation_of_relu(golden: Callable[[str, str], None]) -> None:
    pieces = [sc.derive(sc.ReLU(), "gradient").text(), sc.derive(sc.ReLU("zero", ndim=2), "gradient").latex()]
    golden("relu.txt", "\n\n".join(pieces) + "\n")


def test_the_derivation_of_softmax(golden: Callable[[str, str], None]) -> None:
    pieces = [sc.derive(sc.Softmax(), "gradient").text(), sc.derive(sc.LogSoftmax(), "derivative").latex()]
    golden("softmax.txt", "\n\n".join(pieces) + "\n")


def test_the_derivation_of_cross_entropy(golden: Callable[[str, str], None]) -> None:
    pieces = [
        sc.derive(sc.CrossEntropy(None, from_logits=True), "gradient").text(),
        sc.derive(sc.CrossEntropy(1), "derivative").latex(),
    ]
    golden("cross-entropy.txt", "\n\n".join(pieces) + "\n")
