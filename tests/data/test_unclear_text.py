import pickle

import numpy as np
import pytest

from mibounds.data.unclear_text import UnclearTextError
from mibounds.data.values import inferred_kind


def test_what_to_do_about_unclear_text_with_and_without_a_declaration():
    with pytest.raises(UnclearTextError) as error:
        inferred_kind(np.array([f"{i}.5" for i in range(60)]), "a")
    said = "column 'a' is text, but 60 of 60 values are numbers. Clean and convert it (pandas.to_numeric)"
    assert str(error.value) == f"{said}, or declare the column as categorical."
    assert error.value.undeclared == f"{said}."
    unclear = UnclearTextError("a is text: ", ["do this", "do that"], "say so")
    assert str(unclear) == str(pickle.loads(pickle.dumps(unclear))) == "a is text: do this, do that, or say so."
    assert unclear.undeclared == "a is text: do this, or do that."
