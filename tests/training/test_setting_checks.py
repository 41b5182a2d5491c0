"""The checks of settings: what they keep, and one sentence for what they refuse."""

from pathlib import Path

import pytest
from sklearn.model_selection import KFold

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
