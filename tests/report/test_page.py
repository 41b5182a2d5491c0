"""The structure and the content of the page; test_browser.py tests its layout."""

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
import torch

from mibounds.report import report_page
from mibounds.report.words import number
from mibounds.results import BracketResult, Curve, IndependenceTestResult, Result
from mibounds.warnings import CeilingWarning, DensityMisfitWarning, OverfitWarning

POINTWISE = torch.tensor([0.5, math.nan, 2.0, -3.0, *[0.25] * 20])
RESULT = Result(
    value=0.8099, stderr=0.0493, estimates={"InfoNCE": 0.7847, "NWJ": 0.6822, "Classifier": 0.8099},
    method="Classifier", n=23, cross_checks={"GaussianCopula": 0.7476}, lower_bound_estimate=(0.65, 0.03),
    entropy_limit=0.9526, interval_bias=(0.0, 0.14),
    fold_values=(0.7513, 0.8891), curves=(Curve((0, 25), (0.0, -0.5), 25, "a"), Curve((0, 25), (0.0, -0.4), 0, "b")),
    warnings=(CeilingWarning("2.1 nats are <near> the ceiling"), OverfitWarning("by 0.4 nats: more rows")),
    columns=(("<script>alert(1)</script>", 'a "quoted" & b'), ("c",)),
    kinds=(("continuous", "continuous"), ("continuous",)), seed=3,
    versions={"mibounds": "0.1.0", "torch": "2.13.0"}, pointwise=POINTWISE,
)  # fmt: skip
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Elements in order, each with its attributes, its text and those that it stands in; nothing may be left open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append({"tag": tag, "in": [e["tag"] for e in self.open], "text": "", **dict(attrs)})
        if tag not in VOID:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag
        if tag in ("td", "th", "p", "dd"):
            self.handle_data(" ")

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, *tags):
        return [element for element in self.elements if element["tag"] in tags]

    def texts(self, *tags):
        return [" ".join(element["text"].split()) for element in self.all(*tags)]


