"""Argument checks. An error says what came, what was expected and what to do."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from operator import ge, gt, le, lt
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

__all__ = [
    "check_at_least",
    "check_choice",
    "check_device",
    "check_file",
    "check_flag",
    "check_fraction",
    "check_integer",
    "check_integers",
    "check_number",
    "check_paired",
    "check_seed",
    "check_widths",
    "counted",
    "described",
    "layer_widths",
    "nearest",
    "no_such_file",
    "shortened",
    "unknown_keyword",
]

Choice = TypeVar("Choice")

_FEW = 50  # rows, which no sample is
_LONGEST = 60  # characters of a value that an error shows
_SEEDS = 2**32  # as many as scikit-learn and NumPy's older generators take

# Keywords of this library, and what other libraries call them.
_SYNONYMS = {
    "batch_size": "batchsize batch bs minibatch minibatch_size mini_batch_size",
    "bootstrap": "n_bootstrap n_bootstraps bootstraps n_boot n_resamples",
    "bound": "estimator objective loss",
    "checkpoint": "checkpoint_dir checkpoint_path ckpt_path save_dir",
    "clip": "grad_clip gradient_clip_val clip_norm max_norm max_grad_norm",
    "critic": "network model net score_fn",
    "device": "cuda gpu use_cuda use_gpu accelerator",
    "folds": "n_folds k_folds num_folds n_splits k_fold kfold",
    "groups": "group group_ids clusters",
    "hidden": "hidden_sizes hidden_size hidden_layer_sizes hidden_dims hidden_dim hidden_layers hidden_units layers",
    "level": "alpha confidence confidence_level conf_level ci",
    "lr": "learning_rate eta step_size",
    "nan": "na missing nan_policy dropna",
    "negatives": "n_negatives num_negatives negative_samples",
    "patience": "early_stopping n_iter_no_change early_stopping_patience",
    "permutations": "n_permutations n_perm",
    "precision": "dtype amp",
    "progress": "verbose verbosity show_progress progress_bar",
    "sample_weight": "weights weight sample_weights w",
    "seed": "random_state rng random_seed generator",
    "split": "splitting split_type",
    "steps": "epochs n_epochs num_epochs max_epochs n_iter max_iter iterations n_iterations num_iterations n_steps "
    "num_steps max_steps",
    "unit": "units base log_base",
    "validation_fraction": "valid_fraction validation_split val_fraction val_size validation_size",
    "weight_decay": "l2 reg wd",
    "workers": "n_jobs num_workers n_workers jobs",
    "z": "condition conditional cond conditioning",
}
_TARGETS = {synonym: name for name, synonyms in _SYNONYMS.items() for synonym in synonyms.split()}


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error sentence: the nearest known name, or all of them when none is near."""
    known = [str(entry) for entry in known]
    close = _closest(name, known)
    if close is not None:
        return f"Did you mean {close!r}?"
    shown = ", ".join(repr(entry) for entry in known[:12])
    return f"Known: {shown}{', ...' if len(known) > 12 else ''}."


def counted(number: int, noun: str) -> str:
    """A number of things: 1 row, 2 rows."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def no_such_file(path: Path, endings: tuple[str, ...]) -> str:
    """The message for a file that does not exist, with the nearest name among the files beside it.

    Arguments:
        path: of the file.
        endings: of the files that could be meant.
    """
    if path.is_symlink():
        return f"{str(path)!r} is a link to a file that does not exist: give the path of the file."
    beside = sorted(one.name for one in path.parent.iterdir()) if path.parent.is_dir() else []
    beside = [name for name in beside if name.lower().endswith(endings)]
    return f"There is no file {str(path)!r}. {nearest(path.name, beside) if beside else ''}".rstrip()


def unknown_keyword(function_name: str, keyword: str, known: Iterable[str]) -> str:
    """The text of the TypeError for a keyword that a function does not have.

    The keyword that other libraries use for the same thing leads to the known one; any other to the nearest.

    Example:
        >>> unknown_keyword("estimate", "n_folds", ["folds", "steps"])
        "estimate has no argument 'n_folds'. Did you mean 'folds'?"
    """
    target, known = _TARGETS.get(keyword.lower()), list(known)
    meant = "" if keyword in _SYNONYMS else keyword  # an argument of other functions is no slip of the pen
    advice = f"Did you mean {target!r}?" if target in known else nearest(meant, known)
    return f"{function_name} has no argument {keyword!r}. {advice}"


def check_at_least(name: str, value: float, least: float, advice: str = "") -> None:
    """Raise a TypeError unless it is a number, and no bool, and a ValueError unless value >= least."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {described(value)}: expected a number of at least {least}.")
    if not value >= least:
        raise ValueError(f"{name} is {value!r}, and must be at least {least}.{' ' + advice if advice else ''}")


