"""Every function times every option: each cell gives the number of data prepared by hand, or the function does not have
the option."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import mibounds as mi
from mibounds.estimation import _estimate
from mibounds.integrations import MutualInformation
from mibounds.training import folds
from mibounds.training.candidate_run import Run
from mibounds.training.recipe import Recipe

pytestmark = [
    pytest.mark.filterwarnings("ignore::mibounds.MIWarning"),  # trainings are short here
    pytest.mark.usefixtures("one_regularization"),
]

SHORT = {"steps": 2, "folds": 2, "hidden": (4,)}
SETTINGS = {one.name for one in fields(Recipe)}
N = 100
ENCODER = nn.Linear(4, 3)

# Which options a function has in its signature. Functions of series have blocks only, and no weights or groups of rows;
# the groups of a matrix are of columns.
OPTIONS = {
    "estimate": "groups sample_weight nan x_type y_type encoder_x encoder_y split checkpoint bootstrap",
    "bracket": "groups sample_weight nan x_type y_type split checkpoint bootstrap",
    "conditional": "groups sample_weight nan x_type y_type z_type split checkpoint bootstrap",
    "consistency": "split checkpoint bootstrap",
    "independence_test": "groups sample_weight nan x_type y_type encoder_x encoder_y split checkpoint bootstrap",
    "lagged": "nan x_type y_type checkpoint bootstrap",
    "learning_curve": "groups sample_weight nan x_type y_type checkpoint bootstrap",
    "matrix": "groups nan split checkpoint bootstrap",
    "transfer_entropy": "nan x_type y_type checkpoint bootstrap",
    "Trainer": "groups nan split checkpoint bootstrap",
    "MutualInformation": "groups sample_weight nan x_type y_type encoder_x encoder_y split bootstrap",
}
ALL = sorted({option for options in OPTIONS.values() for option in options.split()})


@dataclass(frozen=True)
class Verb:
    """A function as it is called here.

    Attributes:
        name: in `OPTIONS`.
        call: from data by name, and options.
        variables: the names of the data.
        rows: how many.
        discrete: z takes two values.
    """

    name: str
    call: Callable[..., object]
    variables: str = "xy"
    rows: int = N
    discrete: bool = False


def call(function, **own):
    return lambda data, **options: function(*data.values(), **{**own, **SHORT, **options})


def trained(data, *, groups=None, **options):
    x, y = data.values()
    widths = [side.shape[1] if side.ndim > 1 else 1 for side in (x, y)]
    torch.manual_seed(0)
    estimator = mi.MIEstimator(mi.critics.SeparableCritic(*widths, hidden=(4,)), mi.bounds.InfoNCE())
    settings = {key: value for key, value in {**SHORT, "steps": 20, "lr": 0.03, **options}.items() if key != "hidden"}
    return mi.Trainer(**settings).fit(estimator, x, y, groups=groups)


def fitted(data, *, groups=None, sample_weight=None, **options):
    x, y = data.values()
    x = pd.DataFrame({"x": x}) if x.dtype.kind == "U" else x.reshape(len(x), -1)
    return MutualInformation(**{**SHORT, **options}).fit(x, y, groups, sample_weight).result_


def of_groups(data, **options):
    columns = [pd.DataFrame(side).add_prefix(name) for name, side in data.items()]
    groups = {name: list(part.columns) for name, part in zip(data, columns, strict=True)}
    return mi.matrix(pd.concat(columns, axis=1), groups=groups, **{**SHORT, "workers": 1, **options})


def of_columns(data, **options):
    return mi.matrix(pd.DataFrame(data), folds=2, **options)


def of_images(data, **options):
    return mi.consistency(data["x"], rows=[1], **{**SHORT, **options})


VERBS = {
    "estimate": Verb("estimate", call(mi.estimate)),
    "bracket": Verb("bracket", call(mi.bracket)),
    "chain": Verb("conditional", call(mi.conditional, method="chain"), "xyz"),
    "neighbors": Verb("conditional", call(mi.conditional, method="neighbors"), "xyz"),
    "strata": Verb("conditional", call(mi.conditional, method="strata"), "xyz", 500, discrete=True),
    "consistency": Verb("consistency", of_images, "x"),
    "independence_test": Verb("independence_test", call(mi.independence_test, permutations=19)),
    "lagged": Verb("lagged", call(mi.lagged, lags=[0, 1], gap=0)),
    "learning_curve": Verb("learning_curve", call(mi.learning_curve, sizes=[60, 70, 80], repeats=1)),
    "matrix": Verb("matrix", of_columns),
    "groups of a matrix": Verb("matrix", of_groups),
    "transfer_entropy": Verb("transfer_entropy", call(mi.transfer_entropy, gap=0, permutations=4)),
    "Trainer": Verb("Trainer", trained),
    "MutualInformation": Verb("MutualInformation", fitted),
}
NUMBERS = (
    "value", "stderr", "lower", "upper", "lower_stderr", "upper_stderr", "pvalue", "statistic", "values", "stderrs",
    "estimates", "limit",
)  # fmt: skip
SERIES = {"lagged", "transfer_entropy"}


def having(option, *without):
    """The verbs that have an option."""
    found = [name for name, verb in VERBS.items() if option in OPTIONS[verb.name].split() and name not in without]
    return pytest.mark.parametrize("name", found)


def data_of(name, seed=0):
    """Dependent variables, as (N,) arrays by name."""
    verb, rng = VERBS[name], np.random.default_rng(seed)
    x, noise, z = rng.normal(size=(3, verb.rows))
    if verb.discrete:
        z = (np.arange(verb.rows) % 2).astype(float)
    if verb.name == "consistency":
        return {"x": rng.normal(size=(verb.rows, 2, 2)).cumsum(1)}
    return {key: value for key, value in {"x": x, "y": 2 * x + z + noise, "z": z}.items() if key in verb.variables}


def run(name, data, **options):
    return VERBS[name].call(data, **options)


@functools.cache
def plain(name):
    """What a verb gives of its data without any option."""
    return run(name, data_of(name))


def numbers(found):
    """The numbers of a result, whatever its class."""
    record = found.to("nats").to_dict()
    return [
        {name: record[name] for name in NUMBERS if record.get(name) is not None},
        *(number for _, part in found._named_parts() for number in numbers(part)),
    ]


def errors(found):
    """The standard errors that a result has of its own."""
    names = ("stderr", "lower_stderr", "upper_stderr")
    if isinstance(found, mi.results.IndependenceTestResult):
        return [found.estimate.stderr]
    return [getattr(found, name) for name in names if hasattr(found, name)]


def parameters(name):
    """The parameters of a public function, or of a class and its `fit` together."""
    if name in ("Trainer", "MutualInformation"):
        kind = {"Trainer": mi.Trainer, "MutualInformation": MutualInformation}[name]
        return {**inspect.signature(kind).parameters, **inspect.signature(kind.fit).parameters}
    return dict(inspect.signature(getattr(mi, name)).parameters)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_function_has_exactly_its_options(name):
    assert {option for option in ALL if option in parameters(name)} == {*OPTIONS[name].split()}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_function_takes_a_recipe_a_seed_a_device_and_progress(name):
    assert {"recipe", "seed", "device", "progress"} < {*parameters(name)}


def public():
    """Functions and constructors that a user calls."""
    for module in (mi, mi.bounds, mi.classical, mi.critics, mi.integrations):
        for name in module.__all__:
            member = getattr(module, name)
            if inspect.isclass(member) and not issubclass(member, mi.Result):
                member = member.__init__
            if name == "InformationPlaneMonitor":
                continue  # its keywords are those of `InformationPlane`, and checked to be
            if inspect.isfunction(member) and member.__module__.startswith("mibounds"):
                yield pytest.param(member, id=f"{module.__name__}.{name}")


@pytest.mark.parametrize("member", [*public()])
def test_no_keyword_is_swallowed_and_no_signature_is_endless(member):
    parameters = inspect.signature(member).parameters.values()
    assert len([one for one in parameters if one.name not in SETTINGS]) <= 15
    assert not [one for one in parameters if one.kind is one.VAR_KEYWORD]


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "MutualInformation"])
def test_an_unknown_keyword_names_the_nearest_one(name):
    function = getattr(mi, name)
    with pytest.raises(TypeError, match=f"{name} has no argument 'n_folds'. Did you mean 'folds'"):
        function(n_folds=3)


@pytest.mark.parametrize("name", ["estimate", "lagged", "Trainer", "MutualInformation"])
def test_a_recipe_and_single_settings_give_the_same_numbers(name):
    own = SHORT if name != "Trainer" else {**SHORT, "steps": 20, "lr": 0.03}
    chosen = Recipe.preset("quick").replace(test_negatives="all", **own)
    assert numbers(run(name, data_of(name), recipe=chosen)) == numbers(plain(name))


@having("groups", "matrix", "groups of a matrix")
def test_copies_of_rows_in_groups_have_the_error_of_the_rows(name):
    check_copies(name, bootstrap=None)


@pytest.mark.parametrize("name", ["estimate", "bracket", "strata", "learning_curve"])  # others bootstrap such parts
def test_the_bootstrap_of_groups_has_the_error_of_the_rows(name):
    check_copies(name, bootstrap=40)


def check_copies(name, bootstrap):
    """Five copies of every row: without groups the error would be smaller by the square root of five."""
    data, verb = data_of(name), VERBS[name]
    count = verb.rows if verb.discrete else 4 * verb.rows // 5
    first = {key: value[:count] for key, value in data.items()}
    copies = {key: np.repeat(value, 5) for key, value in first.items()}
    sizes = {"sizes": [200, 300, 400]} if name == "learning_curve" else {}
    grouped = run(name, copies, groups=np.repeat(np.arange(count), 5), bootstrap=bootstrap, **sizes)
    if verb.discrete:  # strata need more rows than there are without copies
        expected = [5**0.5 * error for error in errors(run(name, copies))]
    else:
        expected = errors(run(name, first, bootstrap=bootstrap))
    for error, one in zip(errors(grouped), expected, strict=True):
        assert error > 0.7 * one > 0
    results = [grouped] if hasattr(grouped, "fitted") else [part for _, part in grouped._named_parts()]
    for fold in (fold.fold for result in results if result.fitted is not None for fold in result.fitted):
        of_parts = [{*(rows // 5).tolist()} for rows in (fold.train, fold.valid, fold.test)]
        assert sum(map(len, of_parts)) == len(set.union(*of_parts)), "groups stay together"


@having("sample_weight")
def test_weights_of_zero_leave_rows_out(name):
    data = data_of(name)
    twice = {key: np.concatenate([value, 7 * value[::-1]]) for key, value in data.items()}
    weight = np.repeat([3.0, 0.0], VERBS[name].rows)
    assert numbers(run(name, twice, sample_weight=weight)) == numbers(plain(name))


@having("nan", *SERIES)
def test_rows_with_missing_values_are_dropped_as_by_hand(name):
    data = data_of(name)
    more = {key: np.concatenate([value, value[:10]]) for key, value in data.items()}
    for i, key in enumerate(more):
        more[key][VERBS[name].rows + i : VERBS[name].rows + 6 + i] = [np.nan, np.inf] * 3
    more = {key: np.delete(value, np.s_[VERBS[name].rows + 5 + len(data) :]) for key, value in more.items()}
    found = run(name, more, nan="drop")
    assert numbers(found) == numbers(plain(name))
    assert found.n == plain(name).n
    if name != "MutualInformation":
        with pytest.raises(ValueError, match="missing or infinite values"):
            run(name, more)


@pytest.mark.parametrize("name", sorted(SERIES))
def test_times_with_missing_values_are_dropped_as_by_hand(name):
    """The pairs of the series without the times, made by hand, as three columns of one series each."""
    data = data_of(name)
    data["x"][[7, 50]] = np.nan
    found = run(name, data, nan="drop")
    lags = (0, 1) if name == "lagged" else (1,)
    missing = {lag: len({t for t in (7 + lag, 50 + lag) if 1 <= t < N}) for lag in lags}
    if name == "lagged":
        assert {lag: found[lag].n for lag in lags} == {lag: N - 1 - missing[lag] for lag in lags}
    else:
        assert found.n == N - 1 - missing[1]


@having("nan", "matrix", "groups of a matrix", "Trainer", "strata")
def test_missing_values_have_a_column_of_their_own_as_by_hand(name, monkeypatch):
    """Of x and z; a row without a value of y is dropped. The search of columns that matter takes a column and its
    indicator as one."""
    monkeypatch.setattr(_estimate, "selected_columns", lambda *_: None)
    holes, by_hand = data_of(name), data_of(name)
    for key in holes:
        if key != "y":
            holes[key][5::10] = np.nan
            missing = np.isnan(holes[key])
            filled = np.where(missing, np.float32(np.median(holes[key][~missing].astype(np.float32))), holes[key])
            by_hand[key] = np.stack([filled, missing.astype(float)], 1)
        holes[key] = np.append(holes[key], [np.nan] * 3)
    assert numbers(run(name, holes, nan="indicator")) == numbers(run(name, by_hand))


@pytest.mark.parametrize("name", ["matrix", "groups of a matrix"])
def test_a_matrix_has_no_indicators(name):
    with pytest.raises(ValueError, match="nan is 'indicator': expected 'raise' or 'drop'"):
        run(name, data_of(name), nan="indicator")


@having("x_type")
def test_codes_of_a_type_are_the_labels_that_they_stand_for(name):
    codes, labels = data_of(name), data_of(name)
    typed = "x" if name == "bracket" else "xz" if name == "neighbors" else "xy"  # a bracket needs a density
    for key in typed:
        codes[key] = np.digitize(codes[key], [-0.5, 0.5]).astype(float)
        labels[key] = np.array(["a", "b", "c"])[codes[key].astype(int)]
    types = {f"{key}_type": "categorical" for key in typed}
    assert numbers(run(name, codes, **types)) == numbers(run(name, labels))


@having("encoder_x")
def test_an_encoder_is_trained_in_a_copy(name):
    data = data_of(name)
    wide = np.outer(data["x"], np.arange(1, 5)).astype(np.float32)
    before = [weight.clone() for weight in ENCODER.parameters()]
    found = run(name, {"x": wide, "y": data["y"]}, encoder_x=ENCODER)
    assert getattr(found, "estimate", found).kinds == (("encoded by Linear",), ("continuous",))
    turned = run(name, {"x": data["y"], "y": wide}, encoder_y=ENCODER)
    assert getattr(turned, "estimate", turned).kinds == (("continuous",), ("encoded by Linear",))
    assert all(torch.equal(*pair) for pair in zip(before, ENCODER.parameters(), strict=True))


@pytest.fixture
def splits(monkeypatch):
    """Count the splits of each kind."""
    counts = {"split": 0, "split_blocked": 0}

    def counted(kind, function):
        def made(*arguments):
            counts[kind] += 1
            return function(*arguments)

        return made

    for kind in counts:
        monkeypatch.setattr(folds, kind, counted(kind, getattr(folds, kind)))
    return counts


@having("split", "matrix", "strata")
def test_blocks_are_used_by_every_fit(name, splits):
    found = run(name, data_of(name), split="blocked", gap=1)
    assert splits["split"] == 0
    assert splits["split_blocked"] > 0
    results = [found] if hasattr(found, "fitted") else [part for _, part in found._named_parts()]
    for result in results:
        for fold in (one.fold for one in result.fitted or ()):
            assert fold.test.diff().eq(1).all()


@pytest.mark.parametrize("name", sorted(SERIES))
def test_functions_of_series_have_blocks_always(name, splits):
    run(name, data_of(name))
    assert splits["split"] == 0
    assert splits["split_blocked"] > 0


def test_blocks_take_precedence_over_strata_and_are_no_setting_of_a_matrix(splits):
    found = mi.conditional(*data_of("strata").values(), split="blocked", **SHORT)
    assert found.method == "chain"
    assert splits["split"] == 0
    for options in ({"split": "blocked"}, {"steps": 3}, {"checkpoint": "run"}, {"recipe": "quick"}):
        with pytest.raises(TypeError, match="only the estimates of groups= have this setting"):
            run("matrix", data_of("matrix"), **options)


@having("checkpoint", "matrix")
def test_a_resumed_run_gives_the_same_numbers_without_training(name, tmp_path, monkeypatch):
    data = data_of(name)
    assert numbers(run(name, data, checkpoint=tmp_path)) == numbers(plain(name))
    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    if name != "bracket":  # its flows take seconds and are not saved
        monkeypatch.setattr(Run, "_train_step", None)
    assert numbers(run(name, data, checkpoint=tmp_path, resume=True)) == numbers(plain(name))


@having("bootstrap", "matrix")
def test_the_bootstrap_changes_errors_and_not_values(name):
    found, before = numbers(run(name, data_of(name), bootstrap=20)), numbers(plain(name))
    for one, other in zip(found, before, strict=True):
        for key in ("value", "lower", "upper", "statistic", "pvalue", "estimates"):
            assert one.get(key) == other.get(key)
    assert found != before, "the errors differ"
