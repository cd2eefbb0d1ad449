"""Moments in time, as nbgrader keeps them."""

from datetime import UTC, datetime


def utc(moment):
    """Return a datetime in UTC without its zone; one without a zone is taken to be in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def read(path):
    """Return the time in nbgrader's ``timestamp.txt`` at ``path`` (UTC, naive), or None."""
    try:
        text = path.read_text()[:64].strip()
        return utc(datetime.fromisoformat(text.replace(" UTC", "+00:00").replace(" ", "T", 1)))
    except (OSError, ValueError):
        return None
