import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from mibounds._checks import (
    check_at_least,
    check_choice,
    check_device,
    check_file,
    check_flag,
    check_fraction,
    check_integer,
    check_integers,
    check_number,
    check_paired,
    check_seed,
    check_widths,
    counted,
    layer_widths,
    nearest,
    no_such_file,
    unknown_keyword,
)


def refused(error, sentence, check, *args, **limits):
    """The check raises exactly this error with exactly this sentence."""
    with pytest.raises(Exception) as caught:
        check(*args, **limits)
    assert caught.type is error
    assert str(caught.value) == sentence


def test_nearest_suggests_or_lists():
    assert nearest("infonse", ["infonce", "nwj"]) == "Did you mean 'infonce'?"
    assert nearest("INFONSE", ["InfoNCE", "NWJ"]) == "Did you mean 'InfoNCE'?"
    assert nearest("zzz", ["infonce", "nwj"]) == "Known: 'infonce', 'nwj'."
    assert nearest("zzz", map(str, range(13))).endswith("'11', ....")


@pytest.mark.parametrize("value", [0, 1, -1, math.nan])
def test_a_fraction_lies_strictly_between_0_and_1(value):
    with pytest.raises(ValueError, match="strictly between 0 and 1"):
        check_fraction("level", value)
    check_fraction("level", 0.95)
    check_fraction("level", np.float32(0.95))


@pytest.mark.parametrize(("value", "shown"), [("0.9", "'0.9' (a str)"), (None, "None"), ([0.9], "[0.9] (a list)")])
def test_what_is_no_number_is_neither_a_fraction_nor_at_least_something(value, shown):
    refused(TypeError, f"level is {shown}: expected a number strictly between 0 and 1.", check_fraction, "level", value)
    refused(TypeError, f"steps is {shown}: expected a number of at least 1.", check_at_least, "steps", value, 1)


def test_at_least():
    check_at_least("steps", 1, 1)
    with pytest.raises(ValueError, match="steps is 0, and must be at least 1"):
        check_at_least("steps", 0, 1)
    with pytest.raises(ValueError, match="at least 1. Give more."):
        check_at_least("steps", math.nan, 1, "Give more.")


def test_paired():
    check_paired(3, 3)
    with pytest.raises(ValueError, match="x has 3 rows and z has 4"):
        check_paired(3, 4, name_y="z")
    with pytest.raises(ValueError, match="must agree. Transpose them if samples are their columns."):
        check_paired(2, 1, columns=(100, 100))
    for rows, columns in (((100, 99), (5, 5)), ((3, 2), (100, 4)), ((3, 2), (1, 1))):
        with pytest.raises(ValueError, match=r"must agree\.$"):
            check_paired(*rows, columns=columns)
    with pytest.raises(ValueError, match=r"must agree\.$"):  # nothing can be transposed in one dimension
        check_paired(20, 30)


def test_devices():
    assert check_device(None) == torch.device("cpu")
    assert check_device(torch.device("cpu")) == torch.device("cpu")
    with pytest.raises(ValueError, match="'cuda:99', which this machine does not have. Here: cpu"):
        check_device("cuda:99")
    with pytest.raises(ValueError, match="'gpu', which this machine does not have"):
        check_device("gpu")
    for value in ("meta", torch.device("meta")):
        with pytest.raises(ValueError, match="device is 'meta', which holds no values: expected a device that"):
            check_device(value)
    for value in (1.5, True, ["cpu"]):
        with pytest.raises(TypeError, match=r"device is .*: expected a name such as 'cpu' or 'cuda', or a .*\.$"):
            check_device(value)


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_an_integer_becomes_an_int(value):
    for number in (check_integer("steps", value), check_integer("steps", value, 3)):
        assert type(number) is int
        assert number == 3


