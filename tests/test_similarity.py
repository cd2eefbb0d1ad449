"""Submissions that share code: copies are found under disguise, what everybody writes is not."""

import pytest
from conftest import SOLVED, hand_in, make_tiny

from autograder.similarity import shared_pairs

LONG = '''def double(x):
    """{doc}"""
    {total} = []
    for {item} in np.ravel(np.asarray(x)):
        {half} = {item} / 2
        {total}.append({half} * 4 - {item} + {item} * 3 - 2 * {item} + {half} * 0)
    if not {total}:
        raise ValueError("nothing")
    {result} = np.array({total}).reshape(np.shape(x))
    {check} = np.zeros_like({result}) + {result}
    return {check}
'''
NAMES = {"doc": "Twice.", "total": "total", "item": "item", "half": "half", "result": "result", "check": "check"}
OTHER = {"doc": "Something else entirely.", "total": "acc", "item": "v", "half": "h", "result": "out", "check": "res"}
OWN = [
    "def double(x):\n    shape = np.shape(x)\n    flat = list(np.ravel(x))\n    while len(flat) < 3:\n        flat.append(0)\n"
    "    return np.add(x, x).reshape(shape)\n",
    "def double(x):\n    matrix = np.eye(2) * 2\n    try:\n        return matrix[0, 0] * np.asarray(x)\n"
    "    except TypeError as error:\n        print(error)\n        return None\n",
    "def double(x):\n    class Twice:\n        def __init__(self, value):\n            self.value = value\n"
    "        def get(self):\n            return self.value + self.value\n    return Twice(np.asarray(x)).get()\n",
]


@pytest.fixture
def place(tmp_path):
    """Two students with one program under different names, three with their own, ten with the obvious one."""
    course = make_tiny(tmp_path)
    hand_in(course.submitted, "ada", course, {"double-answer": LONG.format(**NAMES)})
    hand_in(
        course.submitted,
        "bob",
        course,
        {"double-answer": LONG.format(**OTHER).replace("    raise", "    # no\n        raise")},
    )
    for number, text in enumerate(OWN):
        hand_in(course.submitted, f"own{number}", course, {"double-answer": text})
    for number in range(10):
        hand_in(course.submitted, f"plain{number}", course, SOLVED)
    return course


def test_a_disguised_copy_is_found_and_nothing_else(place, gradus):
    """New names and comments do not hide it; the model solution in ten notebooks is no finding."""
    done = gradus("similar", "tiny", cwd=place.root)
    assert "1 pairs to look at" in done.stdout
    page = (place.graded / "tiny" / "similar.html").read_text()
    assert page.index("ada") < page.index("bob")
    assert "never a verdict" in page
    assert "plain" not in page
    assert "own1" not in page


def test_what_is_shared_is_marked(place):
    """The marked pieces make up the code, and the passages in question are among them."""
    texts = {"ada": LONG.format(**NAMES), "bob": LONG.format(**OTHER)}
    (pair,) = shared_pairs(texts, [])
    assert pair.shared > 0.9
    for student, pieces in zip(pair.students, pair.texts, strict=True):
        assert "".join(piece for piece, _ in pieces) == texts[student]
        assert sum(len(piece) for piece, shared in pieces if shared) > 0.7 * len(texts[student])


def test_starter_code_is_no_finding():
    """What was handed out counts for nobody."""
    given = LONG.format(**NAMES)
    assert shared_pairs({"ada": given, "bob": given}, [given]) == []


def test_what_many_wrote_alike_is_an_idiom():
    """Code that 25 of a large class share is shown pair by pair; of 26 it is nobody's, however large the class."""
    code, others = LONG.format(**NAMES), {f"other{number}": "x = 1\n" for number in range(200)}
    assert shared_pairs({**{f"alike{number}": code for number in range(25)}, **others}, [])
    assert not shared_pairs({**{f"alike{number}": code for number in range(26)}, **others}, [])


def test_a_page_escapes_what_students_wrote(place, gradus):
    """Code is text."""
    for student in ("x", "y"):
        hand_in(
            place.submitted,
            student,
            place,
            {"triple-answer": LONG.format(**{**NAMES, "doc": "</pre><script>alert(1)</script>"})},
        )
    gradus("similar", "tiny", cwd=place.root)
    page = (place.graded / "tiny" / "similar.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
