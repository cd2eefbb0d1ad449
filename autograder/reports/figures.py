"""The figures of the class report, as inline SVG that a strict content policy accepts.

Matplotlib draws; then style attributes become presentation attributes, and the colours below become
classes, so that a page's own style sheet colours them on paper, on light and on dark screens.
The same numbers give the same bytes.
"""

import io
import math
import re
from xml.etree import ElementTree

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

COLORS = {name: f"#{i:02x}0{i:x}0{i:x}" for i, name in enumerate("ink soft line accent good part bad none".split(), 1)}
NAMES = {color: name for name, color in COLORS.items()}
SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FONT = re.compile(r"(?:(bold|[1-9]00) )?([\d.]+)px")
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d{3,}")
SETTINGS = {
    "svg.fonttype": "none",
    "font.size": 10,
    "axes.edgecolor": COLORS["line"],
    "axes.labelcolor": COLORS["soft"],
    "axes.linewidth": 1,
    "xtick.color": COLORS["soft"],
    "ytick.color": COLORS["soft"],
    "text.color": COLORS["ink"],
    "axes.spines.top": False,
    "axes.spines.right": False,
}

ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


def score_histogram(scores, machine_points, median):
    """Draw how many submissions have how many points."""
    with matplotlib.rc_context(SETTINGS | {"svg.hashsalt": "scores"}):
        figure = Figure(figsize=(7.6, 2.7), layout="constrained")
        axes = figure.add_subplot()
        bins = _bins(machine_points)
        axes.hist(scores, bins=bins, color=COLORS["accent"], rwidth=0.92)
        axes.axvline(median, color=COLORS["ink"], linewidth=1.2, linestyle=(0, (4, 3)))
        right = median < 0.75 * machine_points
        axes.annotate(
            f"median {median:g}", (median, 1.0), xycoords=("data", "axes fraction"), va="bottom",
            ha="left" if right else "right", xytext=(0, 3), textcoords="offset points",
        )  # fmt: skip
        axes.set(xlim=(bins[0], bins[-1]), xlabel=f"points given by the grader, of {machine_points:g}")
        axes.set_ylabel("submissions")
        axes.yaxis.get_major_locator().set_params(integer=True)
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y", color=COLORS["line"], linewidth=0.8)
        axes.set_axisbelow(True)
        return _svg(figure, "Histogram of the points given by the grader")


