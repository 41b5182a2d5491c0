"""The peers by name: which environment runs which worker script, and with which setting."""

from typing import NamedTuple

from environments import OURS


class Peer(NamedTuple):
    """How a fit is started: `PYTHON workers/WORKER SETTING ARRAYS SEED`.

    Attributes:
        environment: its name in `environments.PINS`, or `OURS`.
        worker: the script.
        setting: which of the script's estimators.
        plane_only: it takes one column of x and one of y and no more.
    """

    environment: str
    worker: str
    setting: str
    plane_only: bool = False


PEERS: dict[str, Peer] = {
    "mibounds": Peer(OURS, "fit_mibounds.py", "default"),
    "mibounds fast": Peer(OURS, "fit_mibounds.py", "fast"),
    "mibounds quick": Peer(OURS, "fit_mibounds.py", "quick"),
    "torch-mist": Peer("torch-mist", "fit_torch_mist.py", "defaults"),
    "torch-mist held out": Peer("torch-mist", "fit_torch_mist.py", "held out"),
    "torch-mist tuned": Peer("torch-mist", "fit_torch_mist.py", "tuned"),
    "benchmark-mi InfoNCE": Peer("benchmark-mi", "fit_benchmark_mi.py", "InfoNCE"),
    "benchmark-mi InfoNCE tuned": Peer("benchmark-mi", "fit_benchmark_mi.py", "InfoNCE tuned"),
    "benchmark-mi KSG": Peer("benchmark-mi", "fit_benchmark_mi.py", "KSG"),
    "benchmark-mi CCA": Peer("benchmark-mi", "fit_benchmark_mi.py", "CCA"),
    "scikit-learn": Peer(OURS, "fit_scikit_learn.py", "mutual_info_regression", plane_only=True),
}
"""In the order in which they take turns."""
