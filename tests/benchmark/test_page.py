import json

import pytest

from mibounds.benchmark import write_page
from mibounds.benchmark.page import write_between

SHARED = {"suite": "quick", "n": 1000, "seed": 0, "seconds": 4.0, "versions": {"mibounds": "0.1.0", "torch": "2.9"}}
MEASURED = {**SHARED, "stderr": 0.1, "method": "InfoNCE", "extrapolated": False, "warnings": []}
LINES = [
    {**MEASURED, "task": "Gauss(0.5)", "estimator": "default", "truth": 0.5, "value": 0.6, "low": 0.4, "high": 0.8},
    {**MEASURED, "task": "Gauss(2)", "estimator": "default", "truth": 2.0, "value": 1.4, "low": 1.2, "high": 1.6},
    {**MEASURED, "task": "Gauss(2)", "estimator": "fast", "truth": 2.0, "value": 1.9, "low": 1.7, "high": 2.1},
    {**SHARED, "task": "Gauss(0.5)", "estimator": "fast", "truth": 0.5, "error": "ValueError: too few"},
]


def test_a_page_with_numbers_checked_by_hand(tmp_path):
    results, out = tmp_path / "results.jsonl", tmp_path / "docs" / "page.md"
    results.write_text("".join(f"{json.dumps(line)}\n" for line in LINES))
    figures = write_page(results, out)
    text = out.read_text()
    assert "4 fits of `results.jsonl`, made with mibounds 0.1.0, torch 2.9. Information in nats." in text
    assert "2 of 3 intervals (67%) contain the truth; nominal: 95%." in text
    # |0.6 - 0.5| and |1.4 - 2| have the mean 0.35; one of two intervals contains the truth
    assert "| default | 1,000 | 2 | 0 | 0.350 | 50% | – | 4.0 |" in text
    assert "| fast | 1,000 | 1 | 1 | 0.100 | 100% | – | 4.0 |" in text
    assert "### quick: default, 1,000 rows" in text
    assert "| 1 | `Gauss(0.5)` | 0.500 | 0.600 | 0.100 | 1 of 1 | – |" in text
    assert "| 2 | `Gauss(2)` | 2.000 | 1.400 | 0.600 | 0 of 1 |" in text
    assert "- `Gauss(0.5)`, fast, 1,000 rows, seed 0: `ValueError: too few`" in text
    assert [path.name for path in figures] == ["page-quick-errors.png", "page-quick-seconds.png"]
    for path in figures:
        assert path.stat().st_size > 5000
        assert f"({path.name})" in text


def test_one_html_file_with_the_same_numbers_and_figures(tmp_path):
    results, out = tmp_path / "results.jsonl", tmp_path / "my page.html"
    results.write_text("".join(f"{json.dumps(line)}\n" for line in LINES))
    assert write_page(results, out) == []
    text = out.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my page.html", "results.jsonl"]
    assert "2 of 3 intervals (67%) contain the truth" in text
    for number in ("0.350", "50%", "1.400", "0 of 1"):
        assert f'<td style="text-align:right">{number}</td>' in text
    assert "<code>ValueError: too few</code>" in text
    for name, title in (("errors", "Errors by task"), ("seconds", "Errors and seconds")):
        assert f'aria-labelledby="quick-{name}-title quick-{name}-desc"' in text
        assert f"<figcaption>{title}</figcaption>" in text
    assert "<img" not in text


def test_a_page_of_failures_alone(tmp_path):
    (tmp_path / "results.jsonl").write_text(json.dumps(LINES[3]) + "\n")
    write_page(tmp_path / "results.jsonl", tmp_path / "page.md")
    assert "| fast | 1,000 | 0 | 1 | – | – | – |" in (tmp_path / "page.md").read_text()


def test_what_is_between_two_markers_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("head <a> old <b> tail")
    write_between(page, "<a>", "<b>", "new")
    assert page.read_text() == "head <a>new<b> tail"
    with pytest.raises(ValueError):
        write_between(page, "<c>", "<b>", "new")
    assert page.read_text() == "head <a>new<b> tail"


def test_a_page_about_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="nothing.jsonl has no results: give the file that a benchmark wrote."):
        write_page(tmp_path / "nothing.jsonl", tmp_path / "page.md")
