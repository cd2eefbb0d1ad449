"""The staff side of Gradus: build, grade, report."""

__version__ = "0.1.0"
