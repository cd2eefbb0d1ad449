"""nbgrader's own autograde, in formgrader and on the command line, run by this grader.

In the course's ``nbgrader_config.py``:

    c.Autograde.autograde_preprocessors = ["autograder.nbgrader_plugin.GradeBehindWalls"]

nbgrader then still collects, restores locked cells, and shows and keeps what people write; but no student code runs
in its process or a kernel of its own. Scores and comments go into its gradebook as with ``gradus grade``.
"""

import nbformat
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from .course import Course
from .errors import InfraError
from .jail import choice
from .pipeline import grade_one


class GradeBehindWalls(NbGraderPreprocessor):
    """Takes the place of all of nbgrader's preprocessors that run and score a submission."""

    isolation = Unicode("namespaces", help="namespaces, container, or none").tag(config=True)

    def preprocess(self, nb, resources):
        """Grade the submission that ``resources`` name; return the notebook with the verdicts, and ``resources``."""
        place = resources["nbgrader"]
        course = Course.find(CourseDirectory(config=self.config).root)
        graded = grade_one(
            course, place["assignment"], place["student"], isolation=choice.settle(self.isolation), db=place["db_url"]
        )
        if graded.ungraded:
            notes = " ".join(graded.results[0].notes)
            raise InfraError(notes, where=place["student"], remedy="autograde it again")
        path = course.root / "autograded" / place["student"] / place["assignment"] / f"{place['notebook']}.ipynb"
        return nbformat.read(path, as_version=4), resources
