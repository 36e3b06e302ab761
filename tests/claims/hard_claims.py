"""Claims that ask for much work: many axes, strides, dilation, products of sums, wide padding, many terms, large sizes.

Beside each stands the verdict that is due. What is true and too much work is undecided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import symconv as sc
from symconv.claims.declarations import Declarations
from symconv.operators.base import Operator

__all__ = ["HARD", "Hard"]

STRIDED = {"I": "input", "K": "kernel", "O": "output", "S": "stride"}
ALL = {**STRIDED, "P": "padding", "D": "dilation"}


@dataclass(frozen=True)
class Hard:
    """A claim, its layer and the rest of its declarations; `general` asks for all sizes."""

    name: str
    op: Operator
    size: tuple[int, ...]
    text: str
    general: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def declared(self) -> Declarations:
        return Declarations(self.op, self.size, **self.options)


LINE = sc.Conv((2,))
STEPS = sc.Conv((3,), stride=2, padding=1)
PLANE = sc.Conv((3, 3))
PLANE_STEPS = sc.Conv((3, 3), stride=2, padding=1, dilation=2)
SPACE = sc.Conv((2, 2, 2))
POOL = sc.AvgPool((2,), stride=2)
PLANE_POOL = sc.AvgPool((2, 2), stride=2)
PADDED_POOL = sc.AvgPool((3, 3), stride=2, padding=1, count_include_pad=False)
PLANE_MAX = sc.MaxPool((3, 3), stride=2, padding=1)
WINDOWS = {"sets": ("S",)}
NAMED = {"sizes": ALL}

HARD = [
    # products of sums, and sums of many terms
    Hard("the square of the output", LINE, (4,), "c[p]**2 == sum(a[p+m-1]*a[p+n-1]*b[m]*b[n],(m,1,K),(n,1,K))"),
    Hard("the cube of the output", LINE, (4,), "c[p]**3 == sum(a[p+m-1]*b[m],(m,1,K))**3"),
    Hard("the sixth power", LINE, (4,), "c[p]**6 == c[p]*c[p]*c[p]*c[p]*c[p]*c[p]"),
    Hard("the eighth power of a long window", sc.Conv((9,)), (12,), "c[p]**8 == c[p]**4*c[p]**4", general=False),
    Hard("a product of six sums", LINE, (4,), "*".join(["sum(a[m]*b[m],(m,1,K))"] * 6) + " == sum(a[m]*b[m],(m,1,K))"),
    Hard("a binomial", LINE, (4,), "(c[p]+a[p])**2 == c[p]**2+2*a[p]*c[p]+a[p]**2"),
    Hard("a binomial to the sixth", LINE, (4,), "(a[p]+b[1])**6 == " + "*".join(["(b[1]+a[p])"] * 6)),
    Hard("a power of a sum of nine", sc.Conv((9,)), (20,), "sum(b[m],(m,1,9))**6 == sum(b[10-m],(m,1,9))**6", False),
    Hard("forty terms", LINE, (4,), "+".join(f"a[p+{k}]*b[{1 + k % 2}]" for k in range(40)) + " == c[p]"),
    Hard("forty equal terms", LINE, (4,), " + ".join(["c[p]"] * 40) + " == 40*c[p]"),
    Hard("many different sums", LINE, (4,), "+".join(f"sum(a[p+m+{k}]*b[m],(m,1,K))" for k in range(24)) + " == c[p]"),
    # strides, dilation, padding
    Hard("a strided layer of two axes", PLANE_STEPS, (9, 9),
         "c[p,q] == sum(a[S*p+D*m-P-1,S*q+D*n-P-1]*b[m,n],(m,1,K),(n,1,K))", options=NAMED),
    Hard("a gradient with stride and dilation", PLANE_STEPS, (9, 9),
         "diff(E,a[i,j]) == sum(diff(E,c[p,q])*b[i-S*p+P,j-S*q+P],(p,1,O),(q,1,O))", options=NAMED),
    Hard("the gradient for the kernel", PLANE_STEPS, (9, 9),
         "diff(E,b[m,n]) == sum(diff(E,c[p,q])*a[S*(p-1)+D*(m-1)-P+1,S*(q-1)+D*(n-1)-P+2],(p,1,O),(q,1,O))",
         options=NAMED),
    Hard("strides that do not divide", sc.Conv((5, 5), stride=3, padding=2, dilation=3), (40, 40),
         "diff(E,a[i,j]) == sum(diff(E,c[p,q])*b[m,n],(p,1,O),(q,1,O),(m,1,K),(n,1,K))", options=NAMED),
    Hard("wide padding", sc.Conv((3,), padding=200), (5,), "c[p] == sum(a[p+m-201]*b[m],(m,1,3))", general=False),
    Hard("wide padding, wrong", sc.Conv((3,), padding=200), (5,), "c[p] == sum(a[p+m-200]*b[m],(m,1,3))", False),
    Hard("wide padding of two axes", sc.Conv((3, 3), padding=100), (5, 5),
         "c[p,q] == sum(a[p+m-101,q+n-101]*b[m,n],(m,1,3),(n,1,3))", general=False),
    Hard("padding for all sizes", STEPS, (7,), "c[p] == sum(a[S*p-P+m-1]*b[m],(m,1,K))", options=NAMED),
    Hard("three axes", SPACE, (4, 4, 4),
         "diff(E,a[i,j,k]) == sum(diff(E,c[i-l+1,j-m+1,k-n+1])*b[l,m,n],(l,1,K),(m,1,K),(n,1,K))",
         options={"indices": {"i": "input 1", "j": "input 2", "k": "input 3"}}),
    Hard("three axes, wrong", SPACE, (4, 4, 4),
         "diff(E,a[i,j,k]) == sum(diff(E,c[i-l+1,j-m+1,k-n+1])*b[n,m,l],(l,1,K),(m,1,K),(n,1,K))",
         options={"indices": {"i": "input 1", "j": "input 2", "k": "input 3"}}),
    # poolings: divisors, window sets, maxima in each other
    Hard("an average with K*K", PLANE_POOL, (4, 4), "c[p,q] == sum(a[2*p+m-2,2*q+n-2],(m,1,K),(n,1,K))/(K*K)"),
    Hard("an average with K**2", PLANE_POOL, (4, 4), "c[p,q] == sum(a[2*p+m-2,2*q+n-2],(m,1,K),(n,1,K))/K**2"),
    Hard("an average times its count", PADDED_POOL, (7, 7), "c[p,q]*size(S[p,q]) == sum(a[s,t],(s,t) in S[p,q])",
         options=WINDOWS),
    Hard("an average times a count that pads", sc.AvgPool((3,), stride=2, padding=1), (7,),
         "c[p]*size(S[p]) == sum(a[s],s in S[p])", options=WINDOWS),
    Hard("an average of one axis", sc.AvgPool((3,), stride=2, padding=1, count_include_pad=False), (7,),
         "c[p]*size(S[p]) == sum(a[s],s in S[p])", options={**WINDOWS, "sizes": {"T": "stride", "P": "padding"}}),
    Hard("a maximum of twice", PLANE_MAX, (7, 7), "2*c[p,q] == max(2*a[s,t],(s,t) in S[p,q])", options=WINDOWS),
    Hard("maxima in each other", PLANE_MAX, (7, 7),
         "c[p,q] == max(max(a[s,t],(t,2*q-2,2*q)),(s,2*p-2,2*p))", options=WINDOWS),
    Hard("maxima five deep", sc.MaxPool((2,), stride=1), (9,),
         "c[p] == max(max(max(max(max(a[p+i+j+k+l+m],(i,0,1)),(j,0,1)),(k,0,1)),(l,0,1)),(m,0,1))"),
    Hard("the gradient of a maximum", PLANE_MAX, (7, 7),
         "sum(diff(c[p,q],a[s,t]),(s,t) in S[p,q]) == 1", options=WINDOWS),
    Hard("the gradient of a maximum, literally", PLANE_MAX, (9, 9),
         "sum(diff(c[p,q],a[s,t]),(s,t) in S[p,q]) == 1", general=False, options=WINDOWS),
    Hard("a squared norm", sc.LPPool(2, (2, 2), stride=2), (4, 4),
         "c[p,q]**2 == sum(a[s,t]**2,(s,t) in S[p,q])", options=WINDOWS),
    Hard("a norm of order three", sc.LPPool(3, (3, 3), stride=1), (6, 6),
         "c[p,q]**3 == sum(abs(a[s,t])**3,(s,t) in S[p,q])", general=False, options=WINDOWS),
    Hard("the gradient of a norm", sc.LPPool(3, (2, 2), stride=1), (4, 4),
         "diff(c[p,q],a[s,t]) == a[s,t]*abs(a[s,t])/c[p,q]**2",
         options={"indices": {"s": "input 1", "t": "input 2"}}),
    # large declared sizes
    Hard("a large image", sc.Conv((7, 7), stride=2, padding=3), (224, 224),
         "c[p,q] == sum(a[2*p+m-5,2*q+n-5]*b[m,n],(m,1,7),(n,1,7))", general=False),
    Hard("a large image, wrong", sc.Conv((7, 7), stride=2, padding=3), (224, 224),
         "c[p,q] == sum(a[2*p+m-5,2*q+n-5]*b[n,m],(m,1,7),(n,1,7))", general=False),
    Hard("a large pooling", sc.MaxPool((3, 3), stride=2), (512, 512),
         "c[p,q] == max(a[2*p+m-2,2*q+n-2],(m,1,3),(n,1,3))", general=False),
    Hard("a long line", sc.Conv((1000,)), (100_000,), "c[p] == sum(a[p+m-1]*b[m],(m,1,1000))", general=False),
    Hard("a long line, wrong at its end", sc.Conv((1000,)), (100_000,), "c[p] == sum(a[p+m-1]*b[m],(m,1,999))", False),
    Hard("a large norm", sc.LPPool(2, (100,), stride=1), (1000,), "c[p] == sum(a[p+m-1]**2,(m,1,100))", False),
    Hard("a large matrix", sc.Conv((9, 9)), (10, 10), "C == [[" + "],[".join(["c[1,1],c[2,2]"] * 2) + "]]", False),
    # nested sums whose ranges hang together
    Hard("triangles", LINE, (4,), "sum(a[i]*b[j],(i,1,I),(j,i,K)) == sum(a[i]*b[j],(j,1,K),(i,1,j))"),
    Hard("a triangle in three", LINE, (6,),
         "sum(a[i]*a[j]*a[k],(i,1,I),(j,i,I),(k,j,I)) == sum(a[i]*a[j]*a[k],(k,1,I),(j,1,k),(i,1,j))"),
    Hard("five sums", LINE, (4,),
         "sum(a[i]*a[j]*a[k]*a[l]*a[m],(i,1,I),(j,1,I),(k,1,I),(l,1,I),(m,1,I)) == sum(a[i],(i,1,I))**5"),
    Hard("split in the middle", LINE, (4,),
         "sum(a[i],(i,1,I)) == sum(a[i],(i,1,floor(I/2))) + sum(a[i],(i,floor(I/2)+1,I))"),
    Hard("split at a minimum", LINE, (4,),
         "sum(a[i],(i,1,I)) == sum(a[i],(i,1,min(I,K*K))) + sum(a[i],(i,min(I,K*K)+1,I))"),
    Hard("quotients in indices", LINE, (6,), "sum(a[floor(i/2)]*b[mod(i,3)],(i,1,I)) == sum(a[i]*b[1],(i,1,I))"),
    Hard("polynomial bounds", LINE, (4,), "sum(a[i],(i,1,K*K*K)) == sum(a[i],(i,1,K*K))"),
    Hard("a sum of cubes", LINE, (4,), "sum(m*m*m,(m,1,K)) == (K*(K+1)/2)**2"),
]  # fmt: skip
