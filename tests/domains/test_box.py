"""Boxes: intervals, faces, named regions, places, structure apart from numbers."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

from sciml import Box, DomainError, Field, coordinates, pi
from sciml.domains.regions import Place, Side

t, x, y = coordinates("t x y")
box = Box({t: (0, 2), x: (-1, 1), y: (0, 2 * pi)}, periodic=y, regions={"inlet": (x, "lower")})


def test_bounds_and_volume():
    assert box.bounds == {"t": (0.0, 2.0), "x": (-1.0, 1.0), "y": (0.0, 2 * np.pi)}
    assert box.length("x") == 2.0
    assert box.volume == pytest.approx(8 * np.pi)
    assert box.periodic == {"y"} and box.time is not None and box.time.name == "t"
    assert [c.name for c in box.space] == ["x", "y"]


def test_intervals_follow_the_frame_whatever_the_order_of_the_dictionary():
    mixed = Box({y: (0, 3), t: (0, 1), x: (0, 2)})
    assert list(mixed.bounds) == ["t", "x", "y"] and mixed.bounds["y"] == (0.0, 3.0)


def test_faces_leave_out_time_and_periodic_coordinates():
    assert [(p.axis.name, p.side) for p in box.faces() if p.axis is not None] == [("x", Side.LOWER), ("x", Side.UPPER)]
    assert box.boundary.as_region().places == box.boundary(x).places
    assert box.place_values(box.faces()[1]) == {"x": 1.0}


def test_outward_normals():
    lower, upper = box.faces()
    assert lower.normal(box.frame) == (-1, 0) and upper.normal(box.frame) == (1, 0)
    assert Side.LOWER.outward == -1 and Side.UPPER.outward == 1


def test_a_place_at_an_end_is_a_face_and_not_a_number():
    assert box.at(x=-1).places == box.lower(x).places
    (start,) = box.at(t=0)
    assert start.is_initial and not start.is_face
    (slice_,) = box.at(x=0.25)
    assert slice_.side is None and not slice_.is_face and slice_.axis is not None
    (corner,) = box.at(t=0, x=1)
    assert corner.axis is None and box.place_values(corner) == {"t": 0.0, "x": 1.0}
    (everywhere,) = box.as_region()
    assert everywhere.is_everywhere


def test_a_rounded_end_is_the_end():
    thirds = Box({t: (0, 1), x: (0, 1), y: (0, 0.1 + 0.2)})
    assert thirds.at(y=0.3).places == thirds.upper(y).places


def test_regions_by_name():
    assert box.boundary["inlet"].places == box.lower(x).places == box.boundary["x-"].places
    assert box.boundary["x+"].places == box.upper(x).places
    union = box.boundary["inlet"] | box.upper(x) | box.lower(x)
    assert union.places == box.boundary(x).places
    assert (box.lower(x) | box.boundary).places == box.boundary(x).places


def test_a_region_made_by_the_box_can_be_named():
    named = Box({t: (0, 1), x: (0, 1), y: (0, 1)}, regions={"walls": box.boundary(x)})
    assert named.boundary["walls"].places == box.boundary(x).places
    with pytest.raises(DomainError, match="walls, x-"):
        named.boundary["floor"]


def test_structure_forgets_the_numbers():
    slab = box.with_bounds(t=(2, 4))
    assert slab.digest == box.digest and slab.content_digest != box.content_digest
    assert slab.bounds["t"] == (2.0, 4.0) and slab.bounds["x"] == box.bounds["x"]
    assert slab.periodic == box.periodic and slab.boundary["inlet"].places == box.lower(x).places
    u = Field("u", t, x, y)
    assert (u == 0).on(slab.at(t=2)).digest == (u == 0).on(box.at(t=0)).digest
    assert Box({t: (0, 2), x: (-1, 1), y: (0, 1)}).digest != box.digest
    assert (u == 0).on(box.at(x=0.25)).digest != (u == 0).on(box.at(x=0.5)).digest


def test_contains():
    points = {"t": jnp.array([0.0, 1.0, 3.0]), "x": jnp.array([1.0, -2.0, 0.0]), "y": jnp.zeros(3)}
    assert box.contains(points).tolist() == [True, False, False]


def test_an_empty_place_has_no_normal():
    with pytest.raises(DomainError, match="normal"):
        Place(()).normal(box.frame)


def test_text():
    assert repr(box) == "Box(t ∈ [0, 2], x ∈ [-1, 1], y ∈ [0, 6.28319), periodic in y)"
    assert repr(box.at(t=0)) == "t=0"
