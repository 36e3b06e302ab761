"""Documents: a frozen model, figures and Jinja2 templates that write LaTeX, HTML and PDF from it."""
