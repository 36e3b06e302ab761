"""One meaning for each letter: the letters of the tensors of a network, those of a file first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain

from symconv.errors import ArgumentError
from symconv.operators.networks.given import given_roles
from symconv.operators.networks.network import Network

__all__ = ["allocated"]

_WANTED = {
    "input": "X",
    "weight": "WVUK",
    "bias": "bdc",
    "target": "y",
    "Conv": "ZYQ",
    "ConvTranspose": "ZYQ",
    "ReLU": "AB",
    "LeakyReLU": "AB",
    "MaxPool": "HP",
    "AvgPool": "HP",
    "LPPool": "HP",
    "Flatten": "f",
    "Dense": "st",
    "Softmax": ("pi",),
    "LogSoftmax": ("lambda",),
    "CrossEntropy": "EL",
    "SquaredError": "EL",
    "Add": "RS",
}
_OTHERS = ("C", "F", "M", "N", "R", "T", "G", "J", "O", "alpha", "beta", "gamma", "eta", "theta", "kappa", "mu", "rho")


def allocated(network: Network, given: Mapping[str, str], taken: Iterable[str] = ()) -> dict[str, str]:
    """A letter for every tensor of a network, no two alike, whatever their case: an entry takes the small letter.

    Args:
        network: the network.
        given: letters that are decided, by the names that `symconv.report.worked.Worked` has for tensors.
        taken: further letters that mean something in the question.

    Returns:
        All of `given`, and a letter for every other tensor; those that are left without one are called by a letter and
        a number.

    Raises:
        ArgumentError: where one letter is given to two tensors.

    >>> from symconv.operators.convolution import Conv
    >>> from symconv.operators.relu import ReLU
    >>> allocated(Network([("one", Conv(3)), ("two", Conv(3)), ("cut", ReLU())]), {"one": "C", "one.weight": "W"})
    {'one': 'C', 'one.weight': 'W', 'input': 'X', 'two.weight': 'V', 'two': 'Z', 'cut': 'A'}
    """
    found = dict(given)
    used = {letter.lower() for letter in taken}
    for name, letter in given.items():
        if letter.lower() in used:
            other = next((n for n, own in given.items() if n != name and own.lower() == letter.lower()), "the question")
            wanted = f"must mean one thing, whatever its case, and it is that of {other} too"
            raise ArgumentError(f"the letter of {name}", letter, wanted, "name one of them by another letter")
        used.add(letter.lower())
    for name, kind in _tensors(network):
        if name not in found:
            numbered = (f"{_WANTED.get(kind, 'T')[0]}{n}" for n in range(2, 10_000))
            found[name] = next(x for x in chain(_WANTED.get(kind, ()), _OTHERS, numbered) if x.lower() not in used)
            used.add(found[name].lower())
    return found


def _tensors(network: Network) -> Iterable[tuple[str, str]]:
    """The names of the tensors, each with its kind."""
    yield "input", "input"
    for name, op in network.layers:
        for role in given_roles(op):
            yield f"{name}.{role}", role
        yield name, type(op).__name__
