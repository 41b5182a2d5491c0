from importlib.metadata import version

import mibounds


def test_the_version_stands_in_one_place():
    assert mibounds.__version__ == version("mibounds")
