from importlib.metadata import version

import mibounds
from mibounds._version import versions


def test_the_version_stands_in_one_place():
    assert mibounds.__version__ == version("mibounds")


def test_what_a_number_was_made_with():
    assert versions()["mibounds"] == mibounds.__version__
    assert set(versions()) == {"mibounds", "torch", "python"}
