r"""What a law may look like before its weights are known: networks of invariants, energies, and plainer baselines.

A form draws a first material for a motion. Whether there is a flow, and whether flow keeps volume, is read from the
motion and not chosen: a return map is learned only where the observed F leaves the one that the velocities carry along,
and where that changes no volume, the learned one cannot change it either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, final

import jax

from sciml.material import AbstractElastic, AbstractPlastic, Material, NoFlow
from solvers.mpm.motion import Motion, Sizes
from solvers.mpm.neural import (
    BiasFree,
    Increasing,
    Isochoric,
    LearnedEnergy,
    NeuralElastic,
    NeuralPlastic,
    PlainElastic,
    PlainPlastic,
)
from solvers.mpm.splines import SplineElastic, SplinePlastic

NO_FLOW = 1e-5
"""Flow of a step, relative to its stretch, below which a motion shows none."""

NO_SWELLING = 1e-3
"""Change of volume by flow, relative to flow, below which a motion shows none: rounding in single precision is less."""


class AbstractForm(ABC):
    """A family of laws that one is chosen from by its weights."""

    def draw(self, motion: Motion, sizes: Sizes, key: jax.Array) -> Material:
        """A material with first weights, in the precision of a motion.

        Args:
            motion: what will be learned from.
            sizes: its root mean squares, the units of the law.
            key: of the weights.
        """
        d, dtype = motion.states.x.shape[1], motion.model.dt.dtype
        keys = jax.random.split(key)
        elastic = self.elastic(d, sizes, keys[0], dtype)
        if sizes.flow < NO_FLOW * sizes.stretch:
            return Material(elastic, NoFlow())
        return Material(elastic, self.plastic(d, sizes, keys[1], dtype))

    @abstractmethod
    def elastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> AbstractElastic:
        """Stress with first weights."""

    @abstractmethod
    def plastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> AbstractPlastic:
        """Flow with first weights; asked for where a motion flows."""


def _network_flow(d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> AbstractPlastic:
    flow = NeuralPlastic.draw(d, sizes.strain, sizes.flow, key, dtype)
    return Isochoric(flow) if sizes.swelling < NO_SWELLING * sizes.flow else flow


@final
@dataclass(frozen=True)
class InvariantNetworks(AbstractForm):
    """The paper's networks of invariants for stress and flow."""

    def elastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> NeuralElastic:
        return NeuralElastic.draw(d, sizes.strain, sizes.modulus * sizes.strain, key, dtype)

    def plastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> AbstractPlastic:
        return _network_flow(d, sizes, key, dtype)


@final
@dataclass(frozen=True)
class EnergyNetwork(AbstractForm):
    """Stress as the derivative of a learned energy, and the paper's network for flow.

    Args:
        polyconvex: whether the energy is polyconvex whatever the weights.
    """

    polyconvex: bool = False

    def elastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> LearnedEnergy:
        network = Increasing if self.polyconvex else BiasFree
        return LearnedEnergy.draw(d, sizes.strain, sizes.modulus * sizes.strain, key, dtype, network)

    def plastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> AbstractPlastic:
        return _network_flow(d, sizes, key, dtype)


@final
@dataclass(frozen=True)
class PlainNetworks(AbstractForm):
    """The baseline of networks of F itself: nothing is built in.

    Args:
        flows: whether a network for flow is learned too; the paper's baseline has none.
    """

    flows: bool = True

    def elastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> PlainElastic:
        return PlainElastic.draw(d, sizes.strain, sizes.modulus * sizes.strain, key, dtype)

    def plastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> AbstractPlastic:
        return PlainPlastic.draw(d, sizes.strain, sizes.flow, key, dtype) if self.flows else NoFlow()


@final
@dataclass(frozen=True)
class Splines(AbstractForm):
    """The baseline of splines: isotropic laws whose volumetric and deviatoric parts are functions of one number each.

    Args:
        flows: whether splines for flow are learned too; the paper's baseline has none.
    """

    flows: bool = True

    def elastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> SplineElastic:
        return SplineElastic.start(sizes.strain, sizes.modulus, dtype)

    def plastic(self, d: int, sizes: Sizes, key: jax.Array, dtype: Any) -> AbstractPlastic:
        return SplinePlastic.start(sizes.strain, dtype) if self.flows else NoFlow()
