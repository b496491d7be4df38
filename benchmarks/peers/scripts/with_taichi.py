"""The particle method in Taichi: `python with_taichi.py REQUEST.npz ANSWER.npz`, in an environment of its own.

The request has positions and velocities `(n, 3)`, mass and volume of a particle, moduli `mu, lame`, gravity `(3,)`,
time step, grid (`origin, spacing, shape, low, high`: last node behind the lower wall, first behind the upper one),
steps, rounds and threads. The answer has the positions after the steps, seconds of each round of as many further
steps, and seconds until the first step was done. One step is MLS-MPM with quadratic splines and APIC and corotated
elasticity, in single precision, each loop over particles or nodes one kernel.
"""

# pyright: reportMissingImports=false

import sys
import time

import numpy as np
import taichi as ti


@ti.data_oriented
class Particles:
    """Particles and grid as fields, with a kernel for each loop of a step."""

    def __init__(self, given):
        self.n, shape = len(given["x"]), tuple(int(k) for k in given["shape"])
        self.h, self.dt, self.mass, self.volume = (float(given[k]) for k in ("spacing", "dt", "mass", "volume"))
        self.mu, self.lame = float(given["mu"]), float(given["lame"])
        self.origin, self.gravity = (ti.Vector([float(c) for c in given[k]]) for k in ("origin", "gravity"))
        self.low, self.high = (ti.Vector([int(c) for c in given[k]]) for k in ("low", "high"))
        self.x, self.v = (ti.Vector.field(3, ti.f32, self.n) for _ in range(2))
        self.C, self.F = (ti.Matrix.field(3, 3, ti.f32, self.n) for _ in range(2))
        self.momentum, self.weight = ti.Vector.field(3, ti.f32, shape), ti.field(ti.f32, shape)

    def start(self, given):
        """State at the start, without affine velocity or strain."""
        self.x.from_numpy(given["x"].astype(np.float32))
        self.v.from_numpy(given["v"].astype(np.float32))
        self.C.fill(0.0)
        self.F.from_numpy(np.broadcast_to(np.eye(3, dtype=np.float32), (self.n, 3, 3)).copy())

    def march(self, steps):
        """So many steps, and wait for them."""
        for _ in range(steps):
            self.clear()
            self.scatter()
            self.balance()
            self.gather()
        ti.sync()

    @ti.func
    def nodes(self, p):
        """Lowest node of a particle, its place from there in cells, and splines by offset and axis."""
        cells = (self.x[p] - self.origin) / self.h
        base = ti.floor(cells - 0.5, ti.i32)
        place = cells - base
        rows = [0.5 * (1.5 - place) ** 2, 0.75 - (place - 1.0) ** 2, 0.5 * (place - 0.5) ** 2]
        return base, place, ti.Matrix.rows(rows)

    @ti.kernel
    def clear(self):
        """Empty grid."""
        for node in ti.grouped(self.weight):
            self.weight[node] = 0.0
            self.momentum[node] = ti.Vector.zero(ti.f32, 3)

    @ti.kernel
    def scatter(self):
        """Mass, momentum and stress of the particles to the nodes."""
        for p in self.x:
            F = self.F[p]
            R, _ = ti.polar_decompose(F)
            J = F.determinant()
            pressure = self.lame * J * (J - 1) * ti.Matrix.identity(ti.f32, 3)
            tau = 2 * self.mu * (F - R) @ F.transpose() + pressure
            affine = self.mass * self.C[p] - (4 * self.dt * self.volume / (self.h * self.h)) * tau
            base, place, w = self.nodes(p)
            for offset in ti.static(ti.ndrange(3, 3, 3)):
                o = ti.Vector([offset[0], offset[1], offset[2]])
                share = w[offset[0], 0] * w[offset[1], 1] * w[offset[2], 2]
                self.momentum[base + o] += share * (self.mass * self.v[p] + affine @ ((o - place) * self.h))
                self.weight[base + o] += share * self.mass

    @ti.kernel
    def balance(self):
        """Velocities of the nodes, with gravity and walls that stop what comes."""
        for node in ti.grouped(self.weight):
            if self.weight[node] > 0:
                u = self.momentum[node] / self.weight[node] + self.dt * self.gravity
                for a in ti.static(range(3)):
                    if (node[a] <= self.low[a] and u[a] < 0) or (node[a] >= self.high[a] and u[a] > 0):
                        u[a] = 0.0
                self.momentum[node] = u

    @ti.kernel
    def gather(self):
        """Velocities of the nodes to the particles, which move and deform with them."""
        for p in self.x:
            base, place, w = self.nodes(p)
            mean, moment = ti.Vector.zero(ti.f32, 3), ti.Matrix.zero(ti.f32, 3, 3)
            for offset in ti.static(ti.ndrange(3, 3, 3)):
                o = ti.Vector([offset[0], offset[1], offset[2]])
                u = w[offset[0], 0] * w[offset[1], 1] * w[offset[2], 2] * self.momentum[base + o]
                mean += u
                moment += u.outer_product(o - place)
            self.v[p], self.C[p] = mean, (4 / self.h) * moment
            self.x[p] += self.dt * mean
            self.F[p] += self.dt * self.C[p] @ self.F[p]


def main(request_path, answer_path):
    """March, time it, write the answer."""
    with np.load(request_path, allow_pickle=False) as request:
        given = {name: request[name] for name in request.files}
    ti.init(arch=ti.cpu, cpu_max_num_threads=int(given["threads"]), default_fp=ti.f32, log_level=ti.ERROR)
    particles, steps = Particles(given), int(given["steps"])
    began = time.perf_counter()
    particles.start(given)
    particles.march(1)
    compiled = time.perf_counter() - began
    particles.start(given)
    particles.march(steps)
    seconds, after = [], particles.x.to_numpy()
    for _ in range(int(given["rounds"])):
        began = time.perf_counter()
        particles.march(steps)
        seconds.append(time.perf_counter() - began)
    np.savez(answer_path, x=after, seconds=seconds, compile=compiled, version=".".join(map(str, ti.__version__)))


if __name__ == "__main__":
    main(*sys.argv[1:])
