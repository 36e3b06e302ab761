"""Array programs: written from the formula of a stage, its derivatives included, and run block by block."""
