"""Options of settings: everything about them comes from the fields of `Recipe`."""

import dataclasses
import inspect
from pathlib import Path
from typing import get_args

import pytest
import typer
from typer.testing import CliRunner

from mibounds.choices import bound_names
from mibounds.cli.settings import BLOCKS, TRAINING, recipe_from, recipe_options, setting_help
from mibounds.training import recipe as recipes
from mibounds.training.recipe import Recipe

FIELDS = {one.name: one for one in dataclasses.fields(Recipe)}
ALL = [name for name in FIELDS if name != "cv"]


@pytest.fixture
def run():
    """Runs a command with options for all settings, and returns the settings that it received, or the output."""

    def call(*arguments, names=ALL, **options):
        received = {}
        app = typer.Typer()

        @app.command()
        @recipe_options(*names, **options)
        def command(unit: str = "nats", **settings):
            received.update(unit=unit, settings=settings)

        done = CliRunner().invoke(app, [*arguments])
        return received if done.exit_code == 0 else done.output

    return call


def test_options_have_the_names_and_the_help_of_the_fields():
    @recipe_options(*ALL)
    def command(**settings):
        """Nothing."""

    parameters = inspect.signature(command).parameters
    assert list(parameters) == ["preset", *ALL]
    for name in ALL:
        option = get_args(parameters[name].annotation)[-1]
        flag = option.param_decls[0] if option.param_decls else option.default
        assert flag == f"--{name.replace('_', '-')}"
        assert option.help == setting_help(name)
        assert option.help.startswith(FIELDS[name].metadata["help"].rstrip("."))


def test_help_has_the_defaults_and_some_bounds():
    assert setting_help("lr") == "Peak learning rate; by default 0.002."
    assert setting_help("hidden").endswith("; by default 128,128,128.")
    assert setting_help("steps") == "Training steps of a fold."
    names = setting_help("bound").split("such as ")[1].split("; ")[0].replace(" or ", ", ").split(", ")
    assert {*names} <= {*bound_names()}


def test_settings_that_are_not_given_are_absent(run):
    assert run() == {"unit": "nats", "settings": {}}
    assert run("--unit", "bits", "--steps", "5")["settings"] == {"steps": 5}
    assert run("--gap", "0", "--seed", "0")["settings"] == {"gap": 0, "seed": 0}  # zero is not nothing


def test_values_have_the_types_of_the_fields(run):
    given = run(
        "--hidden", "8,16", "--lr", "0.1", "--checkpoint", "run", "--resume", "--test-negatives", "64",
        "--bound", "nwj", "--folds", "3", "--preset", "quick",
    )["settings"]  # fmt: skip
    assert given["checkpoint"] == Path("run")
    assert given["resume"] is True
    recipe = recipe_from(given, progress=True)
    assert (recipe.hidden, recipe.lr, recipe.test_negatives, recipe.bound) == ((8, 16), 0.1, 64, "nwj")
    assert (recipe.steps, recipe.folds, recipe.progress) == (60, 3, True)  # 60 steps are the preset's
    assert recipe_from({"test_negatives": "all"}).test_negatives == "all"
    assert recipe_from({}) == Recipe()


@pytest.mark.parametrize("arguments", [("--steps", "ten"), ("--preset", "slow"), ("--cv", "5")])
def test_other_values_and_options_are_refused(run, arguments):
    assert isinstance(run(*arguments), str)


def test_presets_are_those_of_the_recipe(run):
    for name in recipes._PRESETS:
        assert recipe_from(run("--preset", name)["settings"]) == Recipe.preset(name)
    assert "No such option" in run("--preset", "quick", preset=False)


def test_a_setting_without_a_type_has_no_option():
    with pytest.raises(TypeError, match="cv is a setting that no option can have"):
        recipe_options("cv")(lambda **settings: None)


def test_a_recipe_of_wrong_values_is_refused():
    with pytest.raises(ValueError, match="--hidden is 'wide': expected whole numbers"):
        recipe_from({"hidden": "wide"})
    with pytest.raises(ValueError, match="steps is 0"):
        recipe_from({"steps": 0})


def test_every_group_of_settings_is_of_fields():
    assert {*TRAINING, *BLOCKS} <= {*ALL}
