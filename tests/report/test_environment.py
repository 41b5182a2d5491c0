import pytest
from jinja2 import UndefinedError

from mibounds.report.environment import render


def test_text_is_escaped():
    page = render("document", title="<b>", body="<script>")
    assert "<title>&lt;b&gt;</title>" in page
    assert "&lt;script&gt;" in page
    assert "color-scheme" in page


def test_what_is_missing_is_an_error():
    with pytest.raises(UndefinedError, match="body"):
        render("document", title="t")
