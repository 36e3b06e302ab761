"""Winograd's minimal filtering F(m, r): exact transforms by Cook and Toom, their certificate, cost and accuracy."""

from __future__ import annotations

from symconv.derivations.winograd.certificate import TransformCertificate, certify
from symconv.derivations.winograd.nested import Nested, nested
from symconv.derivations.winograd.toom_cook import CookToom, cook_toom, default_points

__all__ = ["CookToom", "Nested", "TransformCertificate", "certify", "cook_toom", "default_points", "nested"]
