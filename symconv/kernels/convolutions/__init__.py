"""The plans of convolutions: one file a plan, each with what runs it and what it costs."""
