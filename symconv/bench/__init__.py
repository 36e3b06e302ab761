"""Benchmarks: workloads with their marks, the peers, paired measurements behind a correctness gate, and the picture."""
