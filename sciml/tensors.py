r"""Small tensors with components first: arrays of shape `(d, d, *batch)`, d = 2 or 3, every product written out.

Compilers fuse such expressions over the batch, which they do not do with calls of a linear-algebra library for each
matrix. Derivatives are exact, in forward and reverse mode, also where eigenvalues coincide: no function here divides by
a difference of eigenvalues.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
from jax import Array

Rows = list[list[Array]]


def rows(a: Array) -> Rows:
    """The components as a nested list."""
    d = a.shape[0]
    return [[a[i, j] for j in range(d)] for i in range(d)]


def tensor(components: Sequence[Sequence[Array]]) -> Array:
    """The tensor of such a list."""
    return jnp.stack([jnp.stack(row) for row in components])


def _tensor_of(d: int, component: Callable[[int, int], Array]) -> Array:
    return tensor([[component(i, j) for j in range(d)] for i in range(d)])


def product(a: Array, b: Array) -> Array:
    r"""$(ab)_{ij} = \sum_k a_{ik} b_{kj}$."""
    d, x, y = a.shape[0], rows(a), rows(b)
    return _tensor_of(d, lambda i, j: total([x[i][k] * y[k][j] for k in range(d)]))


def product_left_transposed(a: Array, b: Array) -> Array:
    r"""$a^\top b$."""
    return product(transpose(a), b)


def product_right_transposed(a: Array, b: Array) -> Array:
    r"""$a b^\top$."""
    return product(a, transpose(b))


def apply(a: Array, x: Array) -> Array:
    r"""$(ax)_i = \sum_j a_{ij} x_j$, with `x` of shape `(d, *batch)`."""
    d, m = a.shape[0], rows(a)
    return jnp.stack([total([m[i][j] * x[j] for j in range(d)]) for i in range(d)])


def total(terms: Sequence[Array]) -> Array:
    """Sum of at least one term, written out."""
    first, *rest = terms
    for term in rest:
        first = first + term
    return first


def transpose(a: Array) -> Array:
    """The transposed tensor."""
    return jnp.swapaxes(a, 0, 1)


def symmetric(a: Array) -> Array:
    """Half the sum with the transposed tensor."""
    return 0.5 * (a + transpose(a))


def trace(a: Array) -> Array:
    """Sum of the diagonal."""
    return total([a[i, i] for i in range(a.shape[0])])


def spherical(s: Array, d: int) -> Array:
    """A scalar times the identity."""
    zero = jnp.zeros_like(s)
    return _tensor_of(d, lambda i, j: s if i == j else zero)


def identity_like(a: Array) -> Array:
    """The identity, of the shape of `a`."""
    return spherical(jnp.ones_like(a[0, 0]), a.shape[0])


def add_spherical(a: Array, s: Array) -> Array:
    """A tensor plus a scalar times the identity."""
    d, x = a.shape[0], rows(a)
    return _tensor_of(d, lambda i, j: x[i][j] + s if i == j else x[i][j])


def deviator(a: Array) -> Array:
    """A tensor without its mean diagonal."""
    return add_spherical(a, -trace(a) / a.shape[0])


def squared_norm(a: Array) -> Array:
    """Sum of the squares of the components."""
    return jnp.sum(a * a, axis=(0, 1))


def cofactor(a: Array) -> Array:
    r"""$\det(a)\,a^{-\top}$, a polynomial in the components."""
    x = rows(a)
    if a.shape[0] == 2:
        return tensor([[x[1][1], -x[1][0]], [-x[0][1], x[0][0]]])

    def minor(i: int, j: int) -> Array:
        p, q, r, s = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
        return x[p][r] * x[q][s] - x[p][s] * x[q][r]

    return _tensor_of(3, minor)


def determinant(a: Array) -> Array:
    """The determinant."""
    if a.shape[0] == 2:
        return a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
    x = rows(a)
    return (
        x[0][0] * (x[1][1] * x[2][2] - x[1][2] * x[2][1])
        + x[0][1] * (x[1][2] * x[2][0] - x[1][0] * x[2][2])
        + x[0][2] * (x[1][0] * x[2][1] - x[1][1] * x[2][0])
    )


def inverse_transposed(a: Array) -> Array:
    r"""$a^{-\top}$; not finite where the determinant vanishes."""
    c = cofactor(a)
    return c / total([a[0, j] * c[0, j] for j in range(a.shape[0])])


# the rotation of a polar decomposition

_SCALED, _PLAIN = 3, {4: 3, 8: 4}
"""Newton steps with and without scaling, by bytes of a number: exact for singular values from 0.02 to 20."""


@jax.custom_jvp
def rotation(F: Array) -> Array:
    r"""The orthogonal factor R of $F = RS$, S symmetric and positive.

    Newton's iteration $R \leftarrow \tfrac12(\gamma R + \gamma^{-1} R^{-\top})$, its first steps with
    $\gamma^2 = \|R^{-1}\| / \|R\|$. The derivative is $\dot R = R\,[w]_\times$ with
    $(\operatorname{tr}(S) I - S)\,w = \operatorname{axial}(R^\top\dot F - \dot F^\top R)$, whose matrix has the
    eigenvalues $\sigma_i + \sigma_j$: exact at F = I and wherever singular values coincide.

    Args:
        F: shape `(d, d, *batch)`, not singular; where its determinant is negative, so is that of R.

    Reference: N. J. Higham, doi:10.1137/0907079.
    """
    R = F
    for _ in range(_SCALED):
        Q = inverse_transposed(R)
        scale = (squared_norm(Q) / squared_norm(R)) ** 0.25
        R = 0.5 * (scale * R + Q / scale)
    for _ in range(_PLAIN[F.dtype.itemsize]):
        R = 0.5 * (R + inverse_transposed(R))
    return R


@rotation.defjvp
def _rotation_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (F,), (dF,) = primals, tangents
    R = rotation(F)
    S, M = symmetric(product_left_transposed(R, F)), product_left_transposed(R, dF)
    if F.shape[0] == 2:
        w = (M[1, 0] - M[0, 1]) / trace(S)
        zero = jnp.zeros_like(w)
        return R, product(R, tensor([[zero, -w], [w, zero]]))
    K = add_spherical(-S, trace(S))
    a = jnp.stack([M[2, 1] - M[1, 2], M[0, 2] - M[2, 0], M[1, 0] - M[0, 1]])
    w = apply(inverse_transposed(K), a)  # K is symmetric
    zero = jnp.zeros_like(w[0])
    return R, product(R, tensor([[zero, -w[2], w[1]], [w[2], zero, -w[0]], [-w[1], w[0], zero]]))


# functions of symmetric tensors

_SWEEPS = {4: 4, 8: 5}
"""Sweeps of Jacobi's method, by bytes of a number: off-diagonal entries vanish to rounding."""


