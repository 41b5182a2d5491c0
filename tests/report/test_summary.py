import re
from html import unescape
from itertools import pairwise

from mibounds.report import summary_page

CONTENT = {
    "heading": "I < 1",
    "blocks": [
        {"type": "line", "text": "a & b"},
        {"type": "numbers", "label": "estimates", "entries": [("one", "1"), ("two", "2")], "emphasized": "two"},
        {"type": "table", "header": ("name", "n"), "rows": [("a <b>", "1,000")]},
    ],
    "warnings": [{"code": "ceiling", "message": "near <the> ceiling"}],
}
PART = {"name": "part <1>", "heading": "J", "blocks": [], "warnings": [{"code": "overfit", "message": "by 0.4 nats"}]}


def page(**options):
    return summary_page(CONTENT, [PART], "<svg><title>figure</title></svg>", **options)


def test_everything_is_on_the_page():
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", page(seed=3, versions={"torch": "2"}, command="f <x>"))).split())
    for one in ("I < 1", "a & b", "estimates one 1 two 2", "name n a <b> 1,000", "ceiling near <the> ceiling Remedy:",
                "part <1>: J", "overfit by 0.4 nats", "f <x>", "Seed 3", "torch 2", "Mutual information"):  # fmt: skip
        assert one in text
    assert '<tr class="reported"><th scope="row"><span>two</span>' in page()
    assert "versions that were not recorded" in page()
    assert "Seed" not in page()


def test_without_warnings_and_parts():
    plain = summary_page({**CONTENT, "warnings": []}, [], "<svg></svg>")
    assert 'id="warnings"' not in plain
    assert 'id="parts"' not in plain


def test_headings_are_in_order_and_ids_are_unique():
    levels = [int(level) for level in re.findall(r"<h([1-6])", page())]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    ids = re.findall(r'id="([^"]*)"', page())
    assert len(ids) == len(set(ids))
