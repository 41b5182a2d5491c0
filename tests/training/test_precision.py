import pytest
import torch

import mibounds as mi
from mibounds.critics import JointCritic, SeparableCritic, WithOffset
from mibounds.tasks import CorrelatedGaussian

TASK = CorrelatedGaussian(2, 0.8)  # 1.02 nats


class Watched(SeparableCritic):
    """Records the precision of hidden layers and scores, in training and in evaluation."""

    def __init__(self):
        super().__init__(2, 2, hidden=(64, 64))
        self.hidden, self.scores = {True: set(), False: set()}, {True: set(), False: set()}

    def encode_x(self, x):
        layer = self.tower_x.layers[1]
        note = layer.register_forward_hook(lambda _, __, out: self.hidden[self.training].add(out.dtype))
        try:
            return super().encode_x(x)
        finally:
            note.remove()

    def combine(self, hx, hy):
        scores = super().combine(hx, hy)
        self.scores[self.training].add(scores.dtype)
        return scores

    def __deepcopy__(self, memo):  # the copies that train note in the same place
        new = Watched()
        new.load_state_dict(self.state_dict())
        new.hidden, new.scores = self.hidden, self.scores
        return new


def fitted(critic, precision, bound="infonce", steps=150):
    x, y = TASK.sample(600, torch.Generator().manual_seed(0))
    estimator = mi.MIEstimator(critic, mi.choices.build_bound(bound), symmetric=bound == "infonce")
    return mi.Trainer(steps=steps, folds=2, lr=3e-3, precision=precision).fit(estimator, x, y)


@pytest.mark.filterwarnings("ignore::mibounds.MIWarning")  # twenty steps are few
def test_hidden_layers_train_in_half_precision_and_scores_are_in_single():
    critic = Watched()
    fitted(critic, "bf16", steps=20)
    assert critic.hidden == {True: {torch.bfloat16}, False: {torch.float32}}
    assert critic.scores == {True: {torch.float32}, False: {torch.float32}}


@pytest.mark.parametrize("bound", ["infonce", pytest.param("nwj", marks=pytest.mark.slow), "mine"])
def test_the_value_is_that_of_single_precision(bound):
    torch.manual_seed(0)
    critic = SeparableCritic(2, 2, hidden=(64, 64))
    whole, half = (fitted(critic, precision, bound) for precision in ("float32", "bf16"))
    assert half.value != whole.value
    assert half.value == pytest.approx(whole.value, abs=0.03)
    assert half.value > 0.7


@pytest.mark.parametrize(
    "make",
    [
        lambda: JointCritic(2, 2, hidden=(32, 32)),
        lambda: WithOffset(SeparableCritic(2, 2, hidden=(32,)), mi.critics.GaussianCritic()),
    ],
    ids=["joint", "with offset"],
)
def test_a_joint_critic_and_a_gaussian_offset(make):
    torch.manual_seed(0)
    critic = make()
    whole, half = (fitted(critic, precision, steps=200) for precision in ("float32", "bf16"))
    assert half.value == pytest.approx(whole.value, abs=0.03)
    assert half.value > 0.7


@pytest.mark.parametrize(
    "estimator",
    [
        mi.Telescope(2, 2, bridges=2),
        mi.MIEstimator(mi.critics.DiagonalGaussianCritic(2, 2), mi.bounds.CLUB()),
    ],
)
def test_estimators_that_sum_scores_inside_their_networks_are_refused(estimator):
    x, y = TASK.sample(100, torch.Generator().manual_seed(0))
    assert not estimator.half_precision
    with pytest.raises(ValueError, match="precision is 'bf16', and .* leave precision at 'float32'"):
        mi.Trainer(precision="bf16", preprocessing=None).fit(estimator, x, y)


def test_there_are_two_precisions():
    with pytest.raises(ValueError, match="precision is 'fp16': expected 'float32' or 'bf16'"):
        mi.Trainer(precision="fp16")
