"""Who is in the class, and under which names the systems around it know them.

A roster is a CSV file with a header. Any list will do: nbgrader's, a platform's own export, or one made by
hand. One column says how the student is called here; every other one is a name that may lead to it.
"""

import csv
import io
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .errors import InputError

OWN = (
    "sis login id", "student", "student_id", "username", "github_username", "sid", "id", "identifier",
    "email address", "email",
)  # fmt: skip
NAMED_ROWS = ("points possible", "student, test")  # Canvas: not people


@dataclass(frozen=True)
class Roster:
    """The rows of a class list.

    Attributes:
        columns: names of the columns, as in the file.
        rows: a dict for each student, {column: text}.
        path: where it came from.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    path: Path

    @classmethod
    def read(cls, path):
        """Read a CSV file (UTF-8, with or without a byte-order mark; commas or semicolons)."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise InputError(f"the roster cannot be read: {reason}", where=str(path),
                             remedy="export it as CSV in UTF-8") from None  # fmt: skip
        first = text.partition("\n")[0]
        delimiter = ";" if first.count(";") > first.count(",") else ","
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
        columns = tuple(name for name in rows.fieldnames or () if name is not None)
        if not columns or len(set(columns)) < len(columns):
            raise InputError("the roster needs a header with a different name for each column", where=str(path),
                             remedy="for example: student,name,email")  # fmt: skip
        kept = tuple({name: (row[name] or "").strip() for name in columns} for row in rows)
        return cls(columns, tuple(row for row in kept if _is_person(row, columns)), path)

    @cached_property
    def own(self):
        """The column that says how a student is called here."""
        by_name = {name.strip().lower(): name for name in self.columns}
        return next((by_name[name] for name in OWN if name in by_name), self.columns[0])

    @cached_property
    def _places(self):
        """{name in its plainest form: numbers of the rows that have it}."""
        places: dict[str, set[int]] = {}
        for number, row in enumerate(self.rows):
            for text in row.values():
                for form in forms(text):
                    places.setdefault(form, set()).add(number)
        return places

    def row_of(self, *names):
        """Return the one row that has the first telling name among ``names``, else None; a name of two rows tells nothing."""
        for name in names:
            found = self._places.get(plain(name), set())
            if len(found) == 1:
                return self.rows[next(iter(found))]
        return None

    def row_of_graded(self, student):
        """Return the row of a student as we call one: a name, or ``lovelaceada_1001`` with the platform's number last."""
        number = student.rpartition("_")[2]
        return self.row_of(student, *([number] if number.isdigit() else []))

    def student_of(self, *names):
        """Return how the student with one of these names is called here, or None."""
        row = self.row_of(*names)
        return row[self.own] or None if row else None


def plain(name):
    """Return a name without what systems change about it: case, accents' coding, blanks, punctuation."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def forms(text):
    """Return the plain forms under which a cell of a roster may be known: a name in either order, an address's start."""
    found = {plain(text)}
    words = text.replace(",", " , ").split()
    if "," in words:
        comma = words.index(",")
        found.add(plain("".join(words[comma + 1 :] + words[:comma])))
    elif 1 < len(words) < 5:
        found.add(plain("".join([words[-1], *words[:-1]])))
    if "@" in text:
        found.add(plain(text.partition("@")[0]))
    if text.lower().startswith("participant "):  # Moodle's Identifier
        found.add(plain(text[12:]))
    return {form for form in found if form}


def _is_person(row, columns):
    first = row[columns[0]].strip().lower()
    return any(row.values()) and not first.startswith(NAMED_ROWS)
