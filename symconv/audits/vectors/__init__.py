"""Test vectors: small inputs of an operator with the outputs and gradients that its formula gives."""
