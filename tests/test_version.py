import re
from importlib.metadata import version
from pathlib import Path

import mibounds
from mibounds._version import versions


def test_the_version_stands_in_one_place():
    assert mibounds.__version__ == version("mibounds")


def test_the_citation_names_this_version():
    citation = (Path(__file__).parent.parent / "CITATION.cff").read_text("utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.MULTILINE) == [mibounds.__version__]
    assert "license: MIT" in citation


def test_what_a_number_was_made_with():
    assert versions()["mibounds"] == mibounds.__version__
    assert set(versions()) == {"mibounds", "torch", "python"}