def check_fraction(name: str, value: float) -> None:
    """Raise a TypeError unless it is a number, and no bool, and a ValueError unless 0 < value < 1."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {described(value)}: expected a number strictly between 0 and 1.")
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value!r}, and must lie strictly between 0 and 1.")


def check_integer(name: str, value: object, least: int | None = None) -> int:
    """The value as an int.

    Raises:
        TypeError: unless it is an integer, of Python or NumPy; a bool and a float are none.
        ValueError: unless value >= least.

    Example:
        >>> check_integer("steps", "100", 1)
        Traceback (most recent call last):
        TypeError: steps is '100' (a str): expected a whole number of at least 1.
    """
    expected = "a whole number" if least is None else f"a whole number of at least {least}"
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} is {described(value)}: expected {expected}.")
    number = int(value)
    if least is not None and number < least:
        raise ValueError(f"{name} is {number}: expected {expected}.")
    return number


def check_number(
    name: str,
    value: object,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> float:
    """The value as a float.

    Arguments:
        name: of the argument.
        value: what came.
        least: value >= least.
        most: value <= most.
        above: value > above.
        below: value < below.

    Raises:
        TypeError: unless it is a real number, of Python or NumPy; a bool is none.
        ValueError: unless it is finite and within the limits.

    Example:
        >>> check_number("level", 95, above=0, below=1)
        Traceback (most recent call last):
        ValueError: level is 95: expected a finite number above 0 and below 1.
    """
    known = (("of at least", least, ge), ("above", above, gt), ("of at most", most, le), ("below", below, lt))
    limits = [(word, limit, holds) for word, limit, holds in known if limit is not None]
    said = " and ".join(f"{word} {limit}" for word, limit, _ in limits)
    expected = f"a finite number {said}".rstrip()
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} is {described(value)}: expected {expected}.")
    number = float(value)
    if not math.isfinite(number) or not all(holds(number, limit) for _, limit, holds in limits):
        raise ValueError(f"{name} is {value}: expected {expected}.")
    return number


def check_choice(
    name: str, value: object, choices: Iterable[Choice], other_words: Mapping[str, str] | None = None
) -> Choice:
    """The choice that equals the value.

    Arguments:
        name: of the argument.
        value: that was given.
        choices: that there are.
        other_words: words that are no choices, to the choices that are suggested for them.

    Raises:
        TypeError: unless the value has the type of a choice.
        ValueError: unless it is one of them; the nearest is suggested.

    Example:
        >>> check_choice("unit", "bit", ["nats", "bits"])
        Traceback (most recent call last):
        ValueError: unit is 'bit': expected 'nats' or 'bits'. Did you mean 'bits'?
    """
    choices = list(choices)
    alike = [choice for choice in choices if isinstance(value, type(choice))]
    for choice in alike:
        if value == choice:
            return choice
    *others, last = map(repr, choices)
    expected = f"{', '.join(others)} or {last}" if others else last
    if not alike:
        raise TypeError(f"{name} is {described(value)}: expected {expected}.")
    close = (other_words or {}).get(str(value).casefold())
    close = close or _closest(str(value), [choice for choice in choices if isinstance(choice, str)])
    raise ValueError(f"{name} is {value!r}: expected {expected}.{'' if close is None else f' Did you mean {close!r}?'}")


def check_seed(value: object) -> int:
    """The seed as an int.

    Raises:
        TypeError: unless it is an integer; None is refused, because every result can be repeated.
        ValueError: if it is below 0, or not below 2**32.
    """
    if value is None:
        raise TypeError("seed is None: give a whole number of at least 0. The same seed gives the same result.")
    seed = check_integer("seed", value, 0)
    if seed >= _SEEDS:
        raise ValueError(f"seed is {seed}: expected a whole number below 2**32 = {_SEEDS}.")
    return seed


def check_flag(name: str, value: object) -> bool:
    """The value as a bool.

    Raises:
        TypeError: unless it is a bool, of Python or NumPy.
    """
    import numpy as np

    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} is {described(value)}: expected True or False.")
    return bool(value)


def check_widths(name: str, value: object) -> tuple[int, ...]:
    """The widths of hidden layers as a tuple of ints; an empty one stands for no hidden layer.

    Raises:
        TypeError: unless it is a sequence of integers.
        ValueError: if a width is below 1.

    Example:
        >>> check_widths("hidden", 128)
        Traceback (most recent call last):
        TypeError: hidden is 128: give the widths of the layers, for example (128,).
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1:
        raise TypeError(f"{name} is {int(value)}: give the widths of the layers, for example ({int(value)},).")
    return check_integers(name, value, 1, example="(128, 128)")


