"""The code of the documents runs, page by page, with few steps and folds: what it says about numbers is not checked.

The tutorials do not run here: the strict build of the site runs them, to show what they print (docs/hooks.py)."""

import csv
import importlib.util
import json
import re
import shlex
import statistics
import sys
from pathlib import Path

import pytest
from sklearn import datasets

import mibounds as mi
from mibounds.estimation import densities
from mibounds.estimation.pairwise import column_matrix
from mibounds.tasks.everyday import FAMILIES
from mibounds.training.recipe import Recipe

ROOT = Path(__file__).parent.parent
TUTORIALS = sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/tutorials/**/*.md"))
PAGES = [
    "README.md",
    *sorted(
        name
        for name in (str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md"))
        if "```python" in (ROOT / name).read_text("utf-8") and name not in TUTORIALS
    ),
]
LOOP = """
import torch
import mibounds as mi
loader = [torch.randn(2, 32, {x_dim}) for _ in range(2)]
encoder = torch.nn.Linear({x_dim}, 16)
optimizer = torch.optim.Adam(encoder.parameters())
beta, step, x_shape, z_shape = 0.1, 0, {x_dim}, 16
def task_loss(z, y): return z.square().mean()
class writer: add_scalar = staticmethod(print)
"""
LAYERS = """
import lightning, torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset
class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Sequential(*[layer for _ in "12" for layer in (torch.nn.Linear(8, 8), torch.nn.ReLU())])
    def forward(self, x): return self.encoder(x)
    def training_step(self, batch, _): return cross_entropy(self(batch[0]), batch[1])
    def configure_optimizers(self): return torch.optim.Adam(self.parameters())
module = model = Module()
optimizer = torch.optim.Adam(model.parameters())
x_held_out, y_held_out = torch.randn(60, 8), torch.arange(60) % 3
loader = DataLoader(TensorDataset(x_held_out, y_held_out), batch_size=30)
class writer: add_scalar = staticmethod(print)
"""
STEP = """
loss, beta = torch.zeros((), requires_grad=True), 0.1
x_batch, z_batch = x_data[:128].requires_grad_(), z_data[:128]
"""
# What a page takes for granted, and says so: a reader's own loop. All data are made by the pages themselves.
BEFORE = {
    "docs/information-plane.md": LAYERS,
    "docs/regularize.md": LOOP.format(x_dim=16),
}
BETWEEN = {
    ("README.md", 1): LOOP.format(x_dim=784),
    ("docs/index.md", 1): LOOP.format(x_dim=20),
    ("docs/coming-from-the-original.md", 1): STEP,
}


@pytest.fixture
def hasty(two_folds, one_regularization, monkeypatch, tmp_path):
    """Three steps of small networks, two folds, few partners, shuffled columns and digits, and an empty folder."""
    filled, small = Recipe.filled, {"steps": 3, "hidden": (8,), "test_negatives": 32}
    monkeypatch.setattr(Recipe, "filled", lambda recipe, *sizes: filled(recipe.replace(**small), *sizes))
    monkeypatch.setattr(column_matrix, "_NULL_COLUMNS", (8, 8))
    monkeypatch.setattr(densities, "_COLUMNS", 1)
    few = datasets.load_digits(n_class=2)
    monkeypatch.setattr(datasets, "load_digits", lambda: few)
    monkeypatch.chdir(tmp_path)


def blocks(page):
    """The python of a page, loops of hundreds of steps with ten; a session keeps its input."""
    for block in re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        entered = re.findall(r"^(?:>>>|\.\.\.) ?(.*)$", block, re.MULTILINE)
        yield re.sub(r"(for step in range\()\d{3,}", r"\g<1>10", "\n".join(entered) if entered else block)


LONG = {"docs/gallery.md", "docs/time-series.md"}  # `make gallery` and permutations of 2,000 rows


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", [pytest.param(page, marks=[pytest.mark.slow] * (page in LONG)) for page in PAGES])
def test_the_code_of_a_page_runs(page, hasty):
    names = {"__name__": "page"}
    exec(BEFORE.get(page, ""), names)
    for i, block in enumerate(blocks(page)):
        exec(BETWEEN.get((page, i), ""), names)
        exec(compile(block, f"{page}, block {i + 1}", "exec"), names)
    assert mi.__version__


@pytest.mark.parametrize("page", TUTORIALS)
def test_the_build_runs_every_block_of_a_tutorial(page, monkeypatch):
    spec = importlib.util.spec_from_file_location("hooks_of_the_site", ROOT / "docs/hooks.py")
    hooks = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, hooks)
    spec.loader.exec_module(hooks)
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert re.search(r"^hooks:\n  - docs/hooks\.py", settings, re.MULTILINE)
    assert f"/{hooks.FOLDER}" in page
    assert page.removeprefix("docs/") in settings, f"{page} is not in the navigation"
    text = (ROOT / page).read_text("utf-8")
    fences = re.findall(r"^ *(?:`{3,}|~{3,}) *\{?\.?py.*$", text, re.MULTILINE | re.IGNORECASE)
    assert len(hooks.blocks(text)) == len(fences) > 1


MEASURED = pytest.mark.skipif(not (ROOT / "benchmarks").exists(), reason="an sdist has no measurements")


def text_of(page):
    """A page, line breaks as spaces."""
    return " ".join((ROOT / page).read_text("utf-8").split())


def stored(name):
    """The lines of a file of benchmarks/."""
    return [json.loads(line) for line in (ROOT / "benchmarks" / name).read_text("utf-8").splitlines()]


