"""What TensorBoard shows of a run: the student's own numbers and the grader's score, written on the grader's side."""

import sys
import types


class Log:
    """The event files of one run in ``folder``; those of epochs after ``kept`` are overruled by what follows."""

    def __init__(self, folder, kept=0):
        # TensorBoard would import all of TensorFlow to write a file; this name tells it not to.
        sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("tensorboard.compat.notf"))
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder), purge_step=kept + 1 if kept else None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.writer.close()

    def epoch(self, entry):
        """Write one epoch of a curve, a dict with "epoch"."""
        for name, value in entry.items():
            if name != "epoch":
                self.scalar(name, value, int(entry["epoch"]))
        self.writer.flush()

    def scalar(self, name, value, step):
        self.writer.add_scalar(name, value, step)
