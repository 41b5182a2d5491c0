"""The recipe: every setting of a training, written once; signatures, help and checks are derived from its fields."""

# ruff: noqa: RUF009  (`_setting` returns a field)

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from typing_extensions import Unpack

from mibounds._checks import (
    check_choice,
    check_device,
    check_flag,
    check_widths,
    described,
    unknown_keyword,
)
from mibounds.training import setting_checks as checks

if TYPE_CHECKING:  # at run time torch is imported by those who need it: the command line shows its help without it
    import torch
    from torch import Tensor

    from mibounds.bounds import Bound
    from mibounds.critics import Critic
    from mibounds.training.folds import Fold

__all__ = [
    "ESTIMATOR_SETTINGS",
    "SPLIT_SETTINGS",
    "FilledRecipe",
    "Recipe",
    "SeriesSettings",
    "Settings",
    "automatic_folds",
    "refuse_settings",
    "takes_settings",
]

_FEW, _SOME, _MANY = 2_000, 6_000, 20_000  # samples; folds and steps follow them
_RUNS = 50  # of consecutive samples, on which the standard error of a series rests
_GAP = 0.01  # of the samples, on each side of a block
_LEAST_BATCH, _LARGEST_BATCH = 16, 256

Verb = TypeVar("Verb", bound=Callable[..., Any])


class SeriesSettings(TypedDict, total=False):
    """The fields of `Recipe` as keywords, without those that split; `Recipe` documents them."""

    bound: str | Bound
    critic: str | Critic
    hidden: Sequence[int]
    learners: bool
    steps: int | None
    batch_size: int | None
    lr: float
    weight_decay: float
    clip: float
    folds: int | None
    validation_fraction: float
    check_every: int | None
    patience: int
    tolerance: float
    test_negatives: int | str
    bootstrap: int | None
    precision: str
    seed: int
    device: str | torch.device | None
    workers: int | None
    progress: bool | str
    checkpoint: str | os.PathLike[str] | None
    resume: bool


class Settings(SeriesSettings, total=False):
    """The fields of `Recipe` as keywords, for type checkers; `Recipe` documents them."""

    split: str
    gap: int | None
    cv: Any