def test_an_integer_may_have_no_limit():
    assert check_integer("shift", -3) == -3


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("100", "'100' (a str)"),
        (1.5, "1.5 (a float)"),
        (100.0, "100.0 (a float)"),
        (math.nan, "nan (a float)"),
        (True, "True (a bool)"),
        (None, "None"),
        ([3], "[3] (a list)"),
        (np.array(3), "array(3) (an ndarray)"),
    ],
)
def test_what_is_no_integer_is_refused(value, shown):
    refused(TypeError, f"steps is {shown}: expected a whole number of at least 1.", check_integer, "steps", value, 1)


def test_a_numpy_bool_is_no_integer():
    with pytest.raises(TypeError, match="expected a whole number of at least 1"):
        check_integer("steps", np.True_, 1)


def test_an_integer_has_a_least_value():
    refused(ValueError, "folds is 1: expected a whole number of at least 2.", check_integer, "folds", 1, 2)
    refused(ValueError, "folds is 1: expected a whole number of at least 2.", check_integer, "folds", np.int32(1), 2)
    refused(TypeError, "shift is '1' (a str): expected a whole number.", check_integer, "shift", "1")


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.int8(1), Fraction(1)])
def test_a_number_becomes_a_float(value):
    number = check_number("lr", value, above=0)
    assert type(number) is float
    assert number == 1


@pytest.mark.parametrize(("value", "shown"), [("1", "'1' (a str)"), (True, "True (a bool)"), (1j, "1j (a complex)")])
def test_what_is_no_number_is_refused(value, shown):
    refused(TypeError, f"lr is {shown}: expected a finite number above 0.", check_number, "lr", value, above=0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_a_number_is_finite(value):
    refused(ValueError, f"shift is {value}: expected a finite number.", check_number, "shift", value)


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "expected"),
    [
        ({"least": 0}, 0, -1e-9, "of at least 0"),
        ({"above": 0}, 1e-9, 0, "above 0"),
        ({"most": 1}, 1, 1.5, "of at most 1"),
        ({"below": 1}, 0.5, 1, "below 1"),
        ({"above": 0, "below": 1}, 0.5, 95, "above 0 and below 1"),
        ({"least": 0, "most": 1}, 1, 2, "of at least 0 and of at most 1"),
    ],
)
def test_a_number_has_open_and_closed_limits(limits, inside, outside, expected):
    assert check_number("p", inside, **limits) == inside
    refused(ValueError, f"p is {outside}: expected a finite number {expected}.", check_number, "p", outside, **limits)


def test_a_choice_is_returned():
    assert check_choice("unit", "bits", ("nats", "bits")) == "bits"
    assert check_choice("unit", np.str_("bits"), ("nats", "bits")) == "bits"
    assert check_choice("z", None, iter(["all", None])) is None


def test_the_nearest_choice_is_suggested():
    choices = ["raise", "drop", "indicator"]
    expected = "expected 'raise', 'drop' or 'indicator'."
    refused(ValueError, f"nan is 'DROP': {expected} Did you mean 'drop'?", check_choice, "nan", "DROP", choices)
    refused(ValueError, f"nan is 'zzz': {expected}", check_choice, "nan", "zzz", choices)
    refused(TypeError, f"nan is 0 (an int): {expected}", check_choice, "nan", 0, choices)
    refused(TypeError, f"nan is None: {expected}", check_choice, "nan", None, choices)
    refused(ValueError, "negatives is 'al': expected 'all'. Did you mean 'all'?",
            check_choice, "negatives", "al", ["all"])  # fmt: skip


def test_a_choice_may_be_compared_with_an_array():
    with pytest.raises(TypeError, match=r"\(an ndarray\): expected 'nats' or 'bits'"):
        check_choice("unit", np.zeros(3), ["nats", "bits"])


@pytest.mark.parametrize("value", [0, 7, np.int64(7), 2**32 - 1])
def test_a_seed_is_a_whole_number(value):
    seed = check_seed(value)
    assert type(seed) is int
    assert seed == value


