"""Write a partial differential equation once, solve it with every method."""

import jax

jax.config.update("jax_enable_x64", True)

from sciml.domains.box import Box
from sciml.domains.grids import Grid, gauss_legendre_grid, midpoint_grid, scattered_grid, uniform_grid
from sciml.domains.sampling import Halton, LatinHypercube, Sobol, Uniform
from sciml.errors import (
    DomainError,
    ExpressionError,
    FileError,
    LoweringError,
    MissingCoordinateError,
    OptionError,
    ParseError,
    ProblemError,
    ProblemWarning,
    SciMLError,
    SolveError,
    UnsupportedProblemError,
)
from sciml.expr.build import components
from sciml.expr.calculus import (
    D,
    at,
    cross,
    curl,
    det,
    div,
    dot,
    grad,
    identity,
    inner,
    integral,
    laplacian,
    matrix,
    normal,
    normal_derivative,
    outer,
    trace,
    transpose,
    vector,
)
from sciml.expr.classify import classify
from sciml.expr.coefficients import Cubic, Linear, Nearest
from sciml.expr.equation import Condition, Equation
from sciml.expr.functions import (
    acos,
    add,
    asin,
    atan,
    cos,
    cosh,
    erf,
    exp,
    log,
    maximum,
    minimum,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
    where,
)
from sciml.expr.latex import latex
from sciml.expr.leaves import Coefficient, Field, Law, Parameter, TensorField, VectorField, coordinates
from sciml.expr.nodes import Coordinate, Expr, Scalar, Tensor, Vector
from sciml.expr.parsing import parse
from sciml.expr.tokens import from_tokens, tokens
from sciml.io import load
from sciml.problem import Problem
from sciml.reference import AbstractReference, ComputedReference, ExactReference, FunctionReference
from sciml.results import RESULTS
from sciml.solution import AbstractRepresentation, Estimate, Solution, Stats
from sciml.solve import solve
from sciml.solver import AbstractSolver, Run
