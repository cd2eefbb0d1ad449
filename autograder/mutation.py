"""Mutants and variants: programs that the hidden checks must reject, and must accept.

`mutants.py` of an assignment has a list ``MUTANTS``, `variants.py` a list ``VARIANTS``. Each entry
says which question's answer it replaces and how: either ``replace``, pairs of (text, new text) applied
to the reference answer, or ``code``, a whole new answer.
"""

from dataclasses import dataclass

from .errors import InputError


@dataclass(frozen=True)
class Edit:
    """One changed answer.

    Attributes:
        name: a short identifier, unique in the assignment.
        cell: id of the grade cell (the question) whose answer changes.
        replace: pairs (old, new); each ``old`` must occur exactly once in the reference answer.
        code: the whole answer instead.
    """

    name: str
    cell: str
    replace: tuple[tuple[str, str], ...] = ()
    code: str | None = None

    def apply(self, reference):
        """Return the changed source of the reference answer."""
        if self.code is not None:
            return self.code.strip("\n")
        for old, new in self.replace:
            if reference.count(old) != 1:
                raise InputError(
                    f"`{old}` occurs {reference.count(old)} times in the answer to `{self.cell}`",
                    where=f"{type(self).__name__.lower()} {self.name}",
                    remedy="make the replaced text occur exactly once, or give the whole answer as `code`",
                )
            reference = reference.replace(old, new)
        return reference


@dataclass(frozen=True)
class Mutant(Edit):
    """A wrong program that students really write.

    Attributes:
        hint: the sentence a student should read; it names the mistake and what to do, without code.
        caught_by: name of the test function that must fail for it.
        also: names of other mutants that cannot be told apart by their answers, if any.
    """

    hint: str = ""
    caught_by: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant(Edit):
    """A right program that looks different from the reference; it must get full points."""
