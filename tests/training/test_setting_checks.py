"""The checks of settings: what they keep, and one sentence for what they refuse."""

import inspect
from pathlib import Path

import pytest
from sklearn.model_selection import KFold

import mibounds as mi
from mibounds.bounds import NWJ
from mibounds.training import setting_checks as checks


@pytest.mark.parametrize(
    ("check", "value", "kept"),
    [
        (checks.whole(2), None, None),
        (checks.whole(2), 2, 2),
        (checks.required_whole(1), 1, 1),
        (checks.positive, 0.5, 0.5),
        (checks.not_negative, 0, 0),
        (checks.fraction, 0.15, 0.15),
        (checks.one_of("a", "b"), "b", "b"),
        (checks.bound, "nwj", "nwj"),
        (checks.critic, "joint", "joint"),
        (checks.negatives, "all", "all"),
        (checks.negatives, 64, 64),
        (checks.seed, 3, 3),
        (checks.progress, "auto", "auto"),
        (checks.progress, True, True),
        (checks.folder, Path("run"), Path("run")),
        (checks.folder, None, None),
    ],
)
def test_what_is_right_is_kept(check, value, kept):
    assert check("name", value) == kept


def test_a_splitter_is_no_text_and_no_class_and_an_iterator_becomes_a_list():
    splitter, pairs = KFold(2), [(range(5), range(5, 9))]
    assert checks.splitter("cv", splitter) is splitter
    assert checks.splitter("cv", pairs) is pairs
    assert checks.splitter("cv", iter(pairs)) == pairs
    assert checks.splitter("cv", None) is None
    for value, sentence in (
        (KFold, "cv is the class KFold"),
        ("kfold", "cv is 'kfold'"),
        (5, "cv is 5: expected a sp"),
    ):
        with pytest.raises(TypeError, match=sentence):
            checks.splitter("cv", value)


def test_a_bound_is_kept_as_it_is():
    bound = NWJ()
    assert checks.bound("bound", bound) is bound
    assert checks.device("device", "cpu").type == "cpu"


@pytest.mark.parametrize(
    ("check", "value", "kind"),
    [
        (checks.whole(2), 1, ValueError),
        (checks.required_whole(1), None, TypeError),
        (checks.positive, 0, ValueError),
        (checks.not_negative, -1, ValueError),
        (checks.fraction, 1.0, ValueError),
        (checks.one_of("a", "b"), "c", ValueError),
        (checks.bound, "nwk", ValueError),
        (checks.critic, "joined", ValueError),
        (checks.negatives, "some", ValueError),
        (checks.negatives, 0, ValueError),
        (checks.progress, "yes", ValueError),
        (checks.folder, 3, TypeError),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(check, value, kind):
    with pytest.raises(kind, match=r"\S"):
        check("name", value)


def lagged(x, y, lags=3, *, gap=None, **settings): ...


class Trainer:
    def __init__(self, recipe=None, **settings): ...


@pytest.mark.parametrize(
    "function, given, named, sentence",
    [
        (lagged, (), {}, r"it needs x and y: it\(x, y\)\.$"),
        (lagged, (1,), {"gap": 2}, r"it needs y: it\(x, y\)\. Of a dataset pass the tensors of both"),
        (lagged, (), {"y": 2}, r"it needs x: it\(x, y\)\.$"),
        (lagged, (1, 2, 3, 4), {}, "it takes x, y, lags by position, and got 4 arguments: pass the others"),
        (lagged, (1, 2), {"x": 3}, "it got x by position and by name: give it once"),
        (lagged, (1, 2), {"gaps": 3}, "it has no argument 'gaps'. Did you mean 'gap'?"),
        (lambda x, y, **settings: 0, (1, 2, 3), {}, r".* For a third variable use mi.conditional\(x, y, z\)"),
        (Trainer.__init__, ("self", 1, 2), {}, "it takes recipe by position, and got 2 arguments"),
    ],
)
def test_arguments_in_the_wrong_place_are_one_sentence(function, given, named, sentence):
    with pytest.raises(TypeError, match=f"^{sentence}"):
        checks.arguments("it", inspect.signature(function), ["x", "y", "lags", "gap"], given, named)
    checks.arguments("it", inspect.signature(lagged), ["x", "y", "lags", "gap", "steps"], (1, 2), {"steps": 5})


@pytest.mark.parametrize("verb, count", [(mi.estimate, 3), (mi.bracket, 3), (mi.estimate, 1), (mi.conditional, 2)])
def test_public_functions_say_what_is_missing_and_what_is_too_much(verb, count):
    with pytest.raises(TypeError, match=f"^{verb.__name__} (takes x, y by position|needs y|needs z)"):
        verb(*[[0.0] * 100] * count)