def _setting(default: Any, text: str, check: Callable[[str, Any], Any] | None = None) -> Any:
    """A field with its documentation and its check, which returns the value to keep or raises with one sentence."""
    return dataclasses.field(default=default, metadata={"help": text, "check": check})


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How an estimate is trained, evaluated and run; None in a field lets the number of samples N decide.

    Every function that trains takes `recipe=`, a preset by name or a `Recipe`, and single settings as keywords, which
    take precedence: `mi.estimate(x, y, recipe="quick", steps=100)`.

    Presets: "quick" (2 folds, 60 steps, two hidden layers of 64, no learners: a first look), "default", and "thorough"
    (5 folds, 2,000 steps: more certain where the dependence is intricate). With "quick" and "default", and no setting
    of the training of one's own, two single columns are trained for only where neighbors find more than closed forms
    certify, and two labels are counted if combinations have five rows.

    Arguments:
        bound: objective of the critics' training, a name or a `Bound`.
        critic: "separable", "joint" or "bilinear"; other critics are trained by a `Trainer`.
        hidden: widths of the critics' hidden layers.
        learners: predict tables from each other by a Gaussian process, a linear regression and boosted trees, and give
            the predictions to the critics (`mibounds.learners`); without, an estimate of up to some thousand samples
            takes a part of the time, and several columns are less accurate.
        steps: training steps of a fold; by default 300 for N up to 2,000, 500 up to 20,000 and 1,000 above, and above
            2,000 three times as many where the first of them gain much.
        batch_size: samples of a step; by default 256, fewer for small N.
        lr: peak learning rate; it rises linearly over the first tenth of the steps and falls as a cosine to zero.
        weight_decay: of AdamW.
        clip: largest gradient norm of a step. A step whose gradient is not finite is skipped and counted.
        folds: number of folds; by default 5 for N up to 6,000, 3 up to 20,000 (5 where split is "blocked"), 2 above.
        split: "random" for independent samples; "blocked" for samples that resemble their neighbors (time series):
            folds are contiguous blocks, and so are their validation parts.
        gap: with split="blocked", samples left out on each side of a block, so that no training sample is a neighbor
            of a test sample; by default 1 % of N. Give the number of samples over which the series is correlated.
        cv: a scikit-learn splitter, or pairs of training and test indices, in place of `folds` and `split`.
        validation_fraction: fraction of a fold's training samples used for early stopping and selection.
        check_every: steps between evaluations of the validation loss; by default 25 for N up to 2,000 and 50 above.
        patience: evaluations without improvement after which training stops.
        tolerance: nats by which the validation loss must improve; ties keep the earlier weights.
        test_negatives: mismatched pairs per test sample, "all" or a number; a number is used only if it is at least 64
            (or all there are) and every estimate stays below 5 nats, otherwise all pairs are evaluated.
        bootstrap: resamples for a bootstrap standard error, for example 200; by default a jackknife and the spread of
            the folds, whichever is larger.
        precision: "float32"; or "bf16", which trains the hidden layers in bfloat16, for hardware that multiplies it
            (GPUs since 2020, processors with AMX).
        seed: the same seed, a number below 2**32, gives the same number, whatever the number of workers.
        device: "cpu", "cuda", ...
        workers: folds trained at a time; by default the number of torch threads, and one below 5,000 samples.
        progress: "auto" shows a bar in terminals and notebooks if the work takes more than three seconds; True always,
            False never.
        checkpoint: folder in which the fit is saved as it goes, one file a fold; it is created if missing.
        resume: continue the fit in `checkpoint`, to the same number to the bit; start anew if the folder is empty.

    Raises:
        TypeError, ValueError: for a value of the wrong type or out of range, with one sentence.

    Example:
        >>> Recipe.preset("quick").replace(steps=100).steps
        100
        >>> Recipe(steps="100")
        Traceback (most recent call last):
        TypeError: steps is '100' (a str): expected a whole number of at least 1.
    """

    bound: str | Bound = _setting(
        "infonce", "The bound that trains the critics, such as infonce, nwj, smile or jensenshannon.", checks.bound
    )
    critic: str | Critic = _setting("separable", "separable, joint or bilinear.", checks.critic)
    hidden: Sequence[int] = _setting((128, 128, 128), "Widths of the hidden layers.", check_widths)
    learners: bool = _setting(True, "Predict tables from each other for the critics.", check_flag)
    steps: int | None = _setting(None, "Training steps of a fold.", checks.whole(1))
    batch_size: int | None = _setting(None, "Samples of a training step.", checks.whole(2))
    lr: float = _setting(2e-3, "Peak learning rate.", checks.positive)
    weight_decay: float = _setting(1e-4, "Weight decay of AdamW.", checks.not_negative)
    clip: float = _setting(1.0, "Largest gradient norm of a step.", checks.positive)
    folds: int | None = _setting(None, "Number of folds; fewer take less time.", checks.whole(2))
    split: str = _setting("random", "random; or blocked, for time series.", checks.one_of("random", "blocked"))
    gap: int | None = _setting(None, "Samples left out on each side of a block.", checks.whole(0))
    cv: Any = _setting(None, "A scikit-learn splitter.", checks.splitter)
    validation_fraction: float = _setting(0.15, "Fraction of the training samples for early stopping.", checks.fraction)
    check_every: int | None = _setting(None, "Steps between validation losses.", checks.whole(1))
    patience: int = _setting(4, "Validation losses without improvement before stopping.", checks.required_whole(1))
    tolerance: float = _setting(1e-3, "Nats by which the validation loss must improve.", checks.not_negative)
    test_negatives: int | str = _setting("all", "Mismatched pairs per test sample.", checks.negatives)
    bootstrap: int | None = _setting(None, "Resamples of a bootstrap standard error.", checks.whole(2))
    precision: str = _setting("float32", "float32 or bf16.", checks.one_of("float32", "bf16"))
    seed: int = _setting(0, "The same seed gives the same number.", checks.seed)
    device: str | torch.device | None = _setting(None, "cpu, cuda, ...", checks.device)
    workers: int | None = _setting(None, "Folds trained at a time.", checks.whole(1))
    progress: bool | str = _setting("auto", "Show a progress bar: auto, True or False.", checks.progress)
    checkpoint: str | os.PathLike[str] | None = _setting(
        None, "Folder in which the fit is saved as it goes.", checks.folder
    )
    resume: bool = _setting(False, "Continue the fit in the checkpoint folder.", check_flag)

    def __post_init__(self) -> None:
        for one in sorted(dataclasses.fields(self), key=lambda one: one.metadata["check"] in checks.OF_TORCH):
            check = one.metadata["check"]
            if check is not None:
                object.__setattr__(self, one.name, check(one.name, getattr(self, one.name)))
        if self.gap is not None and self.split == "random":
            raise ValueError(f"gap is {self.gap}, and a random split has none: pass split='blocked' too.")
        if self.resume and self.checkpoint is None:
            raise ValueError("resume continues a checkpoint, and there is none: pass checkpoint=, its folder.")
        if self.cv is not None and (self.folds is not None or self.split != "random"):
            raise ValueError("cv makes the folds: pass neither folds nor split with it.")

    @classmethod
    def preset(cls, name: str) -> Recipe:
        """The recipe of that name: "quick", "default" or "thorough"."""
        return cls(**_preset(name))

    @classmethod
    def of(cls, recipe: Recipe | str | None, settings: Mapping[str, Any]) -> Recipe:
        """The recipe that a function was given, with single settings in place of its own."""
        if recipe is not None and not isinstance(recipe, Recipe | str):
            raise TypeError(f"recipe is {described(recipe)}: expected {', '.join(map(repr, _PRESETS))} or a mi.Recipe.")
        if isinstance(recipe, Recipe):
            return recipe.replace(**settings)
        return cls(**{**_preset("default" if recipe is None else recipe), **_changes(settings)})

    def replace(self, **settings: Unpack[Settings]) -> Recipe:
        """The same recipe with other settings; a `cv` takes the place of its folds."""
        return dataclasses.replace(self, **_changes(settings))

    def part(self, name: str, index: int = 0) -> Recipe:
        """The recipe of one of several fits: it has its own subfolder of the checkpoint, and its own seed.

        Example:
            >>> Recipe(checkpoint="run").part("lag 3").checkpoint.as_posix()
            'run/lag 3'
        """
        folder = None if self.checkpoint is None else Path(self.checkpoint) / name.replace("/", " ")
        return dataclasses.replace(self, checkpoint=folder, seed=(self.seed + index) % 2**32)

    def filled(self, n: int, train_n: int) -> FilledRecipe:
        """The recipe for N samples of which every fold trains on at least `train_n`: nothing is left to be chosen."""
        steps = self.steps if self.steps is not None else (300 if n <= _FEW else 500 if n <= _MANY else 1000)
        check_every = self.check_every if self.check_every is not None else (25 if n <= _FEW else 50)
        automatic = min(_LARGEST_BATCH, max(_LEAST_BATCH, train_n // 4))
        batch_size = self.batch_size if self.batch_size is not None else automatic
        if batch_size > train_n:
            advice = "give a smaller batch_size, or none, and it is chosen"
            if self.batch_size is None:
                advice = "give a smaller validation_fraction, or more samples"
            given = f"batch_size is {batch_size}" if self.batch_size else f"a batch has at least {batch_size} samples"
            raise ValueError(f"{given}, and a fold trains on {train_n} samples: {advice}.")
        settings = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        return FilledRecipe(**{**settings, "steps": steps, "check_every": check_every, "batch_size": batch_size})

    @property
    def torch_device(self) -> torch.device:
        """The device as torch knows it."""
        return check_device(self.device)

    def splits(self, n: int, groups: Tensor | None = None) -> list[Fold]:
        """The folds of N samples; no group (N,) is divided between folds."""
        import torch

        from mibounds.training.folds import split, split_blocked, split_by, split_groups

        generator = torch.Generator().manual_seed(self.seed)
        if self.cv is not None:
            return split_by(self.cv, n, groups, self.validation_fraction, generator)
        folds = self.folds if self.folds is not None else automatic_folds(n, self.split)
        if folds > n // 2:
            raise ValueError(f"folds is {folds}, and {n} samples give at most {n // 2} folds of two samples.")
        if groups is not None and self.split == "blocked":
            raise ValueError("groups and split='blocked' exclude each other: groups say which samples are dependent.")
        if groups is not None:
            return split_groups(groups, folds, self.validation_fraction, generator)
        if self.split == "random":
            return split(n, folds, self.validation_fraction, generator)
        gap = self.gap if self.gap is not None else math.ceil(_GAP * n)
        return split_blocked(n, folds, self.validation_fraction, gap, generator)

    def clusters(self, n: int, groups: Tensor | None = None) -> Tensor | None:
        """The cluster (N,) of each sample, between which samples are taken as independent; None if all are."""
        if groups is None and self.split == "blocked":  # neighbors are alike: runs of samples are independent
            import torch

            return torch.arange(n) * _RUNS // n
        return groups


class FilledRecipe(Recipe):
    """A recipe for a sample of known size: steps, batch size and checks are numbers."""

    def __post_init__(self) -> None:
        """Nothing: the settings have been checked, and the seeds of folds are larger than those of users."""

    if TYPE_CHECKING:
        steps: int
        batch_size: int
        check_every: int


_DEFAULTS: dict[str, Any] = {one.name: one.default for one in dataclasses.fields(Recipe)}
_PRESETS: dict[str, Settings] = {
    "quick": {"folds": 2, "steps": 60, "hidden": (64, 64), "learners": False, "test_negatives": 128},
    "default": {},
    "thorough": {"folds": 5, "steps": 2000},
}
_OTHER_WORDS = {
    **dict.fromkeys(("fast", "faster", "small", "short", "tiny"), "quick"),
    **dict.fromkeys(("standard", "normal", "medium", "auto"), "default"),
    **dict.fromkeys(("accurate", "best", "slow", "precise", "full", "long", "large"), "thorough"),
}


def _preset(name: str) -> Settings:
    return _PRESETS[check_choice("recipe", name, list(_PRESETS), _OTHER_WORDS)]


def _changes(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings in place of those of a recipe; a `cv` takes the place of its folds."""
    for name in settings:
        if name not in _DEFAULTS:
            raise TypeError(unknown_keyword("Recipe.replace", name, _DEFAULTS))
    if settings.get("cv") is not None:
        return {"folds": None, "split": "random", "gap": None, **settings}
    return settings


