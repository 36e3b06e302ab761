"""What all operators share: windows on axes, sizes, and the three formulas that follow from the one they state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar, Literal, TypeAlias

from symconv.doors import flag, items, plain_integer
from symconv.errors import ArgumentError, NotSupportedError
from symconv.formulas.algebra import Access, Guard, Node, product, summation
from symconv.formulas.bounds import Knowledge
from symconv.formulas.calculus import absorb, differentiate, normalize, without_single_values
from symconv.formulas.formula import Formula
from symconv.formulas.function import Kink
from symconv.formulas.index import Index
from symconv.formulas.naming import fresh_name, names_in
from symconv.formulas.quantity import Quantity, Tensor
from symconv.formulas.spelling import look
from symconv.formulas.symbols import SymbolTable, is_symbolic
from symconv.formulas.walks import transform
from symconv.operators.arrays import TakesArrays
from symconv.operators.frame import Axis, Geometry, collect_symbols, named_axes, note_symbols, numbered
from symconv.operators.generic import generic
from symconv.operators.kinds import Norm, PerAxis, Size, Whole
from symconv.operators.letters import Letters
from symconv.operators.option import axes_unsaid, documented, option_fields
from symconv.operators.options import Integer, integer, per_axis, to_index
from symconv.operators.stated import checked_body
from symconv.operators.window import Window, named_window

__all__ = ["Operator", "Variable"]

Variable: TypeAlias = Literal["input", "weight", "bias"]


class Operator(TakesArrays, ABC):
    """A sliding-window operator: a frozen dataclass of its options that states one formula, its `body`.

    All else follows from the formula: sizes, entries, derivatives and gradients, derivations with their proofs, LaTeX,
    and a kernel where one can be made. A subclass declares its options as fields that carry an
    `symconv.operators.option.Option`; `kernel_size`, and `stride`, `padding` and `dilation` where it has them, are its
    window. It says in `variables` whether it has a weight, of the size of the window; other tensors, other indices and
    windows that are not alike are for those who override `axes` and `windows`.

    Attributes:
        variables: the tensors that the output depends on.
        least_axes: how few spatial axes there may be.
        most_indices: how many indices a tensor has at most, where that is more than there are spatial axes.
        ndim: the number of spatial axes.
    """

    variables: ClassVar[tuple[Variable, ...]] = ("input",)
    least_axes: ClassVar[int] = 1
    most_indices: ClassVar[int] = 0
    ndim: int

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        cls.__doc__ = documented(cls)  # an option is described once, where it is declared

    @property
    def windows(self) -> tuple[Window, ...]:
        """The window of every spatial axis, with a padding rule turned into numbers where that is possible.

        There is none where the window differs from output to output.
        """
        window: Any = self  # what the class declares of its window, and what is neutral for the rest
        ceil_mode = getattr(self, "ceil_mode", False)
        options = zip(window.kernel_size, window.stride, window.dilation, strict=True)
        return tuple(named_window(window.padding, axis, k, s, d, ceil_mode) for axis, (k, s, d) in enumerate(options))

    def axes(self, role: str, geometry: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        """The indices of the tensor with a role; `primed` for a second copy of the same tensor's indices."""
        extents: dict[str, Sequence[Index]] = {
            "input": geometry.sizes,
            "weight": [window.k for window in self.windows],
            "output": geometry.outputs,
        }
        return named_axes(geometry.letters.axes(role, self.spatial_axes), extents[role])

    def tap_axes(self, geometry: Geometry) -> tuple[Axis, ...]:
        """The indices of the taps of a window, over which a formula sums or takes a maximum."""
        return named_axes(geometry.letters.axes("weight", self.spatial_axes), [window.k for window in self.windows])

    def tap_entry(self, geometry: Geometry) -> Access:
        """The input entry that the taps of `tap_axes` read; in the padding it is zero."""
        places = zip(self.windows, self.axes("output", geometry), self.tap_axes(geometry), geometry.sizes, strict=True)
        return Access(geometry.letters.input, tuple(w.tap(o.index, m.index, n) for w, o, m, n in places))

    def tap_weight(self, geometry: Geometry) -> Access:
        """The weight of the taps of `tap_axes`."""
        return Access(geometry.letters.weight, tuple(tap.index for tap in self.tap_axes(geometry)))

    @abstractmethod
    def body(self, geometry: Geometry) -> Node:
        """The exact formula of one output entry (0-based), in the letters of `geometry`."""

    @property
    def noun(self) -> str:
        """What the operator is called in a sentence."""
        return type(self).__name__

    @property
    def phrase(self) -> str:
        """The same with its article where it takes one."""
        return self.noun

    @classmethod
    def every_variable(cls) -> tuple[Variable, ...]:
        """The variables that an operator of this class can have, whatever its options."""
        return cls.variables

    def tie_policy(self) -> Literal["first", "split"]:
        """How a maximum shares its gradient among equal taps."""
        return "first"

    @property
    def refuses_ties(self) -> bool:
        """Whether data with several largest entries in a window are refused where a gradient depends on them."""
        return False

    def kink_policy(self) -> Kink:
        """What the derivative of max(0, x) and min(0, x) is at 0."""
        return "undefined"

    def __post_init__(self) -> None:
        """Read every option by its kind: first the sizes, which say how many spatial axes there are."""
        put = object.__setattr__
        known = option_fields(type(self))
        sizes = [name for name, (option, _) in known.items() if isinstance(option.kind, Size)]
        sizes.sort(key=lambda name: items(getattr(self, known[name][1].name)) is None)  # one number says nothing of it
        if not sizes:
            plain_integer("ndim", self.ndim, self.least_axes)
        for place, name in enumerate(dict.fromkeys((*sizes, *known))):
            option, entry = known[name]
            is_size = isinstance(option.kind, Size)
            value = getattr(self, entry.name)
            if value is None and isinstance(option.kind, PerAxis) and option.kind.follows:
                value = getattr(self, option.kind.follows)
            if is_size and place:
                put(self, entry.name, per_axis(name, value, self.ndim, 1))
            else:
                put(self, entry.name, option.kind.checked(name, value, self.ndim))
            if is_size:
                put(self, "ndim", len(getattr(self, entry.name)))
        if "kernel_size" in known:
            for name, neutral in (("stride", 1), ("padding", (0, 0)), ("dilation", 1)):
                if name not in known:  # a window without the option
                    put(self, name, (neutral,) * self.ndim)

    def __repr__(self) -> str:
        known = option_fields(type(self))
        shown = []
        for name, value in self.options().items():
            if name in known:
                option, entry = known[name]
                # the length of a size says how many axes there are, so it is always written out
                if not isinstance(option.kind, Size):
                    value = option.neutral if option.is_neutral(value) else _compact(value)
                if value != entry.default:
                    shown.append(f"{name}={value!r}")
        if axes_unsaid(type(self)) not in (None, self.ndim):
            shown.append(f"ndim={self.ndim}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_latex_(self) -> str:
        return self.output()._repr_latex_()

    def options(self) -> dict[str, Any]:
        """The options by the names under which the operator is declared."""
        named = {entry.name: name for name, (_, entry) in option_fields(type(self)).items()}
        return {named.get(e.name, e.name): getattr(self, e.name) for e in fields(self)}  # type: ignore[arg-type]

    @classmethod
    def size_letters(cls) -> dict[str, str]:
        """The options that are sizes, and their letters where all sizes are symbolic; the padding may have two."""
        found = {}
        for name, (option, _) in option_fields(cls).items():
            if option.letter:
                found[name] = option.letter
            if option.after:
                found[f"{name}_after"] = option.after
        return found

    # ------------------------------------------------------------------ sizes

    @property
    def spatial_axes(self) -> int:
        """The number of spatial axes."""
        return self.ndim

    def output_size(self, n: Integer | Sequence[Integer]) -> tuple[Integer, ...]:
        """The output size of every spatial axis: integers for integers, else exact SymPy expressions with floor.

        Args:
            n: the input size, one entry a spatial axis (one entry alone for a single axis).

        Raises:
            GeometryError: where no window fits.
            ArgumentError: for a wrong number of entries.
        """
        entries = items(n)
        given = (n,) if entries is None else entries
        if len(given) != self.spatial_axes:
            raise ArgumentError("input_size", n, f"must have {self.spatial_axes} entries, one a spatial axis")
        return tuple(self.axis_output_size(axis, integer("input_size", entry, 1)) for axis, entry in enumerate(given))

    def axis_output_size(self, axis: int, n: Integer) -> Integer:
        """The output size of one spatial axis for an input of length `n`.

        Raises:
            GeometryError: where no window fits.
        """
        return self.windows[axis].output_size(n)

    def generic(
        self, *, keep: Sequence[str] = (), shared: bool = False, letters: Mapping[str, str] | None = None
    ) -> Any:
        """The same operator with all its sizes symbolic: kernel K, stride S, padding P, dilation D, one an axis.

        Where the padding after the input differs from the one before it, it is Q; a negative padding stays a number.

        Args:
            keep: options to leave as they are, such as ``("stride", "padding")``.
            shared: one symbol for an option that is equal on all axes, such as K for a square kernel; otherwise every
                axis has symbols of its own.
            letters: other letters than these, by option, such as ``{"stride": "T"}``.

        Raises:
            ArgumentError: for a name in `keep` or `letters` that is not a size option of this operator.
        """
        return generic(self, keep, flag("shared", shared), letters)

    # ------------------------------------------------------------------ formulas

    def geometry(self, letters: Letters, input_size: Sequence[int] | None = None) -> Geometry:
        """The index frame: symbolic input sizes I (I_1, I_2, ...), or given ones."""
        ndim = self.spatial_axes
        symbols = self.size_symbols()
        _check_looks((*symbols, *self.reals()))
        lower: dict[str, int] = {}
        letters = letters.avoiding((*symbols, *self.reals()), max(ndim, self.most_indices))
        lower.update(dict.fromkeys(self.reals(), 1))
        taken = {*symbols, *self.reals(), *letters.names}
        self.parameters(lambda name, least: lower.__setitem__(name, max(least, lower.get(name, least))))
        known = Knowledge(lower)
        above = [to_index(value, {}, "option") - least for value, least in self._limited() if is_symbolic(value)]
        within = letters.within
        if input_size is None:
            free = tuple(fresh_name(name, taken) for name in numbered("I", ndim))
            sizes = self.input_sizes(free)
            if within is not None:  # what the options leave open is for the network to say
                said = dict(zip(map(Index.of, free), within.sizes, strict=True))
                sizes = tuple(said.get(size, size) for size in sizes)
            found = (*sizes, within.channels) if within and within.channels is not None else sizes
            lower.update({name: 1 for size in found for name in size.names if name not in symbols})
        else:
            sizes = tuple(Index.of(n) for n in input_size)
        outputs, definitions = [], []
        facts = [expr for expr in dict.fromkeys(above) if not known.nonnegative(expr)]
        for axis, size in enumerate(sizes):
            count = self.count(axis, size)
            if count.value is None and count not in map(Index.of, count.names):
                name = fresh_name((within.outputs if within else numbered("O", ndim))[axis], taken)
                definitions.append((name, count))
                lower[name] = 1
                count = Index.of(name)
            outputs.append(count)
            facts += [guard.expr for guard in self.facts(axis, size) if guard.truth is None]
        return Geometry(letters, sizes, tuple(outputs), tuple(definitions), lower, tuple(facts), symbols)

    def input_sizes(self, names: Sequence[str]) -> tuple[Index, ...]:
        """The input size of every spatial axis where none is given: a free name, or what the options leave of it."""
        return tuple(Index.of(name) for name in names)

    def count(self, axis: int, size: Index) -> Index:
        """The number of outputs on an axis."""
        return self.windows[axis].outputs(size)

    def facts(self, axis: int, size: Index) -> list[Guard]:
        """What is taken for granted of symbolic sizes on an axis, such as that a window fits."""
        return self.windows[axis].facts(size)

    def parameters(self, note: Callable[[str, int], None]) -> None:
        """Tell `note` the least value of every option that is a bare symbol."""
        for window in self.windows:
            window.parameters(note)
        for value, least in self._limited():
            note_symbols((value,), least, note)
        for name, sym in self.size_symbols().items():  # such as a divisor that is declared positive
            if sym.is_nonnegative:
                note(name, 1 if sym.is_positive else 0)

    def _limited(self) -> Iterator[tuple[Integer, int]]:
        """The options that must not be below a number, each with that number."""
        for option, entry in option_fields(type(self)).values():
            value = getattr(self, entry.name)
            if isinstance(option.kind, PerAxis):
                yield from ((on_axis, option.kind.least) for on_axis in value)
            elif isinstance(option.kind, Whole) and option.kind.least is not None:
                yield value, option.kind.least

    def output(
        self,
        *,
        names: Mapping[str, str] | Letters | None = None,
        index_base: int = 0,
        input_size: int | Sequence[int] | None = None,
    ) -> Formula:
        """The formula of one output entry.

        Args:
            names: letters to use instead of a, b, c, ... (see `Letters`).
            index_base: 0 or 1, where indices start.
            input_size: fix the input size instead of leaving it symbolic.
        """
        frame = self._frame(names, index_base, input_size)
        free = self.all_axes("output", frame)
        quantity = Quantity("entry", (frame.letters.output, tuple(axis.name for axis in free)))
        return self._formula(quantity, free, self._stated(frame), frame, self._reads(), index_base)

    def derivative(
        self,
        wrt: Variable = "input",
        *,
        names: Mapping[str, str] | Letters | None = None,
        index_base: int = 0,
        input_size: int | Sequence[int] | None = None,
    ) -> Formula:
        """The closed form of the derivative of one output entry by one entry of a variable.

        The free indices are those of the output, then those of the variable.

        Args:
            wrt: "input", "weight" or "bias".
            names: letters to use.
            index_base: 0 or 1.
            input_size: fix the input size instead of leaving it symbolic.

        Raises:
            ArgumentError: for a variable that this operator does not have.
        """
        frame = self._frame(names, index_base, input_size)
        variable, target = self._variable(wrt, frame)
        outputs = self.all_axes("output", frame)
        body = self._differentiated(frame, variable, target)
        quantity = Quantity(
            "derivative",
            (frame.letters.output, tuple(axis.name for axis in outputs)),
            (target.name, tuple(axis.name for axis in variable)),
        )
        return self._formula(quantity, (*outputs, *variable), body, frame, self._reads(), index_base, close=True)

    def gradient(
        self,
        wrt: Variable = "input",
        *,
        names: Mapping[str, str] | Letters | None = None,
        index_base: int = 0,
        input_size: int | Sequence[int] | None = None,
    ) -> Formula:
        """The gradient of an error by one entry of a variable, for an upstream gradient g = dE/dc.

        Args and Raises: as for `derivative`.
        """
        frame = self._frame(names, index_base, input_size)
        variable, target = self._variable(wrt, frame)
        outputs = self.all_axes("output", frame)
        upstream = Access(frame.letters.upstream, tuple(axis.index for axis in outputs))
        inner = self._differentiated(frame, variable, target)
        body = summation(product(upstream, inner), *(axis.bound for axis in outputs))
        quantity = Quantity("gradient", (frame.letters.error, ()), (target.name, tuple(axis.name for axis in variable)))
        return self._formula(quantity, variable, body, frame, ("upstream", *self._reads()), index_base, close=True)

    def _differentiated(self, frame: Geometry, variable: Sequence[Axis], target: Tensor) -> Node:
        at = tuple(axis.index for axis in variable)
        return differentiate(
            self._stated(frame), target.name, at, self.tie_policy(), alone=self.refuses_ties, kinks=self.kink_policy()
        )

    def _reads(self) -> tuple[str, ...]:
        return self.variables

    def _frame(
        self, names: Mapping[str, str] | Letters | None, index_base: int, input_size: int | Sequence[int] | None
    ) -> Geometry:
        if plain_integer("index_base", index_base, requirement="must be 0 or 1") not in (0, 1):
            raise ArgumentError("index_base", index_base, "must be 0 or 1")
        if input_size is None:
            return self.geometry(Letters.of(names))
        entries = items(input_size)
        given = (input_size,) if entries is None else entries
        sizes = tuple(integer("input_size", n, None) for n in given)
        if not all(isinstance(n, int) for n in sizes):
            raise ArgumentError("input_size", input_size, "must be integers", "leave it out for symbolic sizes")
        self.output_size(sizes)  # refuses sizes where no window fits
        return self.geometry(Letters.of(names), sizes)

    def _stated(self, frame: Geometry) -> Node:
        """The body, after a look at what it speaks of: the tensors of this operator, and indices that have a range.

        Raises:
            NotSupportedError: for anything else; it says what.
        """
        ranks = {getattr(frame.letters, role): len(self.axes(role, frame)) for role in self._reads()}
        names = {axis.name for axis in self.axes("output", frame)} | frame.lower.keys() | frame.symbols.keys()
        names.update(name for name, _ in frame.definitions)
        body = checked_body(type(self).__name__, self.body(frame), ranks, names)
        return self._of_channel(body, frame)

    def all_axes(self, role: str, frame: Geometry, *, primed: bool = False) -> tuple[Axis, ...]:
        """The indices of a tensor as formulas have them: `axes`, and before them the channel in a network.

        There it stands for an operator that takes every channel by itself; its weight is the same for all of them.
        """
        own = self.axes(role, frame, primed=primed)
        if frame.letters.within is None or frame.letters.within.channels is None or role in ("weight", "bias"):
            return own
        letter = frame.letters.output_channel if role == "output" else frame.letters.input_channel
        return (Axis(letter, frame.letters.within.channels), *own)

    def _of_channel(self, body: Node, frame: Geometry) -> Node:
        """A formula of one channel with the index of the channel in it, where `all_axes` has one."""
        outputs = self.all_axes("output", frame)
        lead = tuple(axis.index for axis in outputs[: len(outputs) - len(self.axes("output", frame))])
        if not lead:
            return body
        if {axis.name for axis in outputs} & names_in(body) - {axis.name for axis in self.axes("output", frame)}:
            raise NotSupportedError(f"{type(self).__name__}.body uses {outputs[0].name}, the index of a channel")
        shared = {frame.letters.weight, frame.letters.bias}

        def change(node: Node) -> Node | None:
            if isinstance(node, Access) and node.tensor not in shared:
                return Access(node.tensor, (*lead, *node.index))
            return None

        return transform(body, change)

    def check_variable(self, wrt: object) -> None:
        """Refuse what is no variable of this operator.

        Raises:
            ArgumentError: for anything but one of `variables`.
        """
        if not isinstance(wrt, str) or wrt not in self.variables:
            raise ArgumentError("wrt", wrt, f"must be a variable of {type(self).__name__}: {', '.join(self.variables)}")

    def _variable(self, wrt: str, frame: Geometry) -> tuple[tuple[Axis, ...], Tensor]:
        self.check_variable(wrt)
        axes = self.all_axes(wrt, frame, primed=wrt == "bias")
        return axes, frame.tensor(wrt, axes)

    def _formula(
        self,
        quantity: Quantity,
        free: Sequence[Axis],
        body: Node,
        frame: Geometry,
        roles: Sequence[str],
        index_base: int,
        close: bool = False,
    ) -> Formula:
        tensors = []
        for role in roles:
            axes = self.all_axes("output" if role == "upstream" else role, frame)
            tensors.append(frame.tensor(role, axes))
        sizes = tuple(name for size in frame.sizes for name in size.names)
        real = frozenset(self.reals())
        table = SymbolTable(
            frame.symbols,
            positive=frozenset(frame.lower),  # our own: whatever else has a least value is known as it was given
            real=real,
        )
        formula = Formula(
            quantity,
            tuple(axis.bound for axis in free),
            body,
            tuple(tensors),
            sizes,
            frame.definitions,
            tuple(sorted(frame.lower.items())),
            frame.facts,
            0,
            table,
            self.refuses_ties,
        )
        if close:
            formula = formula.with_body(self.closed(formula))
        return formula.rebased(index_base)

    def closed(self, formula: Formula) -> Node:
        """The closed form of the body of a derivative or gradient."""
        return close_form(formula)

    def size_symbols(self, axis: int | None = None, options: Sequence[str] | None = None) -> dict[str, Any]:
        """The SymPy symbols of options, or of what they say of one axis; the order of a norm is no size.

        Args:
            axis: the axis; all of them if left out.
            options: the options; all of them if left out.
        """
        symbols: dict[str, Any] = {}
        for name, (option, entry) in option_fields(type(self)).items():
            value = getattr(self, entry.name)
            if options is not None and name not in options:
                continue
            if not isinstance(option.kind, Norm) and (axis is None or isinstance(value, tuple)):
                collect_symbols(value if axis is None else value[axis], symbols, name)
        return symbols

    def reals(self) -> tuple[str, ...]:
        """Names of real parameters, such as a symbolic p of an LP norm."""
        known = option_fields(type(self)).values()
        orders = (getattr(self, entry.name) for option, entry in known if isinstance(option.kind, Norm))
        return tuple(order.name for order in orders if is_symbolic(order))


def _check_looks(names: Sequence[str]) -> None:
    """Refuse symbols of one operator that print alike, or one like a product of others."""
    seen: dict[str, str] = {}
    looks = set(map(look, names))
    for name in names:
        other = seen.setdefault(look(name), name)
        if len(look(name)) > 1 and looks.issuperset(look(name)):
            other = "·".join(look(name))
        if other != name:
            raise ArgumentError(
                "options", f"{other}, {name}", "must have symbols that do not print alike", "rename one of them"
            )


def close_form(formula: Formula) -> Node:
    """The closed form of a body: sifted, without settled guards and without those that a tensor's box implies."""
    node = normalize(without_single_values(formula.body), formula.knowledge())
    return absorb(node, formula.boxes)


def _compact(value: Any) -> Any:
    """An option as one would write it: equal pairs as one entry, equal entries of a stride or padding stay a tuple."""
    if not isinstance(value, tuple):
        return value
    entries = tuple(v[0] if isinstance(v, tuple) and v[0] == v[1] else v for v in value)
    return 1 if set(entries) == {1} else entries