@MEASURED
def test_the_times_of_the_page_on_performance_are_those_measured(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks" / "speed")
    table = importlib.import_module("default").table(stored("speed/default.jsonl"))
    assert f"\n{table}\n" in (ROOT / "docs" / "performance.md").read_text("utf-8")
    page, rows = text_of("docs/performance.md"), stored("speed/rows.jsonl")
    first, last = rows[0], rows[-1]
    assert f"From {first['rows']:,} to {last['rows']:,} rows of 10 + 10 columns" in page
    assert f"increase from {first['cpu']:.0f} to {last['cpu']:.0f}" in page
    assert (
        f"{last['rows']:,} rows of 20 columns ({last['mb_of_data']:.0f} MB) take {last['mb_above_start']:,.0f} MB"
        in page
    )


@MEASURED
def test_the_table_of_everyday_relations_is_that_of_the_stored_results():
    page = (ROOT / "benchmarks" / "everyday" / "README.md").read_text("utf-8")
    everything = stored("everyday/results.jsonl")
    for n in (500, 2_000, 10_000):
        section = page.partition(f"## default, {n:,} samples")[2]
        families = {name: [repr(task) for task in tasks] for name, tasks in FAMILIES.items()}
        families["**all**"] = [name for names in families.values() for name in names]
        for family, names in families.items():
            fits = [fit for fit in everything if fit["n"] == n and fit["task"] in names]
            off = [fit["value"] - fit["truth"] for fit in fits]
            held = statistics.mean(fit["low"] <= fit["truth"] <= fit["high"] for fit in fits)
            cells = re.search(rf"^\| {re.escape(family)} \|(.*)\|$", section, re.MULTILINE)[1].split("|")
            said = [cells[i].strip() for i in (0, 2, 3, 4)]
            error = statistics.mean(map(abs, off))
            now = [str(len(names)), f"{error:.3f}", f"{statistics.mean(off):+.3f}", f"{held:.0%} of {len(fits)}"]
            assert said == now, family


@MEASURED
def test_the_errors_with_fifty_columns_are_those_of_the_stored_results():
    fits = {fit["n"]: fit for fit in stored("bmi40/results.jsonl") if "50x50" in fit["task"]}
    few, some, many = (abs(fits[n]["value"] - fits[n]["truth"]) for n in (200, 1_000, 10_000))
    said = (
        f"that share {fits[200]['truth']:.2f} nats, the error of the default is {few:.2f} nats at 200 rows, {some:.2f}"
    )
    assert f"{said} at 1,000 and {many:.3f} at 10,000" in text_of("docs/when-not.md")


def test_the_errors_below_the_figure_of_gaussians_are_those_of_its_table():
    said = re.search(r"is within ([\d.]+) % or ([\d.]+) nats everywhere", text_of("docs/why.md"))
    with (ROOT / "docs" / "figures" / "gaussians.csv").open() as file:
        for point in csv.DictReader(file):
            value, truth = float(point["value"]), float(point["truth"])
            assert abs(value - truth) <= max(float(said[1]) / 100 * truth, float(said[2]))


def test_the_bounds_that_are_not_of_the_original_are_counted():
    words = {12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen"}
    more = len(mi.bounds.__all__) - 4  # the base class and the three of the original
    assert f"and [{words[more]} more](bounds.md)" in text_of("docs/coming-from-the-original.md")


@MEASURED
def test_links_between_documents_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.glob("benchmarks/*/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), (
                    f"{page.relative_to(ROOT)} links to {target}, which is not there."
                )


COMMANDS = [
    (name, command)
    for name in ["README.md", *sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md"))]
    for block in re.findall(r"^```bash\n(.*?)^```", (ROOT / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for command in block.splitlines()
    if re.search(r"\bmibounds [a-z]", command)
]


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=lambda text: text[-60:])
def test_commands_of_a_page_exist_with_their_options(page, command):
    from typer.main import get_command

    from mibounds.cli.main import app

    words = shlex.split(command.partition(" #")[0])
    words = words[words.index("mibounds") + 1 :]
    known = get_command(app)
    while hasattr(known, "commands") and words and words[0] in known.commands:
        known = known.commands[words.pop(0)]
    stray = words[:1] if hasattr(known, "commands") and not words[0].startswith("-") else []
    assert not stray, f"{page}: there is no command {stray}"
    options = {option for parameter in known.params for option in (*parameter.opts, *parameter.secondary_opts)}
    used = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert used <= options, f"{page}: {known.name} has no option {sorted(used - options)}"


def test_the_reference_lists_every_public_name(monkeypatch):
    pytest.importorskip("griffe")
    monkeypatch.syspath_prepend(ROOT / "docs")
    api = importlib.import_module("api")
    generated = (f"{api.GROUPS[group].module.__name__}.{name} " for group, name in api.everything())
    text = "".join([*generated, *(page.read_text("utf-8") for page in ROOT.glob("docs/reference/*.md"))])
    listed = set(re.findall(r"[\w.]+", text))
    namespaces = {"__version__", "bounds", "classical", "critics", "integrations", "results", "tasks", "warnings"}
    public = {*mi.__all__, *mi.results.__all__, *mi.classical.__all__, *mi.integrations.__all__} - namespaces
    missing = {name for name in public if not any(one.endswith(f".{name}") for one in listed)}
    assert not missing, f"docs/reference does not list {sorted(missing)}"
