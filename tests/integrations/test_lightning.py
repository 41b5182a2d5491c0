import copy
import csv
import importlib.util
import math
import sys

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

pytest.importorskip("lightning")
pytestmark = pytest.mark.filterwarnings("ignore")  # Lightning's advice on workers and loggers


@pytest.fixture(scope="module")
def lightning():
    import lightning.pytorch

    return lightning.pytorch


@pytest.fixture
def module(lightning):
    class Classifier(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5))
            self.head = nn.Linear(8, 2)

        def forward(self, x):
            return self.head(self.encoder(x))

        def training_step(self, batch, _):
            x, y = batch
            assert self.encoder[2].training
            return cross_entropy(self(x), y)

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), 1e-2)

    torch.manual_seed(0)
    return Classifier()


def rows():
    x = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
    return x, (x[:, 0] > 0).long()


@pytest.fixture
def fit(lightning, tmp_path):
    def run(module, callbacks, epochs=2, logger=False, ckpt_path=None, **options):
        torch.manual_seed(1)
        trainer = lightning.Trainer(
            max_epochs=epochs, accelerator="cpu", logger=logger, callbacks=callbacks, enable_progress_bar=False,
            enable_model_summary=False, enable_checkpointing=False, default_root_dir=tmp_path, **options,
        )  # fmt: skip
        loader = DataLoader(TensorDataset(*rows()), batch_size=50, shuffle=True)
        trainer.fit(module, loader, ckpt_path=ckpt_path)
        return trainer

    return run


@pytest.fixture
def monitor():
    from mibounds.integrations import InformationPlaneMonitor

    def build(layers=("encoder.1", "head"), **options):
        return InformationPlaneMonitor([*layers], *rows(), **options)

    return build


def steps(watching):
    return sorted({point.step for point in watching.history})


def test_an_epoch_logs_the_names(lightning, fit, module, monitor, tmp_path):
    watching = monitor()
    with pytest.raises(ValueError, match="train with this callback"):
        watching.plot()
    trainer = fit(module, [watching], epochs=1, logger=lightning.loggers.CSVLogger(tmp_path))
    names = [f"{kind}/{layer}" for layer in ("encoder.1", "head") for kind in ("I(X;Z)", "I(X;Z) upper", "I(Z;Y)")]
    assert sorted(trainer.callback_metrics) == sorted(names)
    assert steps(watching) == [0, 1]
    last = watching.history[-1]
    assert float(trainer.callback_metrics["I(Z;Y)/head"]) == pytest.approx(last.z_y)
    assert 0 < last.z_y < math.log(2)
    with (tmp_path / "lightning_logs/version_0/metrics.csv").open() as file:
        written = list(csv.DictReader(file))
    assert [float(row["I(X;Z)/head"]) for row in written] == pytest.approx(
        [point.x_z for point in watching.history if point.layer == "head"]
    )
    assert watching.plot().axes[0].get_xlabel().startswith("I(X;Z)")


def test_every_few_epochs_and_the_last(fit, module, monitor):
    watching = monitor(every=2)
    fit(module, [watching], epochs=5)
    assert steps(watching) == [0, 2, 4, 5]
    watching = monitor(every=2)
    fit(module, [watching], epochs=-1, max_steps=12)  # four steps an epoch
    assert steps(watching) == [0, 2, 3]


def test_the_training_is_unchanged(fit, module, monitor):
    start = {name: value.clone() for name, value in module.state_dict().items()}
    fit(module, [])
    alone = {name: value.clone() for name, value in module.state_dict().items()}
    module.load_state_dict(start)
    fit(module, [monitor()])
    assert all(torch.equal(value, alone[name]) for name, value in module.state_dict().items())


def test_a_checkpoint_keeps_the_history(fit, module, monitor, tmp_path):
    watching = monitor()
    fit(module, [watching], epochs=1).save_checkpoint(tmp_path / "one.ckpt")
    torch.load(tmp_path / "one.ckpt", weights_only=True)  # nothing in it that only a pickle could hold
    resumed = monitor()
    fit(module, [resumed], epochs=2, ckpt_path=tmp_path / "one.ckpt")
    assert resumed.history[:4] == watching.history
    assert [point.step for point in resumed.history] == [0, 0, 1, 1, 2, 2]


def test_another_module_begins_its_own_history(fit, module, monitor):
    watching = monitor()
    fit(module, [watching], epochs=1)
    first = watching.history
    fit(copy.deepcopy(module), [watching], epochs=1)
    assert steps(watching) == [0, 1]
    assert len(watching.history) == len(first) == 4
    fit(watching.plane.model, [watching], epochs=1)
    assert len(watching.history) == 6


@pytest.mark.parametrize("first", [True, False])
def test_early_stopping_finds_the_last_measurement(lightning, fit, module, monitor, first):
    watching = monitor(every=3)
    stopping = lightning.callbacks.EarlyStopping("I(Z;Y)/head", mode="max", patience=5, check_on_train_epoch_end=True)
    fit(module, [watching, stopping] if first else [stopping, watching], epochs=4)
    assert steps(watching) == [0, 3, 4]


def test_an_unknown_layer_ends_it_before_training(fit, module, monitor):
    with pytest.raises(ValueError, match=r"Classifier has no layer 'encoder.9'; its layers are 'encoder', 'encoder.0'"):
        fit(module, [monitor(["encoder.9"])])


def test_wrong_arguments_are_refused_at_once(monitor):
    with pytest.raises(TypeError, match=r"InformationPlaneMonitor has no argument 'nois'. Did you mean 'noise'\?"):
        monitor(nois=0.1)
    with pytest.raises(ValueError, match="every is 0: expected a whole number of at least 1"):
        monitor(every=0)
    with pytest.raises(TypeError, match="every is 1.5"):
        monitor(every=1.5)


def test_options_are_those_of_the_plane(fit, module, monitor):
    watching = monitor(noise=0.5, names=("I_XZ", "I_ZY"))
    trainer = fit(module, [watching], epochs=1)
    assert watching.plane.noise == 0.5
    assert "I_ZY/head" in trainer.callback_metrics


def test_without_lightning_a_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightning.pytorch", None)
    spec = importlib.util.find_spec("mibounds.integrations.lightning")
    with pytest.raises(ImportError, match="pip install lightning"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
