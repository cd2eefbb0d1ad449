"""A student's notebook, running: cells first, then calls, through as many processes as it takes.

If the student's code ends its process or overruns a limit, that one answer is a fault; the next call
gets a fresh process in which the cells have been run again (without a cell that hung or crashed).
"""

import time

from ..errors import InfraError
from ..jail.inside import wire
from ..jail.sandbox import StudentProcess

MAX_STARTS = 24
MOST_CRASHES = 2  # of one function; it is not called again, so that the others keep their chance
CHANGED_LIMIT = 20
OURS = ("signal 9", "unknown")  # the first process of a pid namespace cannot kill itself, nor reach who reports its end


class Notebook:
    """The program behind one submitted notebook; it answers ``ask`` as every *line* does.

    Args:
        zygote: where processes come from.
        steps: list of Step to run, in order.
        settings: the assignment's Settings (time limits in seconds).
        files: {name: bytes} of the assignment's data files, put into the working folder.
    """

    def __init__(self, zygote, steps, settings, files):
        self.zygote, self.steps, self.settings, self.files = zygote, steps, settings, files
        self.process: StudentProcess | None = None
        self.starts = 0
        self.number = 0
        self.ends_at = time.monotonic() + settings.total_seconds
        self.poisoned = set()
        self.crashes = {}  # name of a function -> the faults with which it ended the process
        self.faults = {}  # step id -> fault of its cell
        self.scores = {}  # grade cell id -> ("ok", value) or ("error", fault)

    def run_cells(self):
        """Run all cells; faults and the scores of plain grade cells are kept."""
        while not self._start():
            if self.starts >= MAX_STARTS:
                return

    def ask(self, request):
        """Answer one request; never raises for what the student's code does."""
        name = request.get("target") if request["op"] == "call" else None
        past = self.crashes.setdefault(name, []) if type(name) is str else []
        if len(past) >= MOST_CRASHES:
            return past[-1]
        while self.process is None:
            if self.starts >= MAX_STARTS or time.monotonic() > self.ends_at:
                return _fault("Timeout", "the time for the whole notebook")
            self._start()
        reply = self._exchange(request, self.settings.call_seconds)
        if self.process is None:
            past.append(reply)
        return reply

    def close(self):
        """End the student's process."""
        if self.process is not None:
            self.process.kill()
            self.process = None

    def _start(self):
        """Fork a process and run the cells in it; return False if a cell ended it."""
        self.starts += 1
        self.process = self.zygote.fork()
        for name, data in self.files.items():
            self._exchange({"op": "file", "name": name, "data": data}, self.settings.cell_seconds)
        for step in self.steps:
            if step.id in self.poisoned or (step.role == "grade" and step.id in self.scores):
                continue
            op = "score" if step.role == "grade" else "exec"
            reply = self._exchange({"op": op, "cell": step.id, "source": step.source}, self.settings.cell_seconds)
            if step.role == "grade":
                self.scores[step.id] = reply
            if reply[0] == "error":
                self.faults[step.id] = reply[1]
            if self.process is None:
                self.poisoned.add(step.id)
                return False
        return True

    def _exchange(self, request, seconds):
        process = self.process
        if process is None:  # a cell of the same start has just ended it
            return _fault("Crash", "an earlier cell ended it")
        self.number += 1
        seconds = min(seconds, self.ends_at - time.monotonic())
        try:
            if seconds <= 0:
                raise TimeoutError
            number, reply = _checked(process.exchange(self.number, request, seconds), self.settings.off_limits)
            if number == self.number:
                return reply
            problem = "it answered a question that was not asked"
        except TimeoutError:
            self.close()
            return _fault("Timeout", f"{max(seconds, 0):.0f} s")
        except (EOFError, ConnectionError):
            problem = process.died()
            if problem in OURS or not self.zygote.alive():
                self.close()
                raise InfraError("the student's process was killed from outside, perhaps for lack of memory") from None
            problem = problem or "it closed the grader's connection"
        except (wire.WireError, OSError, ValueError):
            problem = "it wrote to the grader's connection"
        self.close()
        return _fault("Crash", problem)


def _fault(kind, message):
    return ("error", {"type": kind, "cell": None, "line": None, "message": message})


def _checked(frame, off_limits=()):
    """Return (number, reply) if the frame has the form of a reply; raise ValueError otherwise."""
    if type(frame) is tuple and len(frame) == 2 and type(frame[0]) is int and type(frame[1]) is tuple:
        number, reply = frame
        if len(reply) == 3 and reply[0] == "ok" and type(reply[2]) is dict:
            return number, ("ok", reply[1], _checked_remarks(reply[2]))
        if len(reply) == 2 and reply[0] == "error" and type(reply[1]) is dict:
            return number, ("error", _checked_fault(reply[1], off_limits))
    message = "not a reply"
    raise ValueError(message)


def _checked_fault(fault, off_limits=()):
    """Keep what a fault may hold, of the types it may have; only this side may say Timeout or Crash."""
    kind, cell, line, message = (fault.get(key) for key in ("type", "cell", "line", "message"))
    if type(kind) is str and kind == "OffLimits" and not (type(message) is str and message in off_limits):
        kind, message = "Exception", ""
    return {
        "type": kind if type(kind) is str and kind not in ("Timeout", "Crash") else "Exception",
        "cell": cell if type(cell) is str else None,
        "line": line if type(line) is int else None,
        "message": message if type(message) is str else "",
    }


def _checked_remarks(remarks):
    changed, warned = remarks.get("changed"), remarks.get("warnings")
    checked = {"changed": changed[:CHANGED_LIMIT]} if changed and type(changed) is list else {}
    if type(warned) is list and "RuntimeWarning" in [w for w in warned if type(w) is str]:
        checked["warnings"] = ["RuntimeWarning"]
    return checked
