"""The checks of settings: what they keep, and one sentence for what they refuse."""

from pathlib import Path

import pytest

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
