"""A reader of what symconv prints: terminal, LaTeX and HTML, evaluated by plain loops without a line of symconv."""
