import csv
import re

import pytest

from mibounds.data.delimited import decode, read_delimited, separator_of


def read(text, *arguments):
    frame, separator = read_delimited(text, "t.csv", *arguments)
    return frame.to_dict(as_series=False), separator


AB = {"a": ["1", "3"], "b": ["2", "4"]}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(separator):
    text = "a,b\n1,2\n3,4\n".replace(",", separator)
    assert read(text) == (AB, separator)
    assert read(text, separator) == (AB, separator)
    assert read(text, None, "\t") == (AB, separator)


@pytest.mark.parametrize(
    "text, separator, columns",
    [
        ("a   b\n1 2\n3\t 4\n", " ", AB),
        ("  a b\n  1 2\n  3 4\n", " ", AB),
        ('"a b" c\n1 "x y"\n', " ", {"a b": ["1"], "c": ["x y"]}),
        ("a;b\n1,5;2,5\n", ";", {"a": ["1,5"], "b": ["2,5"]}),
        ("a,x;b\n1,5;2\n", ";", {"a,x": ["1,5"], "b": ["2"]}),
        ("a\tb\nx y\tz, w\n", "\t", {"a": ["x y"], "b": ["z, w"]}),
        ("first name,age\nAda Maria,3\n", ",", {"first name": ["Ada Maria"], "age": ["3"]}),
        ("x\n12,5\n3,4\n", ";", {"x": ["12,5", "3,4"]}),
        ("x\n1\n2\n", ",", {"x": ["1", "2"]}),
        ("name\nAda Byron\nMaria\n", ",", {"name": ["Ada Byron", "Maria"]}),
        ("full name\nAda Byron\nMaria Curie\n", ",", {"full name": ["Ada Byron", "Maria Curie"]}),
        ("sep=;\na;b\n1;2\n3;4\n", ";", AB),
    ],
)
def test_what_separates(text, separator, columns):
    assert read(text) == (columns, separator)


@pytest.mark.parametrize(
    "text, columns",
    [
        ("# made by hand, today\n\n#\na,b\n1,2\n\n3,4\n\n", AB),
        ("# a,b\n1,2\n3,4\n", AB),
        ("# a b\n1 2\n3 4\n", AB),
        (" a , b \n1,2\n3,4", AB),
        ("a,b,\n1,2,\n3,4,\n", AB),
        ("a,b\n1,2,\n3,4,\n", AB),
        ("a;b\n1;2;;\n3;4\n", AB),
        ("a\tb\n1\t2\t \n3\t4\t\n", AB),
        ('"a", "b"\n"1", "2"\n"3", "4"\n', AB),
        ('a, b\n1, "2"\n3, "4"\n', AB),
        ('"a"; "b"\n"1,5"; "x; y"\n"2"; "z"\n', {"a": ["1,5", "2"], "b": ["x; y", "z"]}),
        ('"a", "b"\n"1", "2,5"\n"3", "4,5"\n', {"a": ["1", "3"], "b": ["2,5", "4,5"]}),
        ("#name,city\nAda,Ulm\nBob,Bonn\n", {"name": ["Ada", "Bob"], "city": ["Ulm", "Bonn"]}),
        ("#name\tcity\n# checked\nAda\tUlm\nBob\tBonn\n", {"name": ["Ada", "Bob"], "city": ["Ulm", "Bonn"]}),
        ("# a,b\n# from the clinic\n1,2\n3,4\n", AB),
        ("#id,2020,2021\n7,2,3\n8,5,6\n", {"id": ["7", "8"], "2020": ["2", "5"], "2021": ["3", "6"]}),
        ("# id 2020\n7 2\n8 5\n", {"id": ["7", "8"], "2020": ["2", "5"]}),
        ("#2020,2021\n\n7,2\n8,NA\n", {"2020": ["7", "8"], "2021": ["2", "NA"]}),
        ("#id,name,2020\n7,Ada,3\n8,Bob,4\n", {"id": ["7", "8"], "name": ["Ada", "Bob"], "2020": ["3", "4"]}),
        ("#x\n1\n2\n", {"x": ["1", "2"]}),
        ("# a,b\n#7,8\n1,2\n3,4\n", AB),
        ("#made by hand,2020\nage,2021\n1,2\n", {"age": ["1"], "2021": ["2"]}),
        ("# version 1, 2\nname,2020\nAda,1\n", {"name": ["Ada"], "2020": ["1"]}),
        ("# from the clinic\n2001,2002\n1,2\n", {"2001": ["1"], "2002": ["2"]}),
        ("# made by hand, today\nname,city\nAda,Ulm\n", {"name": ["Ada"], "city": ["Ulm"]}),
        ("#made by hand,today\na,b\n1,2\n3,4\n", AB),
        ("-1,0,1\n1,2,3\n", {"-1": ["1"], "0": ["2"], "1": ["3"]}),
        (",0.25,0.5\n1,2,3\n", {"column 1": ["1"], "0.25": ["2"], "0.5": ["3"]}),
        (",b\n1,2\n", {"column 1": ["1"], "b": ["2"]}),
        ("2001,2002\n1,2\n", {"2001": ["1"], "2002": ["2"]}),
        ('a,b\n"1, ""x""","l1\nl2"\n', {"a": ['1, "x"'], "b": ["l1\nl2"]}),
        ('a,b\n5" pipe,2\n', {"a": ['5" pipe'], "b": ["2"]}),
        ("a,b\n1,\n3,4\n", {"a": ["1", "3"], "b": [None, "4"]}),
        ("a,b\n1,2\n# no,comment\n", {"a": ["1", "# no"], "b": ["2", "comment"]}),
        ('"age, years",b\n1,2\n', {"age, years": ["1"], "b": ["2"]}),
    ],
)
def test_headers_comments_and_quotes(text, columns):
    assert read(text)[0] == columns


