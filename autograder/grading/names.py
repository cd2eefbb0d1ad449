"""Names that students chose, made safe to show and to use as a folder's name."""

import unicodedata

MAX_NAME = 80


def shown(text, most=MAX_NAME):
    """Return ``text`` without control characters and direction marks, at most ``most`` characters."""
    kept = (c for c in unicodedata.normalize("NFC", text) if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return "".join(kept).strip()[:most]


def safe_name(text, most=MAX_NAME):
    """Return a student's name that is safe as one folder's name on any system."""
    name = "".join("_" if c in '/\\:*?"<>|' else c for c in shown(text, most)).strip(" .")
    return name or "unnamed"
