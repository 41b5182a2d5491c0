"""A missing extra gives one sentence that says what to install."""

import subprocess
import sys

import pytest

from mibounds._extras import MissingExtraError, require

# What each extra is for, the packages that it installs, and code that needs them.
USES = {
    "cli": ("typer", "from mibounds.cli import run; run()"),
}


def test_an_installed_module_is_returned():
    assert require("numpy.linalg", extra="plots", purpose="This").__name__ == "numpy.linalg"


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "zuko", None)
    monkeypatch.delitem(sys.modules, "zuko.flows", raising=False)
    with pytest.raises(MissingExtraError) as caught:
        require("zuko.flows", extra="flows", purpose="FlowCritic")
    assert str(caught.value) == 'FlowCritic needs zuko: pip install "mibounds[flows]".'
    assert caught.value.name == "zuko"
    assert isinstance(caught.value, ImportError)


def test_a_fault_of_an_installed_package_is_not_hidden(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import a_dependency_that_is_missing")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="a_dependency_that_is_missing") as caught:
        require("broken_package", extra="plots", purpose="This")
    assert not isinstance(caught.value, MissingExtraError)