def test_repeated_names():
    with pytest.warns(UserWarning, match=re.escape("t.csv has columns of the same name; the later ones are called 'a")):
        assert list(read("a,a,a (2), a\n1,2,3,4\n")[0]) == ["a", "a (3)", "a (2)", "a (4)"]
    with pytest.warns(UserWarning, match=re.escape("the later ones are called 'a (2)'.")):
        assert read("a,a\n1,2\n")[0] == {"a": ["1"], "a (2)": ["2"]}


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("", "t.csv is empty"),
        ("\n\n", "t.csv is empty"),
        ("# only a comment\n", "t.csv is empty"),
        ("a,b\n", "t.csv has column names, but no rows."),
        ("a,b", "t.csv has column names, but no rows."),
        ("0.5,1.5\n2.5,3.5\n", "t.csv begins with numbers, 0.5, 1.5: add a line of column names."),
        ("1,5;2\n3,5;4\n", "t.csv begins with numbers, 1,5, 2: add a line of column names."),
        ("1e5,2\n3e5,4\n", "t.csv begins with numbers, 1e5, 2: add a line of column names."),
        ("NA,1.5\n2,3\n", "t.csv begins with numbers, NA, 1.5: add a line of column names."),
        ("1,0,1\n0,1,0\n", "t.csv begins with numbers, 1, 0, 1: add a line of column names."),
        ("a,b\n0,1,2\n1,2,\n", "every row of t.csv has one value more than the header has names (2)"),
        ("a,b\n1,2,\n3\n", "line 3 of t.csv has 1 value, and the header has 2 names"),
        ("a,b\n1," + "x" * 200_000 + "\n1,2,3\n", "line 3 of t.csv has 3 values, and the header has 2 names"),
        ('a,b\n1,"' + "x" * 200_000 + '"\n1,2,3\n', "line 3 of t.csv has 3 values, and the header has 2 names"),
        ('a,"b\n1,2\n3,4\n', 't.csv has a quote (") in its header that is opened and not closed.'),
        (
            "# x\n\na,b\n1,2\n3,4,5\n",
            "line 5 of t.csv has 3 values, and the header has 2 names (separated by commas): correct the line, quote "
            "text that has a separator in it, or give the separator with --sep.",
        ),
        ("a;b\n1;2\n3\n", "line 3 of t.csv has 1 value, and the header has 2 names (separated by semicolons)"),
        ('a,b\n"x\ny",2\n3\n', "line 4 of t.csv has 1 value"),
        (
            "a b c\n1 2 3\n4 5 6\n7 8\n",
            "line 4 of t.csv has 2 values, and the header has 3 names (separated by blanks)",
        ),
        ("a b\n1 2 3\n4 5 6\n", "every row of t.csv has one value more than the header has names (2): add a name for"),
        ("a,b\n1,2,3\n4,5,6\n", "every row of t.csv has one value more than the header has names (2)"),
        ('a,b\n1,"2\n3,4\n5,6\n7,8\n', 't.csv has a quote (") in line 2 that is opened and not closed.'),
        (
            'a,b\n1,"' + "2,\n" * 100_000,
            't.csv has a quote (") in line 2 that is opened and not closed.',
        ),
    ],
)
def test_what_is_no_table(text, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)) as error:
        read(text)
    assert "truncate_ragged_lines" not in str(error.value)


