"""The code of the documents runs, page by page, with few steps and folds: what it says about numbers is not checked.

The tutorials do not run here: the strict build of the site runs them, to show what they print (docs/hooks.py)."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path

import pytest
from sklearn import datasets

import mibounds as mi
from mibounds.estimation import densities
from mibounds.estimation.pairwise import column_matrix
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
COLUMNS = """
import torch
import mibounds as mi
x, y, z = torch.randn(3, {rows}, {dim}, generator=torch.Generator().manual_seed(0))
table = torch.cat([x[:, :1], y[:, :1]], 1)
"""
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
# What a page takes for granted: a reader's own data, or own loop.
BEFORE = {
    "docs/bounds.md": COLUMNS.format(rows=800, dim=3),
    "docs/index.md": COLUMNS.format(rows=400, dim=20),
    "docs/information-plane.md": LAYERS,
    "docs/regularize.md": LOOP.format(x_dim=16),
    "docs/why.md": COLUMNS.format(rows=800, dim=3) + "y = y[:, :1]\n",
    "docs/coming-from-the-original.md": COLUMNS.format(rows=800, dim=20)
    + "x_data, z_data, loss, beta = x, z, torch.zeros((), requires_grad=True), 0.1\n"
    + "x_batch, z_batch = x[:128].requires_grad_(), z[:128]\n",
}
BETWEEN = {
    ("README.md", 1): LOOP.format(x_dim=784),
    ("docs/index.md", 1): LOOP.format(x_dim=20),
    ("docs/how-an-estimate-is-made.md", 1): COLUMNS.format(rows=800, dim=20),
}


@pytest.fixture
def hasty(two_folds, one_regularization, monkeypatch, tmp_path):
    """Three steps, of flows too, two folds, few shuffled columns, partners and digits, and an empty folder."""
    filled = Recipe.filled
    monkeypatch.setattr(Recipe, "filled", lambda recipe, *sizes: filled(recipe.replace(steps=3), *sizes))
    monkeypatch.setattr(column_matrix, "_NULL_COLUMNS", (8, 8))
    monkeypatch.setattr(densities, "_COLUMNS", 1)
    few = datasets.load_digits(n_class=2)
    monkeypatch.setattr(datasets, "load_digits", lambda: few)
    monkeypatch.chdir(tmp_path)


def blocks(page):
    """The python of a page; a session keeps its input."""
    for block in re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL):
        entered = re.findall(r"^(?:>>>|\.\.\.) ?(.*)$", block, re.MULTILINE)
        yield "\n".join(entered) if entered else block


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", PAGES)
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


@pytest.mark.skipif(not (ROOT / "benchmarks").exists(), reason="an sdist has no measurements to link to")
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
