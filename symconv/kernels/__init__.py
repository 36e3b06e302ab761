"""Formulas as programs over arrays: `compile` and what it is made of.

The rooms, each of which imports only those before it:

    form       what a tap form is: how a formula reads its input, and which kind of formula it is
    runtime    what every call goes through: arguments, layouts, the choice of a plan, the kernel around them
    arrays     array routines that engines run, and that their source shows
    programs   array programs written from formulas, their derivatives included, and run block by block
    plans      one file a plan: its pattern, its rewrite, its cost, its engine
    adapters   operators that are no window over one input, or that run by way of another's
    backends   one folder a backend: which plans there are for which kind of formula

and `accuracy` beside them: what a plan promises of its rounding errors.
"""