def test_the_limit_of_the_module_csv_stays():
    limit = csv.field_size_limit()
    assert read("a,b\n1," + "x" * 200_000 + ",\n")[0] == {"a": ["1"], "b": ["x" * 200_000]}
    assert csv.field_size_limit() == limit


def test_words_for_separators():
    words = {"tab": "\t", "\\t": "\t", "space": " ", "Comma": ",", "semicolon": ";", "pipe": "|", ";": ";", None: None}
    assert {word: separator_of(word) for word in words} == words
    for wrong in ("", "::", '"', "\n", "é"):
        with pytest.raises(ValueError, match=r"--sep is .*: expected one character, like ';', or tab or space."):
            separator_of(wrong)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1"])
def test_encodings(encoding):
    assert decode("größe\r\n1\r2\n".encode(encoding), "t.csv") == "größe\n1\n2\n"
    assert decode("größe\r\n1\r2\n".encode(encoding), "t.csv", encoding) == "größe\n1\n2\n"


def test_an_encoding_that_is_given():
    assert decode("žluť".encode("cp1250"), "t.csv", "cp1250") == "žluť"
    assert decode("a".encode("utf-8-sig"), "t.csv", "utf-8") == "a"
    assert decode("ab".encode("utf-16-le"), "t.csv", "utf-16-le") == "ab"


@pytest.mark.parametrize(
    "data, encoding, sentence",
    [
        (b"a\x81b", None, "t.csv is no text in UTF-8 or cp1252: give its encoding with --encoding"),
        (b"a\0,\0b\0", None, "t.csv is no text in UTF-8 or cp1252: give its encoding with --encoding"),
        (b"\xff\xfea", None, "t.csv is no text in UTF-8 or cp1252"),
        (b"gr\xf6\xdfe", "utf-8", "t.csv is no text in 'utf-8': give another encoding with --encoding."),
        (b"a", "utf-9", "--encoding is 'utf-9', which is unknown: expected one like utf-8, latin-1"),
        (b"a", "base64", "--encoding is 'base64', which is unknown"),
    ],
)
def test_bytes_that_are_no_text(data, encoding, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        decode(data, "t.csv", encoding)


def test_quotes_after_a_backslash_join_no_rows():
    rows = ['"a\\"b",1', '"c",2', '"d\\"e",3', '"f" ,4']
    with pytest.raises(ValueError, match=r"line 3 of t\.csv has text behind a closing quote .* twice, \"a\"\"b\"\."):
        read_delimited("\n".join(["# made by hand", "x,y", *rows]), "t.csv")
    table, _ = read_delimited("\n".join(["x,y", '"a""b",1', '"c" ,2', '5"3,3', '"x, ""y"" z",4']), "t.csv")
    assert table["x"].to_list() == ['a"b', "c ", '5"3', 'x, "y" z']
