"""Certificates: what symconv has proved, as theorems with proofs that Coq checks.  Writing one needs no Coq."""
