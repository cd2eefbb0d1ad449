"""Takes away functions that an assignment asks students to write themselves, such as numpy.convolve.

It is done once, in the warm process, so that every student's process starts without them. A function is
replaced wherever a loaded module has a name for it, and a module can no longer be imported. What is left
is to build the same thing from other parts, and that is the exercise.
"""

import importlib
import sys


class OffLimits(Exception):
    """A name that the assignment keeps for the student to write was used; the message is that name."""


def take_away(names):
    """Take away each dotted name; return those that do not exist."""
    return [name for name in names if not _take_away(name)]


def _take_away(name):
    owner, _, last = name.rpartition(".")
    try:
        module = importlib.import_module(owner or name)
        thing = (getattr(module, last, None) or importlib.import_module(name)) if owner else module
    except ImportError:
        return False
    if isinstance(thing, type(sys)):
        sys.modules[name] = None
        if owner:
            delattr(module, last)
        return True
    refusing = _refusing(name, thing)
    for loaded in list(sys.modules.values()):
        for alias, value in list(getattr(loaded, "__dict__", {}).items()):
            if value is thing:
                setattr(loaded, alias, refusing)
    setattr(module, last, refusing)
    return True


def _refusing(name, thing):
    def refuse(*args, **kwargs):
        raise OffLimits(name)

    return type(thing.__name__, (), {"__new__": refuse}) if isinstance(thing, type) else refuse