def _eigen(S: Array) -> tuple[Array, Array]:
    """Eigenvalues `(d, *batch)` and eigenvectors as columns `(d, d, *batch)`, by cyclic Jacobi rotations."""
    d, a = S.shape[0], rows(S)
    one, zero = jnp.ones_like(a[0][0]), jnp.zeros_like(a[0][0])
    v = [[one if i == j else zero for j in range(d)] for i in range(d)]
    pairs = [(p, q) for p in range(d) for q in range(p + 1, d)]
    for p, q in pairs * (_SWEEPS[S.dtype.itemsize] if d > 2 else 1):
        _rotate(a, v, p, q)
    return jnp.stack([a[i][i] for i in range(d)]), tensor(v)


def _rotate(a: Rows, v: Rows, p: int, q: int) -> None:
    """Make one off-diagonal entry vanish, in place of the lists."""
    gap, twice = a[q][q] - a[p][p], 2 * a[p][q]
    size = jnp.sqrt(gap * gap + twice * twice)
    safe = jnp.where(size > 0, jnp.abs(gap) + size, 1.0)
    t = jnp.where(gap < 0, -twice, twice) / safe  # tangent of the smaller angle
    c = jax.lax.rsqrt(1 + t * t)
    s = t * c
    for i in range(len(a)):
        if i not in (p, q):
            x, y = a[i][p], a[i][q]
            a[i][p], a[i][q] = c * x - s * y, s * x + c * y
            a[p][i], a[q][i] = a[i][p], a[i][q]
        x, y = v[i][p], v[i][q]
        v[i][p], v[i][q] = c * x - s * y, s * x + c * y
    shift = t * a[p][q]
    a[p][p], a[q][q] = a[p][p] - shift, a[q][q] + shift
    a[p][q] = a[q][p] = jnp.zeros_like(shift)


