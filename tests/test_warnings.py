"""Every class is complete and documented, and warnings are attributed to the line of user code."""

import copy
import json
import pickle
import runpy
import textwrap
import threading
import time
import warnings as python_warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import pytest
import torch

import mibounds.warnings as mi_warnings
from mibounds.warnings import (
    IdentifierWarning,
    MIWarning,
    TiesWarning,
    by_code,
    issue,
    warning_from,
)

ROOT = Path(__file__).parent.parent
SOURCE = Path(mi_warnings.__file__)
KINDS = [member for name in mi_warnings.__all__ if isinstance(member := getattr(mi_warnings, name), type)]
COMMAND = "python -W ignore -m mibounds.warnings > docs/warnings.md"


@pytest.fixture
def classes(monkeypatch):
    """Classes that a test defines are forgotten after it."""
    monkeypatch.setattr(mi_warnings, "_BY_CODE", by_code())


# The classes.


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_class_says_when_it_is_issued_and_what_to_do(kind):
    assert issubclass(kind, MIWarning)
    assert issubclass(kind, UserWarning)
    assert kind.__doc__
    assert kind is MIWarning or "\n" not in kind.__doc__
    for text in (kind.condition, kind.remedy):
        assert text[0].isupper() or text[0] == "`"
        assert text.endswith(".")
    assert kind is MIWarning or kind.group in mi_warnings._HEADINGS


def test_all_classes_are_exported_and_codes_are_distinct():
    library = {kind for kind in by_code().values() if kind.__module__ == mi_warnings.__name__}
    assert library == {kind for kind in KINDS if kind is not MIWarning}
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    assert {"identifier", "rare-categories", "amplified", "bounds-disagree"} <= by_code().keys()
    assert list(by_code()) == list(by_code())
    assert all(kind.code == code for code, kind in by_code().items())


def test_the_codes_are_a_copy():
    by_code().clear()
    assert by_code()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_warning_survives_json_pickling_and_copying(kind):
    warning = kind("20 of 100 rows")
    assert warning.to_dict() == {"code": kind.code, "message": "20 of 100 rows"}
    for back in (
        warning_from(json.loads(json.dumps(warning.to_dict()))),
        pickle.loads(pickle.dumps(warning)),
        copy.copy(warning),
        copy.deepcopy(warning),
    ):
        assert type(back) is kind
        assert str(back) == "20 of 100 rows"
        assert back.code == kind.code


def test_an_unknown_code_is_kept():
    record = {"code": "of-the-future", "message": "m"}
    warning = warning_from(record)
    assert type(warning) is MIWarning
    for back in (warning, pickle.loads(pickle.dumps(warning)), copy.copy(warning)):
        assert back.to_dict() == record
    assert MIWarning.code == "mi"


@pytest.mark.parametrize("missing", ["code", "condition", "remedy"])
@pytest.mark.parametrize("value", [None, " ", 3])
def test_a_subclass_is_complete(missing, value, classes):
    body = {"code": "new", "condition": "Always.", "remedy": "None.", missing: value}
    with pytest.raises(TypeError, match=f"New has no {missing}"):
        type("New", (MIWarning,), body)
    del body[missing]
    with pytest.raises(TypeError, match=f"New has no {missing}"):
        type("New", (TiesWarning,), body)
    assert "new" not in by_code()


@pytest.mark.parametrize(("code", "other"), [("ties", "TiesWarning"), ("mi", "MIWarning")])
def test_a_code_is_used_once(code, other, classes):
    with pytest.raises(TypeError, match=f"has the code '{code}' of {other}: give it another"):
        type("New", (MIWarning,), {"code": code, "condition": "Always.", "remedy": "None."})
    assert by_code()["ties"] is TiesWarning


def test_a_class_of_a_user_may_be_defined_again(classes):
    def define():
        class Own(MIWarning, group="own"):
            """Defined by a user."""

            code = "own"
            condition = "Always."
            remedy = "None."

        return Own

    first, second = define(), define()
    assert first is not second
    assert list(by_code().items())[-1] == ("own", second)
    assert type(warning_from({"code": "own", "message": "m"})) is second
    assert second.group == "own"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not MIWarning], ids=lambda kind: kind.code)
def test_there_is_a_test_of_what_issues_it(kind):
    """In the tests of what computes, not in those of what prints."""
    folders = ("data", "estimation", "training", "representation", "integrations")
    files = [file for folder in folders for file in (ROOT / "tests" / folder).rglob("test_*.py")]
    assert any(
        kind.__name__ in text or f'"{kind.code}"' in text for text in (file.read_text("utf-8") for file in files)
    )


# The page.


@pytest.mark.skipif(not (ROOT / "docs").exists(), reason="a wheel has no documentation")
def test_the_page_is_current(capsys):
    runpy.run_path(str(SOURCE), run_name="__main__")
    printed = capsys.readouterr().out
    assert (ROOT / "docs" / "warnings.md").read_text("utf-8") == printed, f"run {COMMAND}"
    assert COMMAND in printed


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not MIWarning], ids=lambda kind: kind.code)
def test_the_page_has_a_row_and_an_anchor_for_each_class(kind):
    (row,) = (line for line in mi_warnings._page().splitlines() if f'<a id="{kind.code}">' in line)
    assert f"`{kind.__name__}`" in row
    assert kind.condition.replace("|", "\\|") in row
    assert kind.remedy in row
    assert row.replace("\\|", "").count("|") == 4


