"""Grades as other systems take them in."""

FORMATS = (
    "csv", "json", "canvas", "moodle", "gradescope", "gradescope-results", "junit", "github", "github-annotations"
)  # fmt: skip
