import sys

import pytest
from jinja2 import UndefinedError

from mibounds._extras import MissingExtraError
from mibounds.report.environment import render


def test_text_is_escaped():
    page = render("document", title="<b>", body="<script>")
    assert "<title>&lt;b&gt;</title>" in page
    assert "&lt;script&gt;" in page
    assert "color-scheme" in page


def test_a_missing_name_is_an_error():
    with pytest.raises(UndefinedError, match="body"):
        render("document", title="t")


def test_a_missing_jinja2_gives_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r'A report needs jinja2: pip install "mibounds\[report\]"'):
        render("document", title="t", body="")
