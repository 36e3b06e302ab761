"""What users write: problem files, and (later) statements about formulas; read by a schema, never executed."""