def test_other_seeds_are_refused():
    refused(TypeError, "seed is None: give a whole number of at least 0. The same seed gives the same result.",
            check_seed, None)  # fmt: skip
    refused(ValueError, "seed is -1: expected a whole number of at least 0.", check_seed, -1)
    for seed in (2**32, 2**63, 2**64):
        refused(ValueError, f"seed is {seed}: expected a whole number below 2**32 = 4294967296.", check_seed, seed)
    refused(TypeError, "seed is 0.5 (a float): expected a whole number of at least 0.", check_seed, 0.5)
    with pytest.raises(TypeError, match=r"\(a Generator\): expected a whole number"):
        check_seed(np.random.default_rng(0))


def test_flags():
    assert check_flag("progress", True) is True
    assert check_flag("progress", np.False_) is False
    refused(TypeError, "progress is 'yes' (a str): expected True or False.", check_flag, "progress", "yes")
    refused(TypeError, "progress is 1 (an int): expected True or False.", check_flag, "progress", 1)


@pytest.mark.parametrize("value", [(8, 4), [8, 4], np.array([8, 4]), [np.int64(8), 4], torch.Size([8, 4])])
def test_widths_become_a_tuple_of_ints(value):
    widths = check_widths("hidden", value)
    assert widths == (8, 4)
    assert type(widths) is tuple
    assert {type(width) for width in widths} == {int}


def test_no_width_is_no_hidden_layer():
    assert check_widths("hidden", ()) == ()


@pytest.mark.parametrize("value", [128, np.int64(128), np.array(128)])
def test_one_width_is_asked_for_as_a_tuple(value):
    sentence = "hidden is 128: give the widths of the layers, for example (128,)."
    refused(TypeError, sentence, check_widths, "hidden", value)


@pytest.mark.parametrize(
    ("error", "value", "shown"),
    [
        (ValueError, (0,), "(0,) (a tuple)"),
        (ValueError, [8, -1], "[8, -1] (a list)"),
        (TypeError, 0, "0 (an int)"),
        (TypeError, True, "True (a bool)"),
        (TypeError, None, "None"),
        (TypeError, "128", "'128' (a str)"),
        (TypeError, (128.0,), "(128.0,) (a tuple)"),
        (TypeError, (True,), "(True,) (a tuple)"),
        (TypeError, {128}, "{128} (a set)"),
        (TypeError, np.ones((2, 2)), "[[1.0, 1.0], [1.0, 1.0]] (a list)"),
    ],
)
def test_other_widths_are_refused(error, value, shown):
    expected = "expected a sequence of whole numbers of at least 1, for example (128, 128)."
    refused(error, f"hidden is {shown}: {expected}", check_widths, "hidden", value)


def test_integers_are_asked_for_by_an_example():
    assert check_integers("sizes", np.array([50, 60]), 50, example="[50, 60]") == (50, 60)
    assert check_integers("sizes", range(3), 0, example="[0]") == (0, 1, 2)
    expected = "expected a sequence of whole numbers of at least 50, for example [50, 60]."
    for error, value, shown in (
        (TypeError, 100, "100 (an int)"),
        (TypeError, "100", "'100' (a str)"),
        (TypeError, [100.5], "[100.5] (a list)"),
        (ValueError, [100, 49], "[100, 49] (a list)"),
    ):
        refused(error, f"sizes is {shown}: {expected}", check_integers, "sizes", value, 50, example="[50, 60]")


def test_the_path_of_a_file_is_no_folder(tmp_path):
    assert check_file(str(tmp_path / "a.json"), "a page") == tmp_path / "a.json"
    expected = f"{str(tmp_path)!r} is a folder: expected the path of a page."
    refused(IsADirectoryError, expected, check_file, tmp_path, "a page")
    refused(TypeError, "path is 3 (an int): expected the path of a page.", check_file, 3, "a page")


def test_the_widths_of_a_layer_are_those_that_torch_names():
    with pytest.raises(RuntimeError) as caught:
        torch.nn.Linear(3, 2)(torch.zeros(4, 5))
    assert layer_widths(caught.value) == (5, 3)
    assert layer_widths(ValueError("5 and 3")) is None