def test_the_page_leaves_out_the_classes_of_users(classes):
    before = mi_warnings._page()
    type("Own", (MIWarning,), {"code": "own", "condition": "Always.", "remedy": "None."})
    assert mi_warnings._page() == before


# The line.


def inside(package_file, source, **names):
    """The function `verb` of a file of the package that is not there."""
    names = {"__name__": f"mibounds.{Path(package_file).stem}", "issue": issue, **names}
    exec(compile(textwrap.dedent(source), str(SOURCE.parent / package_file), "exec"), names)
    return names["verb"]


DIRECT = """
def verb(warnings):
    issue(warnings)
"""


def run(source, verb=None, name="user", file="user.py", action="always", **names):
    """Run user code, and give the file and the line of each warning that is shown."""
    names = {"__name__": name, "verb": verb or inside("fake.py", DIRECT), "ties": TiesWarning("ties"), **names}
    with python_warnings.catch_warnings(record=True) as shown:
        python_warnings.simplefilter(action)
        exec(compile(textwrap.dedent(source), file, "exec"), names)
    return [(one.filename, one.lineno) for one in shown]


def test_at_module_level():
    assert run("\n\nverb(ties)") == [("user.py", 3)]
    assert run("\n\nverb(ties)", file="<ipython-input-1>", name="__main__") == [("<ipython-input-1>", 3)]


def test_in_nested_functions_and_methods():
    source = """\
    def outer():
        def inner():
            verb(
                ties
            )
        inner()

    class Analysis:
        def run(self):
            outer()
            return verb(ties)

    Analysis().run()
    """
    assert run(source) == [("user.py", 3), ("user.py", 11)]


def test_the_warning_has_its_class_and_message():
    with pytest.warns(TiesWarning, match="^some$") as caught:
        inside("fake.py", DIRECT)(TiesWarning("some"))
    assert [one.filename for one in caught] == [__file__]
    assert str(caught[0].message) == "some"


def test_through_several_layers_of_the_package():
    inner = inside("training/fake.py", DIRECT)
    middle = inside(
        "estimation/fake.py",
        """
        from contextlib import contextmanager

        @contextmanager
        def context(warnings):
            inner(warnings)
            yield

        def verb(warnings):
            with context(warnings):
                [inner(one) for one in [warnings]]
        """,
        inner=inner,
    )
    outer = inside("fake.py", "verb = lambda warnings: middle(warnings)", middle=middle)
    assert run("\nverb(ties)", outer) == [("user.py", 2)] * 2


def test_a_callback_of_the_user_is_user_code():
    verb = inside("fake.py", "def verb(callback): callback()")
    source = """\
    def callback():
        issue(ties)

    verb(callback)
    """
    assert run(source, verb, issue=issue) == [("user.py", 2)]


def test_another_library_is_user_code():
    library = {"__name__": "library.search", "verb": inside("fake.py", DIRECT)}
    exec(compile("def search(warnings):\n    verb(warnings)", "library/search.py", "exec"), library)
    assert run("search(ties)", search=library["search"]) == [("library/search.py", 2)]


@pytest.mark.parametrize("library", ["sklearn.model_selection._validation", "joblib.parallel", "torch.nn.modules"])
def test_a_library_that_runs_the_package_for_the_user_is_not_user_code(library):
    runner = {"__name__": library, "verb": inside("fake.py", DIRECT)}
    exec(compile("def fit_and_score(warnings):\n    verb(warnings)", "site-packages/library.py", "exec"), runner)
    assert run("\nfit_and_score(ties)", fit_and_score=runner["fit_and_score"]) == [("user.py", 2)]


def test_a_folder_whose_name_begins_like_the_package_is_user_code():
    file = f"{SOURCE.parent}_examples/user.py"
    assert run("verb(ties)", file=file) == [(file, 1)]


def test_a_module_of_torch_is_not_user_code():
    class Penalty(torch.nn.Module):
        forward = staticmethod(inside("fake.py", DIRECT))

    assert run("\npenalty(ties)", penalty=Penalty()) == [("user.py", 2)]


def test_a_hook_of_autograd_leads_to_the_call_of_backward():
    value = torch.ones((), requires_grad=True)
    verb = inside("fake.py", DIRECT)
    value.register_hook(lambda _: None)
    hook = inside("fake.py", "verb = lambda gradient: verb_(TiesWarning('ties'))", verb_=verb, TiesWarning=TiesWarning)
    value.register_hook(hook)
    assert run("\n\nvalue.backward()", value=value) == [("user.py", 3)]