def spread(rows):
    """Draw mean, middle half and middle four fifths of each row: (name, array of shares from 0 to 1)."""
    with matplotlib.rc_context(SETTINGS | {"svg.hashsalt": "spread"}):
        figure = Figure(figsize=(7.6, 0.75 + 0.36 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        for place, (_, shares) in enumerate(rows):
            least, low, high, most = 100 * np.quantile(shares, [0.1, 0.25, 0.75, 0.9])
            axes.hlines(place, least, most, color=COLORS["soft"], linewidth=1.2)
            axes.barh(place, high - low, left=low, height=0.46, color=COLORS["none"])
            axes.plot(100 * shares.mean(), place, "o", color=COLORS["accent"], markersize=6)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.tick_params(axis="y", labelcolor=COLORS["ink"])
        axes.set(xlim=(-1, 101), ylim=(len(rows) - 0.5, -0.5), xlabel="% of the points given so far")
        axes.tick_params(length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=COLORS["line"], linewidth=0.8)
        axes.set_axisbelow(True)
        return _svg(figure, "Mean and spread of the class in each assignment")


def question_bars(questions):
    """Draw, for each automatic question, how many submissions have all, some and none of its points."""
    parts = (("all points", "good"), ("some", "part"), ("none", "bad"), ("not attempted", "none"))
    with matplotlib.rc_context(SETTINGS | {"svg.hashsalt": "questions"}):
        figure = Figure(figsize=(7.6, 0.62 + 0.36 * len(questions)), layout="constrained")
        axes = figure.add_subplot()
        left = [0] * len(questions)
        most = max((q.seen for q in questions), default=1)
        for part, (label, color) in enumerate(parts):
            widths = [q.groups[part] for q in questions]
            bars = axes.barh(range(len(questions)), widths, left=left, height=0.62, color=COLORS[color], label=label)
            for bar, width in zip(bars, widths, strict=True):
                if width >= 0.045 * most:
                    axes.text(
                        bar.get_x() + width / 2, bar.get_y() + bar.get_height() / 2, str(width),
                        ha="center", va="center", size=9, color=COLORS["ink"],
                    )  # fmt: skip
            left = [start + width for start, width in zip(left, widths, strict=True)]
        axes.set_yticks(range(len(questions)), [q.id for q in questions])
        axes.tick_params(axis="y", labelcolor=COLORS["ink"])
        axes.invert_yaxis()
        axes.set_xlim(0, most)
        axes.set_xticks([])
        axes.tick_params(length=0)
        axes.spines[["left", "bottom"]].set_visible(False)
        figure.legend(loc="outside upper left", ncols=4, frameon=False, handlelength=1, handleheight=1, fontsize=9.5)
        return _svg(figure, "Submissions with all, some and none of the points of each question")


def learning_curves(curves, name):
    """Draw one line for each run: (epochs, values) of the number called ``name``."""
    styles = ("-", (0, (5, 2)), (0, (2, 2)), (0, (7, 2, 1.5, 2)))
    with matplotlib.rc_context(SETTINGS | {"svg.hashsalt": "learning"}):
        figure = Figure(figsize=(7.0, 2.9), layout="constrained")
        axes = figure.add_subplot()
        for number, (epochs, values) in enumerate(curves):
            axes.plot(epochs, values, color=COLORS["accent"], linewidth=1.6, linestyle=styles[number % len(styles)],
                      marker="o" if len(epochs) == 1 else None, markersize=4)  # fmt: skip
        axes.set(xlabel="epoch", ylabel=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.tick_params(length=0)
        return _svg(figure, f"{name} after each epoch, one line a seed")


def _bins(machine_points):
    """Return the edges of at most 25 bins that lie around round numbers of points."""
    step = next((s for s in (0.25, 0.5, 1, 2, 5, 10, 20, 50) if machine_points / s <= 24), machine_points / 20)
    number = max(1, math.ceil(machine_points / step - 1e-9))
    return [(i - 0.5) * step for i in range(number + 2)]


def _svg(figure, label):
    """Return the figure as markup: no date, no style attributes, no size of its own."""
    for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
        patch.set_visible(False)
    buffer = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        if element.tag == f"{{{SVG}}}g":
            element.attrib.pop("id", None)  # they would occur in every figure of the page
        _attributes(element)
    width, height = (float(x) for x in root.get("viewBox").split()[2:])
    root.attrib = {
        "viewBox": f"0 0 {width:g} {height:g}", "class": "figure", "role": "img", "aria-label": label,
        "stroke-linejoin": "round", "stroke-linecap": "butt",
    }  # fmt: skip
    text = ElementTree.tostring(root, encoding="unicode")
    text = NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text)
    return Markup(re.sub(r">\s+<", "><", text).replace("<g />", ""))


def _attributes(element):
    """Turn the style attribute of ``element`` into presentation attributes and classes."""
    classes = []
    for entry in filter(None, (element.attrib.pop("style", "")).split(";")):
        key, _, value = (part.strip() for part in entry.partition(":"))
        if key in ("fill", "stroke") and value in NAMES:
            classes.append(f"{key}-{NAMES[value]}")
        elif key == "font":
            weight, size = FONT.search(value).groups()
            element.set("font-size", size)
            if weight:
                element.set("font-weight", weight)
        elif key != "font-family":
            element.set(key, value.removesuffix("px") if key == "font-size" else value)
    if element.tag == f"{{{SVG}}}text" and not any(c.startswith("fill-") for c in classes):
        classes.append("fill-ink")
    if classes:
        element.set("class", " ".join(classes))
