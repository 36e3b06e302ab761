"""Networks as layers with windows: sizes, parameters, multiply-adds, receptive fields, and input that nothing reads."""
