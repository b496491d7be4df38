"""Sliders over time, places and parameters in a notebook, and a strip of pictures where there are no widgets.

An explorer draws a figure for every setting of its sliders, each once. In a live notebook it is a widget; in a file
that was exported, on a page that shows notebooks, or without ipywidgets, it is the strip: the figures side by side.
"""

from __future__ import annotations

import base64
import importlib.util
import io
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, final

import numpy as np
from matplotlib.figure import Figure

from sciml.errors import OptionError
from sciml.plotting.solution import plot_solution

if TYPE_CHECKING:
    from sciml.reference import AbstractReference
    from sciml.solution import Solution

STEPS = 25
"""Settings of a slider."""
STRIP = 5
"""Pictures of a strip."""


@final
class Explorer:
    """Figures behind sliders.

    Args:
        draw: makes the figure of one number for each name.
        settings: the numbers of each slider, by name; at least one slider, each with at least one number.

    Raises:
        OptionError: no slider, or one without numbers.
    """

    def __init__(self, draw: Callable[..., Figure], settings: Mapping[str, Sequence[float]]):
        self._draw = draw
        self._settings = {name: tuple(float(v) for v in values) for name, values in settings.items()}
        self._drawn: dict[tuple[float, ...], bytes] = {}
        if not self._settings or not all(self._settings.values()):
            raise OptionError(f"sliders {dict(settings)!r}", "numbers for at least one name", "write t=[0, 0.5, 1]")

    def picture(self, **chosen: float) -> bytes:
        """The figure of one setting as PNG; names that are left out are in the middle of their numbers.

        Raises:
            OptionError: a name that has no slider.
        """
        for name in chosen:
            if name not in self._settings:
                raise OptionError(f"slider {name!r}", f"one of {', '.join(self._settings)}", "check the name")
        full = {name: chosen.get(name, values[len(values) // 2]) for name, values in self._settings.items()}
        key = tuple(full.values())
        if key not in self._drawn:
            buffer = io.BytesIO()
            self._draw(**full).savefig(buffer, format="png")
            self._drawn[key] = buffer.getvalue()
        return self._drawn[key]

    def widget(self) -> Any:
        """Sliders above the figure.

        Raises:
            OptionError: ipywidgets is not installed.
        """
        if importlib.util.find_spec("ipywidgets") is None:
            raise OptionError("no ipywidgets", "ipywidgets for sliders", "pip install 'sciml-pde[notebook]'")
        import ipywidgets

        sliders = {
            name: ipywidgets.SelectionSlider(
                options=[(f"{v:.4g}", v) for v in values], value=values[len(values) // 2], description=name,
                continuous_update=False,
            )
            for name, values in self._settings.items()
        }  # fmt: skip
        image = ipywidgets.Image(value=self.picture(), format="png")

        def show(_: Any) -> None:
            image.value = self.picture(**{name: slider.value for name, slider in sliders.items()})

        for slider in sliders.values():
            slider.observe(show, names="value")
        return ipywidgets.VBox([*sliders.values(), image])

    def strip(self, n: int = STRIP) -> str:
        """HTML of at most `n` figures along the first slider, the others in the middle."""
        name, values = next(iter(self._settings.items()))
        chosen = np.unique(np.linspace(0, len(values) - 1, min(n, len(values))).astype(int))
        figures = []
        for i in chosen:
            data = base64.b64encode(self.picture(**{name: values[i]})).decode("ascii")
            caption = escape(f"{name} = {values[i]:.4g}")
            style = "margin:0;flex:1 1 16rem;max-width:26rem"
            image = f'<img alt="{caption}" style="width:100%" src="data:image/png;base64,{data}">'
            figures.append(f'<figure style="{style}">{image}<figcaption>{caption}</figcaption></figure>')
        return f'<div style="display:flex;flex-wrap:wrap;gap:1rem">{"".join(figures)}</div>'

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Both forms, of which a front end shows the best that it can: the widget, or the strip."""
        static = {"text/html": self.strip(), "text/plain": repr(self)}
        if importlib.util.find_spec("ipywidgets") is None:
            return static
        return {**static, **self.widget()._repr_mimebundle_(), "text/html": static["text/html"]}

    def __repr__(self) -> str:
        sliders = ", ".join(f"{name} ∈ [{min(v):.4g}, {max(v):.4g}]" for name, v in self._settings.items())
        return f"Explorer({sliders})"


def explore_solution(
    solution: Solution,
    *along: str,
    steps: int = STEPS,
    reference: AbstractReference | None = None,
    **options: Any,
) -> Explorer:
    """Sliders over coordinates of a solution, with the figure of `plot_solution` at each setting.

    Args:
        solution: what to look at.
        *along: coordinates with a slider (default: time, or the last coordinate of a steady problem).
        steps: settings of each slider.
        reference: a truth to draw beside it.
        **options: of `plot_solution`.

    Raises:
        OptionError: a coordinate that the problem does not have, or no coordinate left to draw along.
    """
    bounds, time = solution.problem.domain.bounds, solution.problem.time
    names = along or ((list(bounds)[-1] if time is None else time.name),)
    unknown = [name for name in names if name not in bounds]
    if unknown or len(set(names)) >= len(bounds):
        what = f"sliders along {', '.join(unknown or names)}"
        raise OptionError(what, f"some, not all, of {', '.join(bounds)}", "leave one coordinate to draw along")

    def draw(**held: float) -> Figure:
        return plot_solution(solution, **{**options, "reference": reference, **held})

    return Explorer(draw, {name: np.linspace(*bounds[name], steps).tolist() for name in names})


def explore_parameters(make: Callable[..., Solution], **values: Sequence[float]) -> Explorer:
    """Sliders over numbers of a problem: each setting is solved when it is first looked at.

    Args:
        make: the solution for one number of each name.
        **values: the numbers of each slider.

    Raises:
        OptionError: no slider, or one without numbers.
    """
    return Explorer(lambda **chosen: plot_solution(make(**chosen)), values)
