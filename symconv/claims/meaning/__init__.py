"""What a claim says: from its tree to statements about formulas, what they need, and the verdict."""
