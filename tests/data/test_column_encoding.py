"""What an encoding does without methods of its own."""

from dataclasses import dataclass

import numpy as np

from mibounds.data.column_encoding import Encoding


@dataclass(frozen=True)
class Doubled(Encoding):
    kind = "doubled"

    @classmethod
    def fit(cls, column, name, indicator=False):
        return cls(name)

    @property
    def names(self):
        return (self.title,)

    def __call__(self, column):
        return 2 * column[:, None].astype(np.float32)


def test_the_defaults_are_those_of_numbers_without_warnings():
    encoding = Doubled.fit(np.arange(3.0), "x")
    values = encoding(np.arange(3.0))
    assert encoding.names == ("x",)
    assert not encoding.is_label and not encoding.has_density and not encoding.is_identifier(3)
    assert encoding.shown(values[1]) == "2.0"
    assert encoding.shared() is None and encoding.warnings(values, "x") == []
    assert encoding.to_dict() == {"kind": "doubled", "name": "x", "suffix": ""}
