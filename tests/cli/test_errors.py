import pytest
import typer

from mibounds._extras import MissingExtraError
from mibounds.cli.errors import one_sentence, say_if_interrupted
from mibounds.warnings import InterruptedWarning, TiesWarning


@pytest.mark.parametrize("kind", [ValueError, TypeError, OSError, MissingExtraError])
def test_one_sentence_and_exit_code_2(kind, capsys):
    with pytest.raises(typer.Exit) as caught, one_sentence():
        raise kind("x is empty.")
    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == "Error: x is empty.\n"


def test_a_fault_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError), one_sentence():
        _ = 1 / 0


def test_an_interrupted_result_ends_with_exit_code_130():
    say_if_interrupted([TiesWarning("some")])
    with pytest.raises(typer.Exit) as caught:
        say_if_interrupted([TiesWarning("some"), InterruptedWarning("early")])
    assert caught.value.exit_code == 130
