"""Wrong inputs as people type them: each ends with one sentence, exit code 2, and nothing on standard output."""

import shlex

import numpy as np
import pytest

ROWS = [(40 + i % 30, round(np.sin(i) + i % 30 / 10, 3), "yes" if i % 3 else "no") for i in range(90)]


def table(head, rows, sep=","):
    return "\n".join([head, *(sep.join(map(str, row)) for row in rows)]) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    texts = {
        "plain.csv": table("age,weight,group", ROWS),
        "gaps.csv": table("age,weight", [("NA" if i % 9 == 0 else a, b) for i, (a, b, _) in enumerate(ROWS)]),
        "below.csv": table("age,weight", [(a, "<1" if i % 9 == 0 else b) for i, (a, b, _) in enumerate(ROWS)]),
        "units.csv": table("age,weight", [(a, f"{b} kg") for a, b, _ in ROWS]),
        "days.csv": table("day,weight", [(f"0{1 + i % 9}/0{1 + i % 8}/2024", b) for i, (_, b, _) in enumerate(ROWS)]),
        "few.csv": table("age,weight", [row[:2] for row in ROWS[:20]]),
        "ragged.csv": table("age,weight,group", ROWS) + "1,2\n",
        "header.csv": "a,b\n",
        "empty.csv": "",
        "notes.txt": "hello\nworld\n",
        "page.pdf": "x",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    (folder / "bytes.csv").write_bytes(bytes(range(256)) * 4)
    (folder / "semicolons.csv").write_text(
        table("age;weight", [(a, str(b).replace(".", ",")) for a, b, _ in ROWS], ";")
    )
    np.save(folder / "matrix.npy", np.random.default_rng(0).normal(size=(90, 3)))
    np.save(folder / "column.npy", np.zeros(90))
    np.savez(folder / "arrays.npz", left=np.zeros((90, 2)), right=np.zeros(90), short=np.zeros(80))
    return folder


@pytest.mark.parametrize(
    "line, sentence",
    [
        # Files
        ("estimate plan.csv --y age", "There is no file 'plan.csv'. Did you mean 'plain.csv'?"),
        ("estimate . --y age", "'.' is a folder: give a file in it."),
        ("estimate https://example.org/t.csv --y a", "'https://example.org/t.csv' is a web address: download the file"),
        (
            "estimate page.pdf --y age",
            "page.pdf has an unknown format: expected a file ending in .csv, .tsv, .txt, .json",
        ),
        ("estimate empty.csv --y age", "empty.csv is empty: expected a line of column names, and rows."),
        ("estimate header.csv --y a", "header.csv has column names, but no rows."),
        ("estimate ragged.csv --y age", "line 92 of ragged.csv has 2 values, and the header has 3 names"),
        ("estimate bytes.csv --y age", "bytes.csv is no text in UTF-8 or cp1252: give its encoding with --encoding"),
        (
            "estimate plain.csv --y age --encoding klingon",
            "--encoding is 'klingon', which is unknown: expected one like",
        ),
        ("estimate plain.csv --y age --sep ;;", "--sep is ';;': expected one character, like ';', or tab or space."),
        ("estimate plain.csv --y age --decimal x", "--decimal is 'x': expected '.' or ','."),
        (
            "estimate matrix.npy --y 0 --sep ,",
            "--sep is for files of text, .csv, .tsv, .txt: leave it out for matrix.npy.",
        ),
        ("estimate semicolons.csv --y age --decimal .", "column 'weight' is text, but "),
        # Columns
        ("estimate plain.csv --y wieght", "--y: there is no column 'wieght'. Did you mean 'weight'?"),
        ("estimate plain.csv --y ''", "--y: there is no column ''. Known: 'age', 'weight', 'group'."),
        ("estimate plain.csv --y weight --x 'z*'", "--x: there is no column 'z*'. Known: 'age', 'weight', 'group'."),
        (
            "estimate plain.csv --y group --x age,group",
            "x and y both have the column 'group': take it out of --x or --y.",
        ),
        ("estimate plain.csv --y group --x 'g*'", "no column is left for x: those of --x 'g*' are in --y already."),
        ("estimate plain.csv --y '*'", "no column is left for x: --y took all of them."),
        ("estimate column.npy --y 0", "no column is left for x: --y took all of them."),
        ("estimate matrix.npy --y 9", "--y is '9', and the file has the columns 0 to 2."),
        ("estimate matrix.npy --y age", "--y is 'age': expected whole numbers and ranges of columns of a .npy file, "),
        ("estimate arrays.npz --x left --y rigth", "--y: there is no column 'rigth'. Did you mean 'right'?"),
        ("estimate arrays.npz --x left,short --y right", "the arrays of one variable have different numbers of rows"),
        ("estimate plain.csv --y group --categorical foo", "--categorical: there is no column 'foo'. Known: 'age', "),
        (
            "conditional plain.csv --x age --y weight --z age",
            "x and z both have the column 'age': take it out of --x or",
        ),
        ("matrix plain.csv --columns age", "table has one column that varies, 'age': expected at least two"),
        ("matrix plain.csv --columns age,wieght", "--columns: there is no column 'wieght'. Did you mean 'weight'?"),
        # Values
        (
            "estimate gaps.csv --y weight",
            "x has 10 missing or infinite values, in column 'age' (10): fill them in, or pass",
        ),
        (
            "estimate below.csv --y weight",
            "column 'weight' is text, but 80 of 90 values are numbers; the others: '<1' (10)",
        ),
        ("estimate units.csv --y weight", "column 'weight' of units.csv is text like '"),
        ("estimate days.csv --y weight", "column 'day' of days.csv has dates like '01/01/2024', whose day and month"),
        ("estimate few.csv --y weight", "20 complete rows are too few: expected at least 50"),
        # Settings
        ("estimate plain.csv --y group --bound foo", "--bound is 'foo': expected the name of a bound. Known: 'mine', "),
        ("estimate plain.csv --y group --critic foo", "--critic is 'foo': expected one of "),
        (
            "estimate plain.csv --y group --hidden wide",
            "--hidden is 'wide': expected whole numbers and ranges, separated",
        ),
        ("estimate plain.csv --y group --steps 0", "--steps is 0: expected a whole number of at least 1."),
        (
            "estimate plain.csv --y group --folds 60",
            "--folds is 60, and 90 samples give at most 45 folds of two samples.",
        ),
        ("estimate plain.csv --y group --level 95", "--level is 95.0, and must lie strictly between 0 and 1."),
        ("estimate plain.csv --y group --gap 3", "--gap is 3, and a random split has none: pass --split blocked too."),
        ("estimate plain.csv --y group --precision half", "--precision is 'half': expected 'float32' or 'bf16'."),
        ("estimate plain.csv --y group --seed -1", "--seed is -1: expected a whole number of at least 0."),
        (
            "estimate plain.csv --y group --resume",
            "--resume continues a checkpoint, and there is none: pass --checkpoint,",
        ),
        (
            "estimate plain.csv --y group --with-test",
            "--with-test and --with-bracket are parts of a report: give its file",
        ),
        (
            "independence plain.csv --y group --permutations 0",
            "--permutations is 0: expected a whole number of at least 1.",
        ),
        (
            "lagged plain.csv --x age --y weight --lags a",
            "--lags is 'a': expected whole numbers and ranges, separated by",
        ),
        (
            "lagged plain.csv --x age --y weight --lags 3:3",
            "--lags is '3:3', an empty range: a range ends before its second",
        ),
        (
            "lagged plain.csv --x age --y weight --lags 0:99",
            "--lags reach from 0 to 98, which leaves 0 of 90 rows: expected",
        ),
        ("learning-curve plain.csv --y group --sizes 500", "--sizes is [500], and must hold at least three different"),
        ("benchmark --suite foo", "--suite is 'foo': expected the name of a suite. Known: 'bmi40', "),
        # Outputs
        (
            "estimate plain.csv --y group --plot x.bmp",
            "--plot is 'x.bmp': expected a file ending in .png, .svg or .pdf.",
        ),
        (
            "estimate plain.csv --y group --plot no/x.png",
            "--plot is 'no/x.png', and there is no folder 'no': create it",
        ),
        ("estimate plain.csv --y group --report x.pdf", "--report is 'x.pdf': expected a file ending in .html."),
        ("estimate plain.csv --y group --out x.csv", "--out is 'x.csv': expected a file ending in .json."),
        ("estimate plain.csv --y group --save x.pt", "--save is 'x.pt': expected a file ending in .safetensors."),
        ("estimate plain.csv --y group --out plain.csv/x.json", "--out is 'plain.csv/x.json', and there is no folder"),
        ("score m.safetensors plain.csv --y group --out x.txt", "--out is 'x.txt': expected a file ending in .csv."),
        ("score m.safetensors plain.csv --y group", "There is no file 'm.safetensors'."),
        ("demo gaussians --quick --out x.bmp", "--out is 'x.bmp': expected a file ending in .png, .svg or .pdf."),
        (
            "demo gan --out plain.csv/x.png",
            "--out is 'plain.csv/x.png', and a part of its path is a file: give another",
        ),
        ("benchmark --out x.csv", "--out is 'x.csv': expected a file ending in .jsonl."),
        # The command line itself
        ("estimat plain.csv", "No such command 'estimat'. Did you mean 'estimate'"),
        ("estimate", "Missing argument 'FILE'. Try 'root estimate --help'."),
        ("estimate plain.csv", "Missing option '--y'. Try 'root estimate --help'."),
        ("estimate plain.csv --y group --bits", "No such option: --bits"),
        (
            "estimate plain.csv --y group --unit bit",
            "Invalid value for '--unit': 'bit' is not one of 'nats', 'bits'. Try",
        ),
        (
            "matrix plain.csv --nan indicator",
            "Invalid value for '--nan': 'indicator' is not one of 'raise', 'drop'. Try",
        ),
        (
            "conditional plain.csv --x age --y weight --z group --method foo",
            "Invalid value for '--method': 'foo' is not",
        ),
        ("estimate plain.csv --y group --steps ten", "Invalid value for '--steps': 'ten'"),
        ("estimate plain.csv --y group --lr fast", "Invalid value for '--lr': 'fast'"),
        ("benchmark --n 1e3", "Invalid value for '--n': '1e3'"),
        ("estimate plain.csv --y group --device meta", "--device is 'meta', which holds no values: expected a device"),
    ],
)
def test_one_sentence(line, sentence, folder, call, is_refused, monkeypatch):
    monkeypatch.chdir(folder)
    before = {path.name for path in folder.iterdir()}
    is_refused(call(*shlex.split(line)), sentence)
    assert {path.name for path in folder.iterdir()} == before
