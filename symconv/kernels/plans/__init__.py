"""The plans: one file a plan, with its pattern, its rewrite, its cost and its engine; and the table of them."""
