"""The reference: a page for each public function and class, made when the site is built.

A group is a page of docs/reference/ with the line <!-- list -->. The line becomes a table of its names with the first
sentences of their docstrings, and each name gets a page: the docstring, related names, guides and pictures. The names
are those of the `__all__` of a module, so that a new bound or task has its page without a change here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from docstrings import readable

import mibounds as mi

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

MARK = "<!-- list -->"


@dataclass(frozen=True)
class Group:
    """A page of docs/reference/, what its names are read from, and how the names are written in code."""

    module: Any
    names: tuple[str, ...]
    prefix: str
    members: dict[str, list[str]] = field(default_factory=dict)  # of a class, where not all are shown


ESTIMATION = (
    "estimate",
    "conditional",
    "bracket",
    "independence_test",
    "learning_curve",
    "matrix",
    "lagged",
    "transfer_entropy",
    "consistency",
)
TRAINING = (
    "Recipe",
    "Trainer",
    "Estimator",
    "MIEstimator",
    "Telescope",
    "FittedFolds",
    "load",
    "Standardize",
    "RankGaussianize",
    "Gaussianize",
    "sampler",
    "local_ranks",
)
LOOPS = ("MIRegularizer", "gradient_scale", "clipped_backward", "encoder_information", "InformationPlane")

GROUPS = {
    "estimation": Group(mi, ESTIMATION, "mi."),
    "results": Group(mi.results, tuple(mi.results.__all__), "mi.results."),
    "training": Group(mi, TRAINING, "mi.", {"Recipe": ["preset", "replace"]}),
    "representation": Group(mi, LOOPS, "mi."),
    "bounds": Group(mi.bounds, tuple(mi.bounds.__all__), "mi.bounds."),
    "critics": Group(mi.critics, tuple(mi.critics.__all__), "mi.critics."),
    "classical": Group(mi.classical, tuple(mi.classical.__all__), "mi.classical."),
    "integrations": Group(mi.integrations, tuple(mi.integrations.__all__), "mibounds.integrations."),
    "tasks": Group(
        mi.tasks, tuple(name for name in mi.tasks.__all__ if inspect.isclass(getattr(mi.tasks, name))), "mi.tasks."
    ),
}

RELATED = {
    "estimate": ("bracket", "independence_test", "learning_curve", "conditional", "Recipe", "Result"),
    "conditional": ("estimate", "transfer_entropy", "conditional_ksg", "ConditionalResult"),
    "bracket": ("estimate", "LeaveOneOut", "CLUB", "FlowCritic", "BracketResult"),
    "independence_test": ("estimate", "matrix", "IndependenceTestResult"),
    "learning_curve": ("estimate", "LearningCurveResult"),
    "matrix": ("estimate", "mi_regression", "mi_classification", "MatrixResult"),
    "lagged": ("transfer_entropy", "conditional", "LaggedResult"),
    "transfer_entropy": ("lagged", "conditional", "TransferEntropyResult"),
    "consistency": ("estimate", "ConsistencyResult"),
    "Recipe": ("estimate", "Trainer"),
    "Trainer": ("MIEstimator", "Telescope", "Recipe", "sampler"),
    "Estimator": ("MIEstimator", "Telescope", "Trainer"),
    "MIEstimator": ("Trainer", "Bound", "Critic"),
    "Telescope": ("Trainer", "Gaussianize"),
    "FittedFolds": ("load", "Result"),
    "load": ("FittedFolds",),
    "Standardize": ("RankGaussianize", "Gaussianize"),
    "RankGaussianize": ("Standardize", "Gaussianize"),
    "Gaussianize": ("RankGaussianize", "Telescope"),
    "sampler": ("Trainer",),
    "local_ranks": ("estimate", "Trainer"),
    "MIRegularizer": ("gradient_scale", "clipped_backward", "encoder_information", "LeaveOneOut", "MINE"),
    "gradient_scale": ("clipped_backward", "MIRegularizer"),
    "clipped_backward": ("gradient_scale", "MIRegularizer"),
    "encoder_information": ("MIRegularizer", "DensityCritic"),
    "InformationPlane": ("InformationPlaneMonitor", "encoder_information"),
    "InformationPlaneMonitor": ("InformationPlane",),
    "MutualInformation": ("estimate", "mi_regression", "mi_classification"),
    "mi_regression": ("mi_classification", "ksg", "matrix"),
    "mi_classification": ("mi_regression", "mixed_ksg", "matrix"),
    "ksg": ("mixed_ksg", "conditional_ksg", "estimate"),
    "mixed_ksg": ("ksg", "conditional_mixed_ksg"),
    "contingency": ("conditional_contingency", "entropy"),
    "gaussian_copula": ("gaussian_copula_full", "gaussian_copula_regularized", "gaussian"),
    "gaussian_copula_full": ("gaussian_copula_regularized", "student_copula"),
    "gaussian_copula_regularized": ("gaussian_copula_full", "student_copula"),
    "student_copula": ("gaussian_copula_full", "StudentCopulaCritic"),
    "InfoNCE": ("InfoNCEAnchor", "Interpolated", "NWJ"),
    "DonskerVaradhan": ("MINE", "NWJ", "SMILE"),
    "MINE": ("DonskerVaradhan", "MIRegularizer"),
    "LeaveOneOut": ("CLUB", "bracket"),
    "CLUB": ("LeaveOneOut", "bracket"),
}
GUIDES = {
    "estimate": (("Read a result", "read-a-result.md"), ("How an estimate is computed", "how-an-estimate-is-made.md")),
    "conditional": (("Conditional mutual information", "data.md#conditional-mutual-information"),),
    "bracket": (("A bracket", "bounds.md#a-bracket"), ("Picture", "gallery.md#lower-and-upper-bound")),
    "independence_test": (("Test of independence", "how-an-estimate-is-made.md#test-of-independence"),),
    "learning_curve": (("Picture", "gallery.md#learning-curve"),),
    "matrix": (("Every pair of a table", "matrix.md"), ("Picture", "gallery.md#every-pair-of-columns")),
    "lagged": (("Time series", "time-series.md"), ("Picture", "gallery.md#mutual-information-by-lag")),
    "transfer_entropy": (("Time series", "time-series.md"),),
    "consistency": (("Images whose information is unknown", "tasks.md#images-whose-information-is-unknown"),),
    "Recipe": (("Which recipe", "choose.md#which-recipe"),),
    "Trainer": (("Larger than memory", "data.md#larger-than-memory"),),
    "Telescope": (("Beyond ln N", "how-an-estimate-is-made.md#beyond-ln-n"),),
    "FittedFolds": (("Score pairs, save and load", "score-and-save.md"),),
    "load": (("Score pairs, save and load", "score-and-save.md"),),
    "sampler": (("Larger than memory", "data.md#larger-than-memory"),),
    "local_ranks": (("Many machines for one fit", "many-machines.md"),),
    "MIRegularizer": (
        ("Information in a training loop", "regularize.md"),
        ("Tutorial: regularize an encoder", "tutorials/information-bottleneck.md"),
        ("Tutorial: a GAN that keeps its modes", "tutorials/gan.md"),
        ("Picture", "gallery.md#a-gan-that-keeps-its-modes"),
    ),
    "InformationPlane": (
        ("The information plane", "information-plane.md"),
        ("Picture", "gallery.md#the-information-plane"),
    ),
    "MutualInformation": (("With scikit-learn", "scikit-learn.md"),),
    "mi_regression": (("With scikit-learn", "scikit-learn.md"),),
    "mi_classification": (("Tutorial: find which features matter", "tutorials/features.md"),),
    "Result": (("Read a result", "read-a-result.md"), ("HTML reports", "report.md")),
    "Bound": (("Tutorial: write a bound", "tutorials/your-own-bound.md"), ("The bounds", "bounds.md")),
}
OF_A_GROUP = {
    "bounds": ("The bounds", "bounds.md"),
    "critics": ("Choose a critic", "choose.md#compose-an-estimator"),
    "classical": ("Table of the classical estimators", "reference/classical.md"),
    "tasks": ("The tasks", "tasks.md"),
    "results": ("Read a result", "read-a-result.md"),
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of all names."""
    from mkdocs.structure.files import File

    for group, name in everything():
        files.append(File.generated(config, path(group, name), content=page(group, name)))
    return files


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages below those of their groups in the navigation, and the version beside the name of the site."""
    config.site_name = f"{config.site_name} {mi.__version__}"
    for part in config.nav or ():
        for i, entry in enumerate(part.get("Reference", ())):
            ((title, target),) = entry.items() if isinstance(entry, dict) else ((None, entry),)
            group = target.removeprefix("reference/").removesuffix(".md")
            if group in GROUPS and title:
                names = [{name: path(group, name)} for name in GROUPS[group].names]
                part["Reference"][i] = {title: [target, *names]}
    return config


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """The table of a group in the place of its mark."""
    group = page.file.src_uri.removeprefix("reference/").removesuffix(".md")
    return markdown.replace(MARK, table(group)) if group in GROUPS else markdown


def everything() -> Iterator[tuple[str, str]]:
    """Every group and name."""
    return ((key, name) for key, group in GROUPS.items() for name in group.names)


def path(group: str, name: str) -> str:
    """The page of a name, under docs/."""
    return f"reference/{group}/{name}.md"


def table(group: str) -> str:
    """Every name of a group with the first sentence of its docstring."""
    of = GROUPS[group]
    rows = [f"| [`{of.prefix}{name}`]({group}/{name}.md) | {summary(getattr(of.module, name))} |" for name in of.names]
    return "\n".join(["| name | what it is |", "|---|---|", *rows])


def summary(thing: object) -> str:
    """The first paragraph of a docstring, for a cell of a table."""
    first = readable(inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


def page(group: str, name: str) -> str:
    """The Markdown of a name's page."""
    of = GROUPS[group]
    thing = getattr(of.module, name)
    lines = [f"# {of.prefix}{name}", "", f"::: {thing.__module__}.{thing.__qualname__}", "    options:"]
    lines += ["      show_root_heading: false", "      show_root_toc_entry: false"]
    if name in of.members:
        lines.append(f"      members: [{', '.join(of.members[name])}]")
    lines += ["", "## See also", "", *map("- {}".format, related(group, name))]
    return "\n".join([*lines, ""])


def related(group: str, name: str) -> Iterator[str]:
    """Links to related names, guides and pictures, and to the group."""
    places = {other: (key, GROUPS[key].prefix) for key, other in everything()}
    for other in RELATED.get(name, ()):
        key, prefix = places[other]
        yield f"[`{prefix}{other}`](../{key}/{other}.md): {summary(getattr(GROUPS[key].module, other))}"
    guides = [*GUIDES.get(name, ()), *([OF_A_GROUP[group]] if group in OF_A_GROUP else [])]
    for title, target in dict(guides[::-1]).items():
        yield f"[{title}](../../{target})"
    yield f"[All names of this group](../{group}.md)"
