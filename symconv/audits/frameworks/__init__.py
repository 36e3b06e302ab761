"""The frameworks that can be audited: how each is called, its options, and which operator a call should be."""
