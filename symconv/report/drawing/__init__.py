"""What figures are made of: shapes and colours, two writers, the index map of an axis, grids, each kind of figure."""
