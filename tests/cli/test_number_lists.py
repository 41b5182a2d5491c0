import pytest

from mibounds.cli.number_lists import parse_numbers


@pytest.mark.parametrize(
    "text, numbers",
    [("3", [3]), ("4, 0:3,-2", [4, 0, 1, 2, -2]), ("128,128", [128, 128]), ("-1:2,7", [-1, 0, 1, 7])],
)
def test_numbers_and_ranges_in_the_order_of_the_text(text, numbers):
    assert parse_numbers(text, "--lags", "0:11") == numbers


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("0-5", "--lags is '0-5': expected whole numbers and ranges, separated by commas, like 0:11."),
        ("0:5:2", "--lags is '0:5:2': expected whole numbers and ranges"),
        ("1,,2", "--lags is '': expected whole numbers"),
        ("5:5", "--lags is '5:5', an empty range"),
    ],
)
def test_other_texts_are_refused(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_numbers(text, "--lags", "0:11")


def test_ranges_are_checked_one_by_one_before_they_are_made():
    with pytest.raises(ValueError, match="--lags is '5:4', an empty range"):
        parse_numbers("0:3,5:4", "--lags", "0:11")
    with pytest.raises(
        ValueError, match=r"--lags is '0:99999999999', 99,999,999,999 numbers: expected at most 1,000,000"
    ):
        parse_numbers("0:99999999999", "--lags", "0:11")
