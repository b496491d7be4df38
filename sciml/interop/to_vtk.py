"""The motion of bodies as files of VTK, which ParaView opens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sciml.domains.bodies import Bodies
from sciml.errors import FileError, OptionError
from sciml.trajectory import Trajectory

if TYPE_CHECKING:
    from sciml.solution import Solution

COLLECTION = "motion.pvd"


def _meshio() -> Any:
    try:
        import meshio
    except ImportError:
        raise OptionError("no meshio", "it, to write files of VTK", "pip install 'sciml-pde[geometry]'") from None
    return meshio


def write_particles(solution: Solution, path: str | Path) -> Path:
    """Particles at every kept time, and a collection that names these times: open `motion.pvd` in ParaView.

    Each particle is a vertex with the fields `velocity`, `rest` (its material point), `deformation` (the elastic
    deformation gradient, row by row), `volume` (its determinant) and `body` (the number of its body); in the plane the
    third component is zero.

    Args:
        solution: of bodies in motion.
        path: of the folder, which is made if need be.

    Returns:
        The folder.

    Raises:
        OptionError: a solution that is no motion of particles, or meshio is not installed.
        FileError: the folder cannot be written.
    """
    domain, track = solution.problem.domain, solution.representation
    if not isinstance(domain, Bodies) or not isinstance(track, Trajectory):
        found = f"a {type(track).__name__} on a {type(domain).__name__}"
        raise OptionError(found, "a motion of particles, such as MPM gives", "use solution.to_xarray() for fields")
    meshio, folder = _meshio(), Path(path)
    X, F = np.asarray(track.X), np.asarray(track.F)
    body = np.repeat(np.arange(len(domain.sections)), [s.stop - s.start for s in domain.sections.values()])
    vertices = [("vertex", np.arange(len(X))[:, None])]
    entries = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for k, t in enumerate(np.asarray(track.t)):
            fields = {
                "velocity": _in_space(np.asarray(track.v[k])),
                "rest": _in_space(X),
                "deformation": F[k].reshape(len(X), -1),
                "volume": np.linalg.det(F[k]),
                "body": body,
            }
            name = f"motion_{k:05d}.vtu"
            meshio.write(folder / name, meshio.Mesh(_in_space(np.asarray(track.x[k])), vertices, point_data=fields))
            entries.append(f'<DataSet timestep="{float(t)!r}" file="{name}"/>')
        text = '<VTKFile type="Collection" version="0.1"><Collection>\n{}\n</Collection></VTKFile>\n'
        (folder / COLLECTION).write_text(text.format("\n".join(entries)), "utf-8")
    except OSError as error:
        raise FileError(
            f"{folder}, where nothing can be written ({error})", "a folder", "choose another path"
        ) from error
    return folder


def _in_space(rows: np.ndarray) -> np.ndarray:
    """Rows `(n, 2)` or `(n, 3)` with three components."""
    return np.pad(rows, ((0, 0), (0, 3 - rows.shape[1])))
