"""The errors of the staff package.

GradusError                 something a person can mend; says where, what and what to do
  InputError                the instructor's input is wrong (exit code 2)
  SubmissionError           one submission cannot be read; the others go on
  InfraError                the grader or the machine failed; never a zero, tried again
"""


class GradusError(Exception):
    """A fault with a place, a problem and a remedy, printed without a traceback.

    Args:
        problem: one fact, with the values found.
        where: file, cell or option it is about; "" if there is none.
        remedy: one action, as a command where there is one.
    """

    def __init__(self, problem, *, where="", remedy=""):
        super().__init__(problem)
        self.problem, self.where, self.remedy = problem, where, remedy

    def __str__(self):
        text = f"{self.where}: {self.problem}" if self.where else self.problem
        return f"{text}\n  To fix: {self.remedy}" if self.remedy else text


class InputError(GradusError):
    """What the instructor gave is wrong: no such assignment, a broken source notebook, a bad option."""


class SubmissionError(GradusError):
    """A submission cannot be read. It is listed with its reason; every other one is graded."""


class InfraError(GradusError):
    """The grader or the machine failed. The submission stays ungraded and is tried again."""
