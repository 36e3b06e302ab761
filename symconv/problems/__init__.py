"""Problem files: how they are read, what can be asked in them, and the document that answers it."""
