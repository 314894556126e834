"""The notebooks in the documentation's pictures: made here, so that nothing in them is anybody's."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

TOWNS = {"Quito": 0, "Mumbai": 19, "Lisbon": 38.7, "Tromsø": 69.6}


def write(directory: Path) -> None:
    """All of them, into a directory."""
    made = {
        "day-length": day_length(),
        "tides": widgets(),
        "series": formulas(),
        "talk": talk(),
        "growth-monday": growth(7),
        "growth-friday": growth(21),
    }
    for name, given in made.items():
        (directory / f"{name}.ipynb").write_text(json.dumps(given))


def write_welcome(directory: Path) -> None:
    """The one that a notebook server is shown with; it is run there."""
    (directory / "welcome.ipynb").write_text(json.dumps(welcome()))


def notebook(cells: list[dict[str, Any]], metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """A notebook of format 4.5."""
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    numbered = [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {**kernel, **(metadata or {})}, "cells": numbered}


def markdown(text: str, **metadata: Any) -> dict[str, Any]:
    """A cell of text."""
    return {"cell_type": "markdown", "metadata": metadata, "source": text}


def code(count: int, text: str, *data: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A cell of code, and the bundles that it shows; the last one is its result."""
    outputs: list[dict[str, Any]] = [{"output_type": "display_data", "data": d, "metadata": {}} for d in data]
    if outputs:
        outputs[-1] |= {"output_type": "execute_result", "execution_count": count}
    return {"cell_type": "code", "metadata": metadata, "source": text, "execution_count": count, "outputs": outputs}


def stream(cell: dict[str, Any], text: str) -> dict[str, Any]:
    """The same cell after it printed something."""
    return {**cell, "outputs": [{"output_type": "stream", "name": "stdout", "text": text}, *cell["outputs"]]}


def daylight(latitude: float, day: int) -> float:
    """Hours between sunrise and sunset."""
    tilt = math.radians(23.44) * math.sin(2 * math.pi * (day - 80) / 365)
    cosine = -math.tan(math.radians(latitude)) * math.tan(tilt)
    return 24 / math.pi * math.acos(max(-1.0, min(1.0, cosine)))


def table(rows: dict[str, list[str]], heads: list[str]) -> str:
    """A data frame as pandas writes it."""
    head = "".join(f"<th>{name}</th>" for name in ["", *heads])
    body = "".join(
        f"<tr><th>{name}</th>" + "".join(f"<td>{v}</td>" for v in values) + "</tr>" for name, values in rows.items()
    )
    return f'<table border="1" class="dataframe"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def day_length() -> dict[str, Any]:
    """An interactive plot of Plotly's, and a table."""
    days = list(range(1, 366, 4))
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": days,
            "y": [round(daylight(latitude, day), 2) for day in days],
        }
        for name, latitude in TOWNS.items()
    ]
    layout = {
        "height": 330,
        "margin": {"l": 50, "r": 20, "t": 20, "b": 40},
        "xaxis": {"title": {"text": "day of the year"}},
        "yaxis": {"title": {"text": "hours of light"}, "dtick": 6},
        "hovermode": "x unified",
    }
    plot = {"application/vnd.plotly.v1+json": {"data": lines, "layout": layout}, "text/plain": "Figure(...)"}
    rows = {n: [f"{daylight(la, d):.1f}" for d in (80, 172, 266, 355)] for n, la in TOWNS.items()}
    frame = {"text/html": table(rows, ["March", "June", "September", "December"]), "text/plain": "..."}
    return notebook(
        [
            markdown("# How long is a day?\n\nAt the equator every day has twelve hours of light. The further "
                     "from it, the more the year matters; beyond the polar circle it is all that matters."),
            code(1, 'import plotly.express as px\n\nhours = daylight(TOWNS, days=range(1, 366))\n'
                    'px.line(hours, labels={"value": "hours of light"})', plot),
            markdown("## The four corners of the year"),
            code(2, 'hours.loc[EQUINOXES_AND_SOLSTICES].T.round(1)', frame),
        ],
    )  # fmt: skip


def widgets() -> dict[str, Any]:
    """Controls as they stood when the notebook was saved."""
    state: dict[str, Any] = {}

    def model(kind: str, module: str = "controls", *, view: str = "", **values: Any) -> str:
        name = f"{len(state) + 1:032x}"
        own, shown = f"@jupyter-widgets/{module}", view or f"{kind}View"
        drawn = "@jupyter-widgets/base" if shown in ("LayoutView", "StyleView") else own
        names = {"_model_name": f"{kind}Model", "_model_module": own, "_model_module_version": "2.0.0"}
        views = {"_view_name": shown, "_view_module": drawn, "_view_module_version": "2.0.0"}
        head = {"model_name": f"{kind}Model", "model_module": own, "model_module_version": "2.0.0"}
        state[name] = {**head, "state": {**names, **views, **values}}
        return f"IPY_MODEL_{name}"

    def control(kind: str, style: str = "DescriptionStyle", *, view: str = "", **values: Any) -> str:
        look = model(style, view="StyleView", description_width="6.5em")
        return model(kind, view=view, layout=model("Layout", "base", width="24em"), style=look, **values)

    children = [
        control("FloatSlider", "SliderStyle", description="Height", max=8.0, step=0.1, value=4.6, readout_format=".1f"),
        control("IntSlider", "SliderStyle", description="Day", min=1, max=28, value=14),
        control("Dropdown", description="Harbour", _options_labels=["Brest", "Lisbon", "Oban"], index=0),
        control("Checkbox", description="with wind", value=True, indent=True),
        control("FloatProgress", "ProgressStyle", view="ProgressView", description="computed", max=1.0, value=0.8),
    ]
    box = model("VBox", children=children, layout=model("Layout", "base"))
    view = {
        "application/vnd.jupyter.widget-view+json": {"version_major": 2, "version_minor": 0, "model_id": box[10:]},
        "text/plain": "VBox(children=(FloatSlider(value=4.6, description='Height'), ...))",
    }
    saved = {"version_major": 2, "version_minor": 0, "state": state}
    return notebook(
        [
            markdown("# Tides\n\nThe controls stand as they stood when the notebook was saved, and can be moved. "
                     "What they would compute needs a kernel."),
            code(1, "from ipywidgets import interactive\n\ntide = interactive(predict, height=(0, 8, 0.1), "
                    "day=(1, 28))\ntide", view),
            markdown("Nothing of this ran on the page's own origin."),
        ],
        {"widgets": {"application/vnd.jupyter.widget-state+json": saved}},
    )  # fmt: skip


