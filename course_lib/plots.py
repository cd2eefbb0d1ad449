"""One function per figure of the course; each labels its axes and returns the Axes."""

import matplotlib.pyplot as plt

# The same method has the same colour in every notebook; the order stays readable in grey.
COLORS = ("#1b4f72", "#d35400", "#1e8449", "#7d3c98", "#7f8c8d")
STYLES = ("-", "--", "-.", ":", (0, (5, 1)))


def axes(title, xlabel, ylabel, *, size=(6.0, 3.6)):
    """Return new Axes with the finding as title and named axes."""
    _, ax = plt.subplots(figsize=size, layout="constrained")
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def curves(series, *, title, xlabel, ylabel, log=False, ax=None):
    """Draw named curves.

    Args:
        series: {name: y values} or {name: (x values, y values)}.
        log: logarithmic y axis.
        ax: draw here instead of in a new figure.
    """
    ax = axes(title, xlabel, ylabel) if ax is None else ax
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    for i, (name, values) in enumerate(series.items()):
        x, y = values if isinstance(values, tuple) else (range(len(values)), values)
        ax.plot(x, y, label=name, color=COLORS[i % 5], linestyle=STYLES[i % 5])
    if log:
        ax.set_yscale("log")
    if len(series) > 1:
        ax.legend(frameon=False)
    return ax