def _recompose(V: Array, middle: Array) -> Array:
    return product(product(V, middle), transpose(V))


@jax.custom_jvp
def logarithm(B: Array) -> Array:
    r"""$\log B$ of a symmetric positive tensor.

    Its derivative in the eigenbasis is $\dot B_{ij}$ times the divided difference of the logarithm,
    $2\operatorname{artanh}(x)/((\lambda_i+\lambda_j)x)$ with $x=(\lambda_i-\lambda_j)/(\lambda_i+\lambda_j)$: without
    cancellation for any eigenvalues.
    """
    return _logarithm_and_basis(B)[0]


def _logarithm_and_basis(B: Array) -> tuple[Array, Array, Array]:
    values, V = _eigen(B)
    d, v, logs = B.shape[0], rows(V), jnp.log(values)
    L = _tensor_of(d, lambda i, j: total([v[i][k] * logs[k] * v[j][k] for k in range(d)]))
    return L, values, V


@logarithm.defjvp
def _logarithm_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (B,), (dB,) = primals, tangents
    L, values, V = _logarithm_and_basis(B)
    M = rows(_recompose(transpose(V), dB))
    middle = _tensor_of(B.shape[0], lambda i, j: M[i][j] * _log_difference(values[i], values[j]))
    return L, _recompose(V, middle)


def _log_difference(a: Array, b: Array) -> Array:
    """(log a - log b) / (a - b)."""
    x = (a - b) / (a + b)
    safe = jnp.where(x == 0, 0.5, x)
    return 2 * jnp.where(x == 0, 1.0, jnp.arctanh(safe) / safe) / (a + b)


_HALVINGS, _TERMS = 4, {4: 5, 8: 10}
"""Halvings and degree of the Taylor polynomial, by bytes of a number: exact to rounding for norms up to 3."""


def exponential(A: Array) -> Array:
    r"""$e^A$, by a Taylor polynomial of $A/2^4$ squared four times."""
    X = A / 2**_HALVINGS
    E = identity_like(A)
    for k in range(_TERMS[A.dtype.itemsize], 0, -1):
        E = add_spherical(product(X, E) / k, jnp.ones_like(A[0, 0]))
    for _ in range(_HALVINGS):
        E = product(E, E)
    return E


@jax.custom_jvp
def singular_values(F: Array) -> Array:
    r"""Singular values `(d, *batch)`, largest first; for a negative determinant those of the nearest rotation's
    stretch.

    They are the eigenvalues of $S = R^\top F$, with $\dot\sigma_i = (V^\top R^\top \dot F V)_{ii}$: symmetric functions
    of them have exact derivatives also where they coincide.
    """
    return _stretches(F)[0]


def _stretches(F: Array) -> tuple[Array, Array, Array]:
    R = rotation(F)
    values, V = _eigen(symmetric(product_left_transposed(R, F)))
    d = F.shape[0]
    s, columns = [values[i] for i in range(d)], [V[:, i] for i in range(d)]
    for i, j in [(0, 1), (1, 2), (0, 1)] if d == 3 else [(0, 1)]:
        swap = s[i] < s[j]
        s[i], s[j] = jnp.where(swap, s[j], s[i]), jnp.where(swap, s[i], s[j])
        columns[i], columns[j] = jnp.where(swap, columns[j], columns[i]), jnp.where(swap, columns[i], columns[j])
    return jnp.stack(s), jnp.stack(columns, axis=1), R


@singular_values.defjvp
def _singular_values_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    (F,), (dF,) = primals, tangents
    s, V, R = _stretches(F)
    M = _recompose(transpose(V), product_left_transposed(R, dF))
    return s, jnp.stack([M[i, i] for i in range(F.shape[0])])
