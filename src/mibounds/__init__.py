"""Mutual information: estimate it with confidence intervals and diagnostics, or regularize a training loop by it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mibounds._version import __version__ as __version__

if TYPE_CHECKING:
    from mibounds._public import *  # noqa: F403  (type checkers read it)
    from mibounds._public import __all__ as __all__


def __getattr__(name: str) -> Any:
    """A module, or what `_public` exports, imported at its first use: `mibounds --help` does not wait for torch."""
    if name == "__all__" or not name.startswith("__"):
        if find_spec(f"{__name__}.{name}") is not None:
            return import_module(f"{__name__}.{name}")
        public = import_module(f"{__name__}._public")
        if name == "__all__" or name in public.__all__:
            return getattr(public, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *import_module(f"{__name__}._public").__all__})
