"""The plans that go through a window tap by tap: array programs, the chains that they form, and what runs them."""
