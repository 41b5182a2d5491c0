import csv
import math
from pathlib import Path

import joblib
import pytest
import torch

from mibounds.demos.gaussians import FULL, Scale, draw, measure, original_recipe, read_points, table
from mibounds.tasks import CorrelatedGaussian

TINY = Scale((-0.5, 0.9), rows=1000, epochs=1, steps=10)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")
def test_a_run_draws_and_goes_on_where_it_stopped(two_folds, tmp_path):
    path = tmp_path / "plots" / "curve.png"
    heard = []
    with joblib.parallel_config(backend="threading"):  # processes take seconds to start
        points = list(measure(TINY, done=heard.append))
    assert [p.rho for p in points] == [-0.5, 0.9]
    assert points[0].truth == pytest.approx(2.877, abs=1e-3)
    assert points[0].value == pytest.approx(2.877, rel=0.2)
    assert points[0].low < points[0].value < points[0].high
    assert len(heard) == 4
    assert heard[1] == "rho -0.50: the original recipe with three bounds"
    draw(points[:1], TINY, 0, path)
    assert path.stat().st_size > 10_000
    with path.with_suffix(".csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["rows"], row["seed"]) == ("1000", "0")
    heard.clear()
    with joblib.parallel_config(backend="threading"):
        again = list(measure(TINY, done=heard.append, points=read_points(path, TINY, 0)))
    assert again == points
    assert len(heard) == 2  # only the second point was measured again
    assert read_points(path, TINY, seed=1) == []
    of_another_version = path.with_suffix(".csv").read_text().replace("method", "estimator")
    path.with_suffix(".csv").write_text(of_another_version)
    assert read_points(path, TINY, seed=0) == []
    text = table(points, TINY)
    assert "+0.90" in text
    assert "InfoNCE" in text


def test_the_published_table_has_the_columns_of_a_point():
    published = Path(__file__).parents[2] / "docs/figures/gaussians.png"
    points = read_points(published, FULL, seed=0)
    assert [point.rho for point in points] == list(FULL.correlations)


def test_the_original_recipe_is_trained_and_meets_its_ceiling():
    x, y = CorrelatedGaussian(20, 0.95).sample(4096, torch.Generator().manual_seed(0))
    values = {name: original_recipe(name, x, y, epochs=4) for name in ("MINE", "NWJ", "InfoNCE")}
    assert 1 < values["InfoNCE"] < math.log(128)
    assert values["MINE"] > 0.5
    assert values["NWJ"] > 0.5
    assert original_recipe("NWJ", x[:512], y[:512], 1) == original_recipe("NWJ", x[:512], y[:512], 1)
