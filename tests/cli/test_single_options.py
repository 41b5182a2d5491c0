"""Options that take one value are given once."""

import pytest


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (
            ("--x", "a", "--x", "b", "--y", "c"),
            "--x is given 2 times: give it once, with its",
        ),
        (("--y", "c", "--y", "d"), "--y is given 2 times: give it once, with its"),
        (
            ("--y", "c", "--categorical", "a", "--categorical", "b"),
            "--categorical is given 2 times: give it once, with its",
        ),
        (("--y", "c", "--hidden", "8", "--hidden", "8"), "--hidden is given 2 times: give it once, with its"),
        (("--y", "c", "--seed", "1", "--seed", "2", "--seed", "3"), "--seed is given 3 times: give it once."),
        (("--y", "c", "--out", "a.json", "--out", "b.json"), "--out is given 2 times: give it once."),
    ],
)
def test_what_is_given_twice_is_refused(call, is_refused, table, arguments, sentence):
    is_refused(call("estimate", table, *arguments), sentence)


def test_lags_and_columns_are_given_once(call, is_refused, table):
    is_refused(call("lagged", table, "--x", "a", "--y", "c", "--lags", "0", "--lags", "1"), "--lags is given 2 times")
    is_refused(call("matrix", table, "--columns", "a", "--columns", "b"), "--columns is given 2 times")


def test_options_of_several_values_and_flags_may_be_repeated(call, table):
    done = call("matrix", table, "--columns", "a,b", "--null", "?", "--null", "-", "--quiet", "--quiet")
    assert done.exit_code == 0, done.output
