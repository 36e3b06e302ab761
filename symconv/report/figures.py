"""Figures of sliding windows: from plain integers to scenes.

Every figure asks `DrawnAxis` which entry a tap reads and never computes it again. Indices in the arguments and on the
pictures count from `index_base`, row first. One axis gives one row; three or more cannot be drawn flat. A grid that is
too large to read is cropped to the part around its window, and says so in its description.
"""

from __future__ import annotations

from symconv.report.drawing.axis import DrawnAxis
from symconv.report.drawing.matrices import matrix_scene
from symconv.report.drawing.multiplicity import glyph_map, touch_counts, touch_map
from symconv.report.drawing.sliding import gradient_figure, window_figure

__all__ = [
    "DrawnAxis",
    "glyph_map",
    "gradient_figure",
    "matrix_scene",
    "touch_counts",
    "touch_map",
    "window_figure",
]