def page_of(result, tmp_path, **options):
    result.report(tmp_path / "report.html", **options)
    return Page((tmp_path / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return page_of(RESULT, tmp_path_factory.mktemp("page"), command="mibounds estimate 't.csv' --y c")


def test_nothing_is_fetched(page):
    assert not page.all("script", "link", "img", "iframe", "object", "embed", "video", "audio", "source", "base")
    for element in page.elements:
        for attribute, text in element.items():
            if attribute in ("src", "srcset", "data", "poster", "background", "action"):
                pytest.fail(f"{element['tag']} has {attribute}={text!r}")
            if attribute == "href":
                assert element["tag"] == "a" or text.startswith("#")
            if attribute == "style":
                assert not re.search(r"url\((?!#)", text)
    (style,) = page.texts("style")
    assert not re.search(r"url\(|@import", style)
    (policy,) = [e["content"] for e in page.all("meta") if e.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_landmarks_headings_and_tables_for_a_screen_reader(page):
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("header")) == len(page.all("main")) == len(page.all("h1")) == 1
    levels = [int(heading["tag"][1]) for heading in page.all("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    ids = [element["id"] for element in page.elements if "id" in element]
    assert len(ids) == len(set(ids))
    for section in page.all("section"):
        assert section["aria-labelledby"] in ids
    assert all("scope" in header for header in page.all("th"))
    assert page.all("a")[0]["href"] == "#main"


def test_every_figure_has_a_text(page):
    figures = page.all("svg")
    assert len(figures) == len(page.all("figure")) == len(page.all("figcaption")) == 4
    texts = {element.get("id"): element["text"] for element in page.all("title", "desc")}
    for figure in figures:
        assert figure["role"] == "img"
        assert all(texts[name].strip() for name in figure["aria-labelledby"].split())
    assert all(page.texts("figcaption"))
    assert "2 folds are 0.7513 to 0.8891 nats; that of all samples is 0.8099" in texts["folds-desc"]
    assert "KSG" not in texts["estimates-desc"]
    assert "GaussianCopula 0.7476" in texts["estimates-desc"]


def test_every_warning_has_its_message_and_a_remedy(page):
    codes = page.texts("h3")
    for warning, title in zip(RESULT.warnings, codes, strict=True):
        assert title.endswith(warning.code)
        assert str(warning) in page.texts("p")
        assert any(text.startswith("Remedy: ") for text in page.texts("p"))


def test_names_of_columns_are_text(page):
    assert '<script>alert(1)</script>, a "quoted" & b' in page.texts("h1")[0]
    assert "<script>alert(1)</script>" in page.texts("title")[0]
    assert any("<script>alert(1)</script>" in text for text in page.texts("dd"))


def test_values_are_those_of_the_result(page):
    rows = [row.split() for row in page.texts("tr")]
    for name, value in {**RESULT.estimates, **RESULT.cross_checks}.items():
        assert [number(value), name] in [row[:2] for row in rows]
    assert page.texts("p")[1] == "0.8099 nats"
    low, high = RESULT.interval
    text = " ".join(page.texts("main"))
    assert f"confidence interval of the mutual information is {number(low)} to {number(high)} nats" in text
    assert high == 0.9526  # the interval and the limit agree
    assert f"lower confidence bound is {number(RESULT.lower_bound)} nats" in text
    assert "cannot exceed 0.9526 nats" in text
    assert "Estimates of the folds: 0.7513, 0.8891." in text
    assert "n = 23" in page.texts("p")[0]
    assert "mibounds estimate 't.csv' --y c" in page.texts("pre")
    assert "Seed 3" in text
    assert "mibounds 0.1.0, torch 2.13.0" in text


def test_the_most_and_least_informative_rows_are_numbered_as_given(page):
    tables = [table for table in page.texts("table") if "informative" in table]
    assert tables[0].startswith("Most informative row nats 2 2.000 0 0.5000")
    assert tables[1].startswith("Least informative row nats 3 −3.000 ")
    assert " 1 " not in f"{tables[0]} {tables[1]}"  # it was dropped


def test_units_go_through_the_whole_page(tmp_path):
    ln2 = math.log(2)
    bracket = BracketResult(
        lower=0.7, lower_stderr=0.1, upper=0.9, upper_stderr=0.1, n=23, estimates={"CLUB": 1.4},
        warnings=(*RESULT.warnings, DensityMisfitWarning("its residuals")),
    )  # fmt: skip
    test = IndependenceTestResult(statistic=0.78, pvalue=0.001, permutations=999, retrained=False, estimate=RESULT)
    page = page_of(RESULT.to("bits"), tmp_path, bracket=bracket, test=test)
    rows = page.texts("tr")
    assert any(row.startswith(f"{number(0.8099 / ln2)} Classifier") for row in rows)
    assert any(row.startswith(f"{number(0.9 / ln2)} upper bound") for row in rows)
    assert any(row == f"2 {number(2 / ln2)}" for row in rows)
    text = " ".join(page.texts("main"))
    assert f"p = 0.001, 999 permutations, InfoNCE {number(0.78 / ln2)} bits" in text
    assert "its residuals" in text
    assert len(page.texts("h3")) == 3
    assert not any(number(value) in text for value in (0.8099, 0.7847, 0.7513, 0.78))


BARE = Result(value=0.5, stderr=0.01, estimates={"InfoNCE": 0.5}, method="InfoNCE", n=10)


def test_a_page_of_next_to_nothing(tmp_path):
    bare = Result.from_dict(json.loads(json.dumps(BARE.to_dict())))
    page = page_of(bare, tmp_path)
    assert page.texts("h1") == ["x and y"]
    assert len(page.all("svg")) == 1
    assert "no check of the data" in " ".join(page.texts("p"))
    assert "versions that were not recorded" in " ".join(page.texts("p"))


def test_the_same_result_gives_the_same_page():
    record = RESULT.to_dict()
    assert report_page(record, POINTWISE.tolist()) == report_page(record, POINTWISE.tolist())


def test_a_classical_estimate_stands_among_classical_ones(tmp_path):
    estimates = {**RESULT.estimates, "KSG": 0.95}
    found = page_of(replace(RESULT, value=0.95, method="KSG", estimates=estimates), tmp_path)
    groups = [text for text in found.texts("th") if text in ("From the same scores", "Classical estimates")]
    assert groups == ["From the same scores", "Classical estimates"]
    names = found.texts("th")
    assert names.index("Classical estimates") < next(i for i, name in enumerate(names) if name.startswith("KSG"))
    assert any("Estimates of the critics of single folds" in text for text in found.texts("p"))
    assert any("which needs no critics" in text for text in found.texts("figcaption"))
