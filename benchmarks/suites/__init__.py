"""Every suite by name: each module here defines one, as `SUITE`."""

from __future__ import annotations

import importlib
import pkgutil

from benchmarks.suite import Suite

_MODULES = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]

SUITES: dict[str, Suite] = {module.SUITE.name: module.SUITE for module in _MODULES}
