"""The toy plan and, in a folder of its own, the toy backend of the walks in CONTRIBUTING.md."""
