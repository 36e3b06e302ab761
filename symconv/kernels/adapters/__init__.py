"""Kernels of the operators that do not slide one window over one input: transposed, adaptive, patches, unpooling."""
