"""Layers of PyTorch, ONNX and Keras as operators: read from objects by their attributes, or from printed text.

No framework is imported. Every attribute is used, or known to have no effect on the values, or refused by its name.
"""
