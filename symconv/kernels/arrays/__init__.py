"""Array routines that the engines of plans run, and that their source shows."""
