"""Who runs the cells: one after the other here, or on the workers of `dask.distributed`.

Every cell has a process of its own either way, so a worker of Dask is a thread that waits for one. Only the process
that started the sweep writes results.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

from sciml.errors import OptionError, SolveError

Item = TypeVar("Item")
Made = TypeVar("Made")

SLURM = "slurm"
"""Name of the scheduler that starts workers through dask-jobqueue, as the user's Dask configuration says."""


def schedule(
    items: Sequence[Item],
    make: Callable[[Item], Made],
    *,
    workers: int = 1,
    address: str | None = None,
    warn: Callable[[str], None] = lambda text: None,
) -> Iterator[tuple[Item, Made]]:
    """Make something of every item, in any order, each yielded as soon as it is there.

    Args:
        items: what of.
        make: a function that can be sent to another process.
        workers: how many items at once.
        address: of a running Dask scheduler, or `slurm`; None for workers on this machine.
        warn: told what the user should know.

    Raises:
        OptionError: a scheduler was asked for that cannot be had.
        SolveError: workers were lost with their items, after all others were yielded.
    """
    if not items:
        return iter(())
    if address is None and (workers == 1 or len(items) == 1):
        return ((item, make(item)) for item in items)
    if importlib.util.find_spec("distributed") is None:
        if address is not None:
            raise OptionError(f"scheduler {address!r}", "dask.distributed", "pip install 'sciml-pde[bench]'")
        warn("dask.distributed is not installed: one cell after the other. pip install 'sciml-pde[bench]' for more.")
        return ((item, make(item)) for item in items)
    return _distributed(items, make, _client_of(workers, address))


def _distributed(
    items: Sequence[Item], make: Callable[[Item], Made], connect: Callable[[], Any]
) -> Iterator[tuple[Item, Made]]:
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    with closing(connect()) as client:
        futures = {client.submit(make, item, pure=False): item for item in items}
        lost: list[Item] = []
        for future in as_completed(futures, loop=client.loop):
            try:
                made = future.result()
            except KilledWorker:
                lost.append(futures[future])
                continue
            yield futures[future], made
    if lost:
        raise SolveError(f"{len(lost)} of {len(items)} cells lost with their workers", "all", "run the same line again")


def _client_of(workers: int, address: str | None) -> Callable[[], Any]:
    """What connects to the scheduler of this address.

    Raises:
        OptionError: SLURM without dask-jobqueue.
    """
    if address is None:
        return partial(_local, workers)
    if address != SLURM:
        return partial(_connected, address)
    if importlib.util.find_spec("dask_jobqueue") is None:
        raise OptionError("scheduler 'slurm'", "dask-jobqueue", "pip install 'sciml-pde[slurm]'")
    return partial(_slurm, workers)


def _local(workers: int) -> Any:
    """Threads of this process: each only waits for the process of its cell, which ends when this one does."""
    from distributed import Client

    return Client(
        n_workers=workers, threads_per_worker=1, processes=False, dashboard_address=None, set_as_default=False
    )


def _connected(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, timeout="20s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise OptionError(
            f"scheduler {address!r}: {error}", "the address of a running scheduler", "check it"
        ) from error


def _slurm(workers: int) -> Any:
    from dask_jobqueue import SLURMCluster  # type: ignore[import-not-found]
    from distributed import Client

    cluster = SLURMCluster()
    cluster.scale(workers)
    return Client(cluster, set_as_default=False)