def formulas() -> dict[str, Any]:
    """Formulas in text and in an output."""
    return notebook(
        [
            markdown(r"""# A series and its sum

Euler found in 1734 what the reciprocals of the squares add up to:

$$\sum_{n=1}^{\infty} \frac{1}{n^2} = \frac{\pi^2}{6}$$

He compared two ways to write $\frac{\sin x}{x}$, a sum and a product over its zeros:

$$
\begin{aligned}
\frac{\sin x}{x} &= 1 - \frac{x^2}{3!} + \frac{x^4}{5!} - \cdots \\
                 &= \prod_{n=1}^{\infty} \left( 1 - \frac{x^2}{n^2 \pi^2} \right)
\end{aligned}
$$

The coefficients of $x^2$ have to agree. A rotation by $\theta$ has nothing to do with it, and shows a matrix:
$R_\theta = \begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta & \cos\theta \end{pmatrix}$."""),
            code(1, "from sympy import Sum, oo, symbols\n\nn = symbols('n', positive=True)\n"
                    "Sum(1 / n**4, (n, 1, oo)).doit()",
                 {"text/latex": r"$\displaystyle \frac{\pi^{4}}{90}$", "text/plain": "pi**4/90"}),
        ],
    )  # fmt: skip


def talk() -> dict[str, Any]:
    """Cells that their author marked as slides."""
    slide = {"slideshow": {"slide_type": "slide"}}
    more = {"slideshow": {"slide_type": "fragment"}}
    return notebook(
        [
            markdown("# Sorting, slowly\n\nWhat a talk looks like when it is a notebook", **slide),
            markdown("## Insertion\n\nEach card goes to its place among those already in hand.", **slide),
            code(1, "def insertion(cards: list[int]) -> list[int]:\n    hand: list[int] = []\n    for card in cards:\n"
                    "        place = sum(held < card for held in hand)\n        hand.insert(place, card)\n"
                    "    return hand\n\n\ninsertion([5, 2, 8, 1])", {"text/plain": "[1, 2, 5, 8]"}),
            markdown("It takes about $n^2/4$ moves.", **more),
            markdown("## Merging\n\nTwo sorted hands become one.", **slide),
        ],
    )  # fmt: skip


def growth(days: int) -> dict[str, Any]:
    """The same notebook at two times."""
    later = days > 7
    height = f"{1.8 * days**0.9:.1f}"
    cells = [
        markdown("# Beans on the window sill\n\nHow fast they grow, "
                 + ("measured each evening at eight." if later else "measured each evening.")),
        code(1, "heights = read('beans.csv')\nlen(heights)", {"text/plain": str(days)}),
        stream(code(2, "last = heights[-1]\n"
                       + ("speed = last / len(heights)\nprint(f'{last:.1f} cm, {speed:.2f} cm a day')"
                          if later else "print(f'{last:.1f} cm')")),
               f"{height} cm, {float(height) / days:.2f} cm a day\n" if later else f"{height} cm\n"),
        markdown("The window faces south."),
    ]  # fmt: skip
    if later:
        cells.append(markdown("**After two weeks** growth slows down: the pot is too small."))
    return notebook(cells)


def welcome() -> dict[str, Any]:
    """A notebook without outputs, for an environment that has nothing but Python."""
    cells = [
        markdown("# How long until one?\n\nHalve an even number; triple an odd one and add one. Nobody has found a "
                 "number that does not come down to 1."),
        code(0, "def steps(n: int) -> int:\n    count = 0\n    while n != 1:\n"
                "        n, count = (n // 2 if n % 2 == 0 else 3 * n + 1), count + 1\n    return count\n\n"
                "max(range(1, 1000), key=steps), max(map(steps, range(1, 1000)))"),
        code(0, "from IPython.display import SVG\n\n"
                "def dot(n: int) -> str:\n"
                "    return f'<circle cx=\"{n * 0.6}\" cy=\"{190 - steps(n)}\" r=\"1.6\"/>'\n\n"
                "head = '<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"600\" height=\"195\" fill=\"#a3450f\">'\n"
                "SVG(head + ''.join(map(dot, range(1, 1000))) + '</svg>')"),
    ]  # fmt: skip
    return notebook([{**cell, "execution_count": None} if cell["cell_type"] == "code" else cell for cell in cells])