def check_integers(name: str, value: object, least: int, *, example: str) -> tuple[int, ...]:
    """A sequence of integers, or an array of them, as a tuple.

    Arguments:
        name: of the argument.
        value: what came.
        least: of each of them.
        example: of a value, for the sentence.

    Raises:
        TypeError: unless it is a sequence of integers; text is none.
        ValueError: if one is below `least`.

    Example:
        >>> check_integers("sizes", 100, 50, example="[100, 200]")
        Traceback (most recent call last):
        TypeError: sizes is 100 (an int): expected a sequence of whole numbers of at least 50, for example [100, 200].
    """
    entries: Any = value.tolist() if hasattr(value, "tolist") else value
    expected = f"expected a sequence of whole numbers of at least {least}, for example {example}."
    whole = isinstance(entries, Sequence) and not isinstance(entries, str | bytes)
    if not whole or any(isinstance(one, bool) or not isinstance(one, Integral) for one in entries):
        raise TypeError(f"{name} is {described(entries)}: {expected}")
    if any(one < least for one in entries):
        raise ValueError(f"{name} is {described(entries)}: {expected}")
    return tuple(int(one) for one in entries)


def check_file(path: str | os.PathLike[str], expected: str) -> Path:
    """The path of a file to write or to read.

    Arguments:
        path: what came.
        expected: the file, for the sentence.

    Raises:
        TypeError: unless it is text or a path.
        IsADirectoryError: if it is a folder.

    Example:
        >>> check_file(".", "the page")
        Traceback (most recent call last):
        IsADirectoryError: '.' is a folder: expected the path of the page.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path is {described(path)}: expected the path of {expected}.")
    file = Path(path)
    if file.is_dir():
        raise IsADirectoryError(f"{str(file)!r} is a folder: expected the path of {expected}.")
    return file


def layer_widths(error: Exception) -> tuple[int, int] | None:
    """How many columns a layer got and how many inputs it has, if that is what an error of torch is about.

    Example:
        >>> layer_widths(RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x5 and 3x2)"))
        (5, 3)
    """
    found = re.search(r"shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)", str(error))
    return None if found is None else (int(found[1]), int(found[2]))


def check_paired(rows_x: int, rows_y: int, *, name_y: str = "y", columns: tuple[int, int] = (1, 1)) -> None:
    """Raise a ValueError unless both have as many rows; equal columns of two tables may be their samples."""
    if rows_x != rows_y:
        turned = max(rows_x, rows_y) < _FEW and columns[0] == columns[1] > 1
        advice = " Transpose them if samples are their columns." if turned else ""
        raise ValueError(
            f"x has {counted(rows_x, 'row')} and {name_y} has {rows_y}: rows are paired samples, so their numbers must "
            "agree."
            f"{advice}"
        )


def check_device(device: str | torch.device | None) -> torch.device:
    """The torch device of that name, if this machine has it; the CPU for None."""
    import torch

    if device is None:
        return torch.device("cpu")
    if not isinstance(device, str | int | torch.device) or isinstance(device, bool):  # a number is that of a GPU
        raise TypeError(f"device is {described(device)}: expected a name such as 'cpu' or 'cuda', or a torch.device.")
    try:
        found = torch.device(device)
        if found.type == "meta":
            raise ValueError("device is 'meta', which holds no values: expected a device that computes, such as 'cpu'.")
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        here = ["cpu"] + [f"cuda:{i}" for i in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            here.append("mps")
        raise ValueError(
            f"device is {str(device)!r}, which this machine does not have. Here: {', '.join(here)}."
        ) from error
    return found


def _closest(name: str, known: Sequence[str]) -> str | None:
    """The known name that is spelled most alike, upper and lower case being equal; None if all differ much."""
    folded: dict[str, str] = {}
    for entry in known:
        folded.setdefault(entry.casefold(), entry)
    close = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    return folded[close[0]] if close else None


def shortened(text: str) -> str:
    """A text of at most 60 characters."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def described(value: object) -> str:
    """The value and its type, in one line: '100' (a str)."""
    shown = shortened(" ".join(repr(value).split()))
    kind = type(value).__name__
    if value is None:
        return shown
    article = "an" if kind.lower().startswith(("a", "e", "i", "o", "ndarray")) else "a"
    return f"{shown} ({article} {kind})"
