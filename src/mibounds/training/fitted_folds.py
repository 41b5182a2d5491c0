"""The fitted folds of an estimate: they score new pairs, and are saved to and loaded from a file."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from mibounds._checks import check_choice, check_device, check_file, check_paired, no_such_file
from mibounds._files import write_bytes
from mibounds._variables import Tensors, check_finite, row_count, take_rows
from mibounds._version import __version__
from mibounds.data import MissingPolicy, Schema, Variable
from mibounds.data.arrays import intake_array
from mibounds.data.encoding import encoding_from
from mibounds.data.intake import intake_again, is_empty, unseen_categories
from mibounds.data.pairing import index_warnings
from mibounds.data.variable import complete_rows
from mibounds.results.result import curve_from
from mibounds.training.fit import Fitted
from mibounds.training.folds import Fold
from mibounds.training.modules import UnknownClassError, describe, rebuild
from mibounds.training.torch_modes import plain_torch
from mibounds.warnings import UnseenCategoryWarning, issue

__all__ = ["FittedFolds", "load"]

_FORMAT = 2  # of the file
_MISSING: tuple[MissingPolicy, ...] = ("raise", "drop")


@final
class FittedFolds(Sequence[Fitted]):
    r"""The folds of a fit, each with its preprocessing and its critic: `Result.fitted`.

    .. math:: s(x,y) = \frac1K \sum_{k=1}^K f_k(x,y)

    is the score of a new pair, the mean over folds of normalized log-ratios in nats. Positive: the pair is more likely
    under the joint distribution than under independence. Its mean over new rows estimates the information (the
    plug-in), if these are drawn from the same distribution as the rows of the fit.

    Rows of the fit trained all folds but one: their held-out scores are in `Result.pointwise`.

    Arguments:
        folds: at least one.
        schemas: how x and y were taken; None for a variable that is a tensor as it is, or a tuple of tensors, which
            the critic encodes.

    Example:
        >>> import mibounds as mi
        >>> x, y = mi.tasks.CorrelatedGaussian(1, 0.8).sample(1200, torch.Generator().manual_seed(0))
        >>> fitted = mi.estimate(x[:1000], y[:1000], steps=100, hidden=(32,), folds=2).fitted
        >>> scores = fitted.score_pairs(x[1000:], y[1000:])
        >>> scores.shape, bool((scores.mean() - 0.511).abs() < 0.15)
        (torch.Size([200]), True)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fitted.save(f"{folder}/model.safetensors")
        ...     loaded = mi.load(f"{folder}/model.safetensors")
        >>> bool((loaded.score_pairs(x[1000:], y[1000:]) == scores).all())
        True
    """

    def __init__(self, folds: Sequence[Fitted], schemas: tuple[Schema | None, Schema | None] = (None, None)):
        self.folds = tuple(folds)
        self.schemas = schemas

    def __getitem__(self, index: Any) -> Any:
        return self.folds[index]

    def __len__(self) -> int:
        return len(self.folds)

    def __repr__(self) -> str:
        columns = [f", {name}: {', '.join(taken)}" for name, taken in zip("xy", self.columns, strict=True) if taken]
        return f"FittedFolds({len(self)} folds{''.join(columns)})"

    @property
    def columns(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the columns of x and of y that the critics take."""
        first, second = (schema.names if schema else () for schema in self.schemas)
        return first, second

    @plain_torch()
    def score_pairs(self, x: Any, y: Any, *, nan: MissingPolicy = "raise") -> Tensor:
        """The mean over folds of the log-ratios in nats of matched rows.

        Arguments:
            x: rows (N,) or (N, D_x) as the fit took them: a table is taken by the names of its columns, whatever
                else it holds, anything else by their number (constant columns that were dropped among them).
            y: likewise, paired with x row by row.
            nan: "raise", or "drop" the rows with missing or infinite values: their score is nan.

        Returns:
            (N,), in the rows' order, on the CPU.

        Raises:
            TypeError, ValueError: for data that cannot be used, with one sentence that says why.
        """
        check_choice("nan", nan, _MISSING)
        given = {"x": x, "y": y}
        issue(index_warnings(given))
        for name, data in given.items():
            single = getattr(data, "shape", None) == ()
            if single or is_empty(data):
                raise ValueError(f"{name} is {'a single value' if single else 'empty'}: expected at least one row.")
        schemas = dict(zip("xy", self.schemas, strict=True))
        tables = {
            name: intake_again(given[name], name, schema)
            for name, schema in schemas.items()
            if schema and schema.kind == "table"
        }
        rows: dict[str, Tensors] = {
            name: tables[name].values if name in tables else _taken(data, name, schemas[name])
            for name, data in given.items()
        }
        check_paired(row_count(rows["x"]), row_count(rows["y"]))
        complete = torch.ones(row_count(rows["x"]), dtype=torch.bool)
        if tables:
            complete = complete_rows([*tables.values()], nan, indicator=False)
        kept = complete.nonzero().flatten()
        scores = torch.full((len(complete),), torch.nan)
        if len(kept):
            scores[kept] = self._scores(take_rows(rows["x"], kept), take_rows(rows["y"], kept))
        for name, table in tables.items():
            scores = self._without_unseen(scores, rows, given[name], name, table)
        return scores

    def _scores(self, x: Tensors, y: Tensors) -> Tensor:
        return torch.stack([fold.score_pairs(x, y) for fold in self.folds]).mean(0).float()

    def _without_unseen(
        self, scores: Tensor, rows: Mapping[str, Tensors], data: Any, name: str, table: Variable
    ) -> Tensor:
        """The scores, with those of unseen categories replaced by the log of the mean of e^score over the known ones:
        critics have no score for a category that they were not trained on, and would extrapolate."""
        for encoding, unseen in unseen_categories(data, name, table):
            where = (unseen & scores.isfinite()).nonzero().flatten()
            if not len(where):
                continue
            issue(
                UnseenCategoryWarning(
                    f"{name}: column {encoding.name!r} has {int(unseen.sum()):,} values that did not occur in the fit. "
                    "They are scored as if the category were unknown."
                )
            )
            place = [table.columns.index(column) for column in encoding.names if column in table.columns]
            others = {side: take_rows(part, where) for side, part in rows.items()}
            log_means = []
            for frequency, code in encoding.codes():
                values = others[name].clone()  # type: ignore[union-attr]
                values[:, place] = torch.from_numpy(code)[: len(place)]
                log_means.append(self._scores(**{**others, name: values}) + math.log(frequency))
            scores = scores.index_copy(0, where, torch.logsumexp(torch.stack(log_means), 0))
        return scores

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all of it into one .safetensors file, tensors with a description and a checksum; the file is complete
        or not there at all. `mibounds.load` reads it.

        Raises:
            ValueError: if a critic or an encoder of your own holds something else than numbers, text, tensors and
                modules.
            OSError: if the file cannot be written.
        """
        from safetensors.torch import save

        file = check_file(path, "a .safetensors file to write")
        folds: list[dict[str, Any]] = []
        tensors: dict[str, Tensor] = {}
        for i, fold in enumerate(self.folds):
            critic, weights = describe(fold.critic, f"folds.{i}.critic.")
            rows = {f"folds.{i}.rows.{name}": part.int() for name, part in vars(fold.fold).items()}
            tensors |= weights | rows
            folds.append({"critic": critic, "curve": asdict(fold.curve), "skipped": fold.skipped, "gain": fold.gain})
        schemas = [_schema_record(schema) for schema in self.schemas]
        description = json.dumps({"schemas": schemas, "folds": folds})
        owned = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
        metadata = {"mibounds": __version__, "format": str(_FORMAT), "description": description}
        write_bytes(file, save(owned, {**metadata, "sha256": _checksum(metadata, owned)}))


def _taken(data: Any, name: str, schema: Schema | None) -> Tensors:
    """Images or sequences as before; or what a critic encodes as it is, a tensor or a tuple of them, finite."""
    if schema is not None:
        return intake_array(data, name, schema)
    if not isinstance(data, Tensor | tuple):
        raise TypeError(
            f"{name} is a {type(data).__name__}, and the critics encode tensors: give one, or a tuple of them, "
            "shaped as those that they were trained on."
        )
    check_finite(name, data)
    return data


@plain_torch()
def load(
    path: str | os.PathLike[str],
    *,
    modules: Sequence[type[nn.Module]] = (),
    device: str | torch.device | None = None,
) -> FittedFolds:
    """Load what `Result.fitted.save` saved: critics and preprocessing that score new pairs, with equal scores.

    No pickle is read, and no code comes from the file: it can name classes of mibounds and torch.nn and those in
    `modules`, and hold numbers, text and tensors for them.

    Arguments:
        path: the file.
        modules: classes of your own that the critic is made of (encoders, critics, preprocessing).
        device: where to score, "cpu", "cuda", ...

    Returns:
        The fitted folds.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is damaged, of a newer mibounds, of something else, or uses a class that `modules` lacks.
        TypeError: if `modules` holds something else than classes of modules.

    Example:
        >>> load("no-such-file.safetensors")
        Traceback (most recent call last):
        FileNotFoundError: There is no file 'no-such-file.safetensors'...
    """
    path, target = Path(path), check_device(device)
    for kind in modules:
        if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
            raise TypeError(f"modules holds {kind!r}, and must hold classes of modules, for example [MyEncoder].")
    metadata, tensors = _read(path)
    record = json.loads(metadata["description"])
    first, second = (_schema(entry) for entry in record["schemas"])
    try:
        folds = [_fold(i, entry, tensors, modules, target) for i, entry in enumerate(record["folds"])]
    except UnknownClassError as error:
        raise ValueError(f"{path.name} {error}") from error
    except (LookupError, TypeError, AttributeError, RuntimeError) as error:
        raise ValueError(
            f"{path.name} is whole, but its critics cannot be made again ({error}): the classes here are others than "
            f"those that mibounds {metadata['mibounds']} saved."
        ) from error
    return FittedFolds(folds, (first, second))


def _read(path: Path) -> tuple[Mapping[str, str], dict[str, Tensor]]:
    """The metadata and tensors of a file that this version can read."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise FileNotFoundError(no_such_file(path, (".safetensors",)))
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder: expected the one file that result.fitted.save(path) wrote.")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            # Copies: the file may be overwritten while they are in use, and theirs is no aligned memory.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        with path.open("rb") as file:
            is_json = file.read(1) == b"{"
        if is_json:
            raise ValueError(
                f"{path.name} is JSON, as result.save(path) writes it: load it by mi.Result.load(path). mi.load reads "
                "what result.fitted.save(path) wrote."
            ) from error
        raise ValueError(_damaged(path, error)) from error
    if "mibounds" not in metadata:
        raise ValueError(
            f"{path.name} is a safetensors file that something else than mibounds wrote: "
            "expected one that result.fitted.save(path) wrote."
        )
    found = metadata.get("format", "")
    if found != str(_FORMAT):
        advice = "update mibounds" if found.isdecimal() and int(found) > _FORMAT else "fit and save it again"
        raise ValueError(
            f"{path.name} was written by mibounds {metadata['mibounds']} in format {found}, and this version, "
            f"{__version__}, reads format {_FORMAT}: {advice}."
        )
    if metadata.pop("sha256", None) != _checksum(metadata, tensors):
        raise ValueError(_damaged(path, "its checksum does not agree"))
    return metadata, tensors


