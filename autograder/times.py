"""Moments in time, as nbgrader keeps them."""

from datetime import UTC


def utc(moment):
    """Return a datetime in UTC without its zone; one without a zone is taken to be in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