SPLIT_SETTINGS = ("split", "cv", "gap")
"""The settings that choose the folds; functions of series, whose folds are contiguous blocks, do not take them."""
ESTIMATOR_SETTINGS = ("bound", "critic", "hidden", "learners")
"""The settings that build an estimator; a trainer, which is given one, does not take them."""


def automatic_folds(n: int, split: str) -> int:
    """The default number of folds: more for small N, where critics need the samples, and more for blocks, whose spread
    is part of the standard error."""
    return 2 if n > _MANY else 5 if n <= _SOME or split == "blocked" else 3


def refuse_settings(recipe: Recipe | str | None, settings: Mapping[str, Any], used: Collection[str], why: str) -> None:
    """Raise a TypeError for a recipe and settings that would have no effect.

    Arguments:
        recipe: that a function was given.
        settings: likewise.
        used: settings that have an effect.
        why: the others have none, for the sentence.

    Example:
        >>> refuse_settings(None, {"steps": 20, "seed": 1}, ["seed"], "method='neighbors' trains no critics")
        Traceback (most recent call last):
        TypeError: steps has no effect, since method='neighbors' trains no critics: leave it out.
    """
    unused = [*(["recipe"] if recipe is not None else []), *(name for name in settings if name not in used)]
    if unused:
        have, them = ("has", "it") if len(unused) == 1 else ("have", "them")
        raise TypeError(f"{', '.join(unused)} {have} no effect, since {why}: leave {them} out.")


