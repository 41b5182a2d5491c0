import pytest

from mibounds.results.printing import Content, Line, Numbers, Table, html, number, percent, text_lines
from mibounds.warnings import CeilingWarning

CONTENT = Content(
    "I < 1",
    (
        Line("a & b"),
        Numbers("estimates", (("one", "1"), ("two", "2")), emphasized="two"),
        Table(("name", "n"), (("a <b>", "1,000"), ("long name", "20"))),
    ),
    (CeilingWarning("near <the> ceiling"),),
)


def test_text():
    assert text_lines(CONTENT) == [
        "I < 1",
        "  a & b",
        "  estimates: one 1  two 2",
        "  name            n",
        "  a <b>       1,000",
        "  long name      20",
        "  warning ceiling: near <the> ceiling",
    ]


def test_html():
    assert html(CONTENT) == (
        "<div><h4>I &lt; 1</h4>"
        "<p>a &amp; b</p>"
        '<table><caption>estimates</caption><tbody><tr><td>one</td><td style="text-align: right">1</td></tr>'
        '<tr style="font-weight: bold"><td>two</td><td style="text-align: right">2</td></tr></tbody></table>'
        '<table><thead><tr><th scope="col">name</th><th scope="col">n</th></tr></thead><tbody>'
        '<tr><td>a &lt;b&gt;</td><td style="text-align: right">1,000</td></tr>'
        '<tr><td>long name</td><td style="text-align: right">20</td></tr></tbody></table>'
        "<ul><li>warning <code>ceiling</code>: near &lt;the&gt; ceiling</li></ul></div>"
    )


def test_a_dictionary():
    record = CONTENT.to_dict()
    assert [block["type"] for block in record["blocks"]] == ["line", "numbers", "table"]
    assert record["blocks"][0] == {"type": "line", "text": "a & b"}
    assert record["warnings"] == [{"code": "ceiling", "message": "near <the> ceiling"}]


def test_numbers_are_not_torn_from_their_names():
    values = {f"EstimatorNumber{i}": 1 / (i + 3) for i in range(12)}
    lines = text_lines(Content("I", (Numbers.of("estimates", values),)))[1:]
    assert max(map(len, lines)) <= 88
    assert len(lines) > 3
    assert lines[0].startswith("  estimates: EstimatorNumber0 0.3333  EstimatorNumber1 0.25")
    assert all(line.startswith("    E") for line in lines[1:])
    assert all(f"{name} {value:.4g}" in "\n".join(lines) for name, value in values.items())


def test_long_lines_are_wrapped_and_long_words_stay_whole():
    word = "x" * 100
    lines = text_lines(Content("I", (Line("some words " * 20), Line(f"before {word} after"))))
    assert max(len(line) for line in lines if word not in line) <= 88
    assert f"    {word}" in lines
    assert " ".join(" ".join(lines).split()) == f"I {'some words ' * 20}before {word} after"


@pytest.mark.parametrize("value, text", [(0.51134, "0.5113"), (0.0, "0"), (-1e-9, "-1e-09"), (float("nan"), "nan")])
def test_a_number(value, text):
    assert number(value) == text


def test_percent():
    assert [percent(share) for share in (0.95, 0.999, 0.5)] == ["95%", "99.9%", "50%"]


def test_a_long_last_cell_goes_on_below_itself():
    table = Table(("lag", "value", "notes"), (("0", "0.5", "largest, " * 12 + "largest"), ("1", "0.4", "")))
    lines = text_lines(Content("I", (table,)))
    start = lines[1].index("notes")
    assert lines[2].index("largest") == start
    assert lines[3].startswith(" " * start + "largest")
    assert lines[4].split() == ["1", "0.4"]
