import pytest

from mibounds.data.decorated import MANY, Decorated, decorated_numbers


def column(text, first=20, count=20):
    return [text.format(first + i) for i in range(count)]


@pytest.mark.parametrize(
    "text, what",
    [
        ("{} €", "the unit '€'"), ("{}.00 €", "the unit '€'"), ("{}€", "the unit '€'"), ("EUR {}", "the unit 'EUR'"),
        ("¥{}", "the unit '¥'"), ("₹{}", "the unit '₹'"), ("R$ {}", "the unit 'R$'"), ("-${}", "the unit '$'"),
        ("(${}.00)", "the unit '$'"), ("Rs. {}", "the unit 'Rs.'"), ("kr {}", "the unit 'kr'"),
        ("{} mmol/L", "the unit 'mmol/L'"), ("{} minutes", "the unit 'minutes'"), ("{} kg/m2", "the unit 'kg/m2'"),
        ("{} beats per minute", "the unit 'beats per minute'"), ("{}%", "the unit '%'"), ("{}.5 °C", "the unit '°C'"),
        ("'{}'", "\"'\" before and \"'\" after them"), ('"{}"', "'\"' before and '\"' after them"),
        ('="{}"', "'=\"' before and '\"' after them"), ("={}", "'=' before them"), (">= {}", "'>=' before them"),
        ("({})", "'(' before and ')' after them"), ("[{}]", "'[' before and ']' after them"), ("{}-", "'-' after them"),
        ("{}*", "'*' after them"), ("{} †", "'†' after them"), ("{}±1", "'±1' after them"),
        ("{} +/- 2.5", "'+/- 2.5' after them"), ("{}/100", "'/100' after them"), ("{} / 5", "'/ 5' after them"),
        ("{}*10^3", "'*10^3' after them"), ("{},10,38", ""),
    ],
)  # fmt: skip
def test_numbers_with_the_same_beside_them(text, what):
    texts = column(text)
    assert decorated_numbers(texts) == Decorated(texts[0], what, alike=True)
    assert decorated_numbers(texts[:MANY]) is None, "few values are categories"
    assert decorated_numbers(texts, plain=15) == Decorated(texts[0], what, alike=True)
    words = [f"word {'abcdefghijklmnopqrstuvwxyz'[i]}" for i in range(26)]
    assert decorated_numbers([*texts, *words]) is None
    assert decorated_numbers([*texts, *words[:9]]) == Decorated(texts[0], what, alike=True)


@pytest.mark.parametrize(
    "text",
    [
        "type {}", "Q{}", "room {}", "row {}", "A{}", "P-00{}", "SN{}X", "user_{}", "#{}", "No. {}", "SEK{}", "{}_a",
        "v1.{}", "1.{}.3", "10.0.0.{}", "Python 3.{}", "{}-29", "{}:1", "0171 {}", '="0{}"', "(0{})",
    ],
)  # fmt: skip
def test_labels_codes_versions_and_ranges_are_text(text):
    assert decorated_numbers(column(text)) is None


@pytest.mark.parametrize("text", ["{}-{}", "{} to {}", "{}/{}", "{} and {}", "{} (n={})"])
def test_two_numbers_are_text(text):
    assert decorated_numbers([text.format(i, i + 1) for i in range(20, 40)]) is None


def test_versions_may_be_numbers_with_points_between_thousands():
    texts = column("1.{}.3")
    assert decorated_numbers(texts, versions=False) == Decorated(texts[0], "", alike=True)


def test_several_units():
    texts = [f"{i} {'kg' if i % 2 else 'g'}" for i in range(11)]
    assert decorated_numbers(texts) == Decorated("0 g", "several units", alike=False)
    texts = [*(f"{i} kg" for i in range(19)), "500 g"]
    assert decorated_numbers(texts) == Decorated("0 kg", "the unit 'kg'", alike=True)
    codes = [f"{1000 + i} {'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[i]}X" for i in range(26)]
    assert decorated_numbers(codes) is None, "as many units as values are codes"


def test_errors_may_differ():
    texts = [f"{i}±{i % 3}" for i in range(20)]
    assert decorated_numbers(texts) == Decorated("0±0", "'±0' after them", alike=True)


def test_nothing():
    assert decorated_numbers([]) is None
    assert decorated_numbers([], plain=20) is None


@pytest.mark.parametrize("sign", ["-", "+", "\u2212"])
def test_a_sign_is_a_part_of_the_number(sign):
    assert decorated_numbers(column(f"{sign}{{}},5")).what == ""