@pytest.mark.parametrize("runner", ["thread", "futures", "joblib"])
def test_in_a_worker_thread_the_line_that_waits_for_it(runner):
    verb = inside("fake.py", DIRECT)

    def thread(warnings):
        worker = threading.Thread(target=verb, args=(warnings,))
        worker.start()
        worker.join()

    def futures(warnings):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(verb, warnings).result()

    def joblib_threads(warnings):
        joblib.Parallel(n_jobs=2, prefer="threads")(joblib.delayed(verb)(one) for one in [warnings, []])

    waits = {"thread": thread, "futures": futures, "joblib": joblib_threads}[runner]
    (found,) = run("\nwait(ties)", wait=waits)
    assert found[0] == __file__  # this file is the user that waits


def test_in_a_worker_thread_whose_package_function_waits():
    source = """
    import threading

    def verb(warnings):
        worker = threading.Thread(target=issue_, args=(warnings,))
        worker.start()
        worker.join()
    """
    verb = inside("fake.py", source, issue_=inside("training/fake.py", DIRECT))
    assert run("\n\nverb(ties)", verb) == [("user.py", 3)]


def test_in_a_thread_that_nobody_waits_for_the_line_of_the_package():
    started, done = [], []
    # The thread must begin in the package: a function of this file would be user code.
    source = "def verb(_):\n    while not started:\n        sleep(0.001)\n    issue(ties)\n    done.append(True)"
    verb = inside("fake.py", source, started=started, done=done, sleep=time.sleep, ties=TiesWarning("ties"))
    worker = threading.Thread(target=verb, args=(None,))
    with python_warnings.catch_warnings(record=True) as shown:
        python_warnings.simplefilter("always")
        worker.start()
        started.append(True)
        while not done:
            time.sleep(0.001)
        worker.join()
    assert [(one.filename, one.lineno) for one in shown] == [(str(SOURCE.parent / "fake.py"), 4)]


# The filters.


def test_several_warnings_or_none():
    assert run("verb([ties, identifier])", identifier=IdentifierWarning("i")) == [("user.py", 1)] * 2
    assert run("verb(one for one in (ties,))") == [("user.py", 1)]
    assert run("verb([])") == run("verb(())") == []


def test_the_default_filter_shows_a_line_once():
    source = """\
    for _ in range(3):
        verb(ties)
        verb(ties)
    verb(type(ties)('other')); verb(type(ties)('another'))
    """
    expected = [("user.py", 2), ("user.py", 3), ("user.py", 4), ("user.py", 4)]
    assert run(source, action="default") == expected
    assert len(run(source, action="module")) == 3
    assert len(run(source, action="once")) == 3
    assert len(run(source, action="always")) == 8
    assert run(source, action="ignore") == []


def test_the_registry_is_that_of_the_module_of_the_user():
    names = {}
    run("verb(ties); global_names.update(globals())", action="default", global_names=names)
    assert any(key[1] is TiesWarning for key in names["__warningregistry__"] if isinstance(key, tuple))


def test_an_error_filter_raises_at_the_first_one():
    with pytest.raises(TiesWarning, match="ties"):
        run("verb([ties, identifier])", action="error", identifier=IdentifierWarning("i"))


def test_a_class_is_ignored_and_a_module_is_filtered():
    source = """\
    import warnings
    warnings.filterwarnings("ignore", category=TiesWarning)
    verb([ties, identifier])
    warnings.filterwarnings("ignore", module="^analysis$")
    verb([ties, identifier])
    """
    names = {"TiesWarning": TiesWarning, "identifier": IdentifierWarning("i"), "name": "analysis"}
    assert run(source, **names) == [("user.py", 3)]


def test_code_without_a_module_name():
    assert run("del __name__; verb(ties)") == [("user.py", 1)]


# The functions of the package.

SCRIPT = """
import warnings
import torch
import mibounds as mi

x = torch.stack([torch.randn(60), torch.ones(60)], 1)
y, z = torch.randn(2, 60)
tiny = {"steps": 2, "folds": 2, "hidden": (8,), "learners": False}

mi.estimate(x, y, **tiny)  # here

def measure():
    return [mi.estimate(x, y, **tiny) for _ in range(2)]  # here

class Analysis:
    def run(self):
        measure()
        mi.conditional(x, y, z, **tiny)  # here

Analysis().run()
exec(compile("\\nmi.estimate(x, y, **tiny)", "<ipython-input-1>", "exec"))
warnings.simplefilter("error", mi.warnings.ConstantColumnWarning)
try:
    mi.estimate(x, y, **tiny)
except mi.warnings.ConstantColumnWarning:
    print("raised")
"""


def test_warnings_of_the_package_name_the_lines_of_a_script(tmp_path, capsys):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    with python_warnings.catch_warnings(record=True) as caught:
        python_warnings.simplefilter("default")
        runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out == "raised\n"
    shown = [(one.filename, str(one.lineno), one.category.__name__) for one in caught]
    assert {file for file, *_ in shown} == {str(script), "<ipython-input-1>"}
    here = [str(i) for i, line in enumerate(SCRIPT.splitlines(), 1) if line.endswith("# here")]
    constant = [(file, line) for file, line, kind in shown if kind == "ConstantColumnWarning"]
    # Once or more: catch_warnings, which scikit-learn enters, makes Python forget what was shown.
    assert list(dict.fromkeys(constant)) == [*((str(script), line) for line in here), ("<ipython-input-1>", "2")]