def _checksum(metadata: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """Of all else that is in a file."""
    found = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _schema_record(schema: Schema | None) -> dict[str, Any] | None:
    if schema is None:
        return None
    encodings = [encoding.to_dict() for encoding in schema.encodings]
    return {
        "kind": schema.kind, "names": schema.names, "encodings": encodings, "named": schema.named, "held": schema.held
    }  # fmt: skip


def _schema(entry: Mapping[str, Any] | None) -> Schema | None:
    if entry is None:
        return None
    encodings = tuple(encoding_from(one) for one in entry["encodings"])
    held = tuple(entry.get("held", ()))  # older files lack it
    return Schema(entry["kind"], tuple(entry["names"]), encodings, entry["named"], held)


def _fold(
    i: int, entry: Mapping[str, Any], tensors: Mapping[str, Tensor], modules: Sequence[type[nn.Module]], target: Any
) -> Fitted:
    critic: Any = rebuild(entry["critic"], tensors, modules, f"folds.{i}.critic.").to(target).eval()
    rows = Fold(*(tensors[f"folds.{i}.rows.{name}"].long() for name in ("train", "valid", "test")))
    return Fitted(critic, rows, curve_from(entry["curve"]), entry["skipped"], entry["gain"])


def _damaged(path: Path, error: object) -> str:
    return (
        f"{path.name} is damaged or no safetensors file ({error}): "
        "expected one that result.fitted.save(path) wrote, whole. Copy or save it again."
    )