def test_a_long_value_is_shown_in_part_and_in_one_line():
    with pytest.raises(TypeError) as caught:
        check_integer("steps", np.zeros((20, 20)))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("... (an ndarray): expected a whole number.")
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("keyword", "target"),
    [
        *((one, "folds") for one in ("n_folds", "k_folds", "n_splits")),
        *((one, "steps") for one in ("epochs", "n_epochs", "max_epochs", "n_iter", "max_iter", "iterations")),
        *((one, "seed") for one in ("random_state", "rng", "random_seed")),
        *((one, "workers") for one in ("n_jobs", "num_workers", "n_workers", "N_JOBS")),
        *((one, "batch_size") for one in ("batchsize", "batch", "bs")),
        *((one, "lr") for one in ("learning_rate", "eta")),
        *((one, "level") for one in ("alpha", "confidence")),
        *((one, "hidden") for one in ("hidden_sizes", "hidden_layer_sizes", "hidden_dims", "layers")),
        *((one, "sample_weight") for one in ("weights", "sample_weights", "w")),
        *((one, "device") for one in ("cuda", "gpu")),
        *((one, "nan") for one in ("na", "missing", "nan_policy")),
        *((one, "critic") for one in ("network", "model")),
        ("verbose", "progress"),
        ("units", "unit"),
        ("group", "groups"),
        ("estimator", "bound"),
        ("n_bootstrap", "bootstrap"),
    ],
)
def test_the_keyword_of_another_library_leads_to_the_known_one(keyword, target):
    known = ["x", "y", target]
    assert (
        unknown_keyword("estimate", keyword, known) == f"estimate has no argument {keyword!r}. Did you mean {target!r}?"
    )
    assert f"mean {target!r}" not in unknown_keyword("estimate", keyword, ["x", "y"])


def test_another_keyword_leads_to_the_nearest_one_or_the_list():
    known = {"steps": 1, "folds": 2}
    assert unknown_keyword("Trainer", "step", known) == "Trainer has no argument 'step'. Did you mean 'steps'?"
    assert unknown_keyword("Trainer", "Steps", iter(known)) == "Trainer has no argument 'Steps'. Did you mean 'steps'?"
    assert unknown_keyword("Trainer", "qq", known) == "Trainer has no argument 'qq'. Known: 'steps', 'folds'."


def test_a_file_that_is_not_there_is_named_with_the_nearest_one_of_its_kind(tmp_path):
    for name in ("plain.csv", "plane.txt"):
        (tmp_path / name).touch()
    missing = tmp_path / "plan.csv"
    assert no_such_file(missing, (".csv",)) == f"There is no file {str(missing)!r}. Did you mean 'plain.csv'?"
    assert no_such_file(missing, (".npy",)) == f"There is no file {str(missing)!r}."
    away = tmp_path / "no" / "plan.csv"
    assert no_such_file(away, (".csv",)) == f"There is no file {str(away)!r}."


@pytest.mark.parametrize(
    "check", [lambda value: check_at_least("a", value, 0), lambda value: check_fraction("a", value)]
)
def test_booleans_are_no_numbers(check):
    with pytest.raises(TypeError, match=r"a is True \(a bool\): expected a number"):
        check(True)


def test_one_and_several():
    assert [counted(n, "row") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    with pytest.raises(ValueError, match="x has 1 row and y has 2: rows are paired samples"):
        check_paired(1, 2)


def test_a_link_to_nowhere_is_no_near_name(tmp_path):
    link = tmp_path / "t.csv"
    link.symlink_to(tmp_path / "nowhere.csv")
    assert (
        no_such_file(link, (".csv",))
        == f"{str(link)!r} is a link to a file that does not exist: give the path of the file."
    )


def test_an_argument_of_other_functions_is_no_slip_of_the_pen():
    assert unknown_keyword("matrix", "sample_weight", ["table", "split"]).endswith("Known: 'table', 'split'.")
    assert unknown_keyword("learning_curve", "split", ["sample_weight"]).endswith("Known: 'sample_weight'.")
    assert unknown_keyword("estimate", "sample_weigth", ["sample_weight"]).endswith("Did you mean 'sample_weight'?")