def takes_settings(*, without: Collection[str] = (), computes: bool = True) -> Callable[[Verb], Verb]:
    """Let a function that ends in `**settings` name its settings: in its signature, and in the error for a keyword
    that it does not have. It runs in `plain_torch`, from the intake of its data on.

    Arguments:
        without: settings that the function does not take.
        computes: it needs torch, which otherwise is not imported.

    Example:
        >>> @takes_settings(without=["cv"])
        ... def measure(x, **settings): ...
        >>> measure(1, n_folds=2)
        Traceback (most recent call last):
        TypeError: measure has no argument 'n_folds'. Did you mean 'folds'?
    """

    def decorate(verb: Verb) -> Verb:
        signature = inspect.signature(verb)
        own = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        settings = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_ANNOTATIONS[name])
            for name, default in _DEFAULTS.items()
            if name not in without and name not in signature.parameters
        ]
        known = [parameter.name for parameter in [*own, *settings] if parameter.name != "self"]
        label = verb.__qualname__.removesuffix(".__init__")

        @functools.wraps(verb)
        def checked(*arguments: Any, **keywords: Any) -> Any:
            checks.arguments(label, signature, known, arguments, keywords)
            if not computes:
                return verb(*arguments, **keywords)
            from mibounds.training.torch_modes import plain_torch

            with plain_torch():
                return verb(*arguments, **keywords)

        checked.__signature__ = signature.replace(parameters=[*own, *settings])  # type: ignore[attr-defined]
        return cast(Verb, checked)

    return decorate


_ANNOTATIONS: Mapping[str, Any] = {
    name: getattr(annotation, "__forward_arg__", annotation)  # as it is written
    for name, annotation in {**SeriesSettings.__annotations__, **Settings.__annotations__}.items()
}
Recipe.__init__ = takes_settings(computes=False)(Recipe.__init__)  # type: ignore[method-assign]  # suggests names, too
