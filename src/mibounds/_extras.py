"""Optional packages: each belongs to an extra and is imported where it is used."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

__all__ = ["MissingExtraError", "require"]


class MissingExtraError(ImportError):
    """An optional package is not installed; the message says how to install it."""


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import a module of an optional package.

    An ordinary import statement can follow, which keeps the types:

    ```python
    require("zuko.flows", extra="flows", purpose="FlowCritic")
    from zuko.flows import NSF
    ```

    Arguments:
        module: the module to import, with dots.
        extra: the extra of mibounds that installs its package.
        purpose: what needs it; the subject of the message.

    Returns:
        The module.

    Raises:
        MissingExtraError: if the package is not installed. Errors of an installed package pass through.

    Example:
        >>> require("numpy", extra="plots", purpose="The example").__name__
        'numpy'
        >>> require("nosuchpackage", extra="plots", purpose="The example")
        Traceback (most recent call last):
        mibounds._extras.MissingExtraError: The example needs nosuchpackage: pip install "mibounds[plots]".
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != package:  # the package is there, and lacks one of its own
            raise
        raise MissingExtraError(f'{purpose} needs {package}: pip install "mibounds[{extra}]".', name=package) from error
