"""What a plan promises of its rounding errors: a bound before anything runs, made from its own summation."""
