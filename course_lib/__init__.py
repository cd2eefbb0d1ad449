"""What the course's notebooks import: visible checks, numeric gradients, data and figures."""

__version__ = "0.1.0"
