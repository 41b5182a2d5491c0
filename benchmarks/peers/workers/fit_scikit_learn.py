"""One value of scikit-learn's nearest neighbors, for one column against one."""

import numpy as np
from sklearn.feature_selection import mutual_info_regression

import report


def _neighbors(x: np.ndarray, y: np.ndarray, seed: int) -> float:
    return mutual_info_regression(x, y[:, 0], random_state=seed).item()


if __name__ == "__main__":
    report.main({"mutual_info_regression": _neighbors}, "scikit-learn")
