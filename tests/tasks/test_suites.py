import pytest

from mibounds.tasks import Task, suites

# The truths of arXiv:2306.11078, recomputed, in nats and in the order of BMI40.
BMI40 = [
    *(0.4133, 0.4133, 0.4133, 0.4133, 0.4133, 0.4133),  # bivariate, uniform, half-cube, wiggly, bimodal, swiss roll
    *(1.7094, 0.3333),  # additive noise
    *(0.2939, 0.4133, 0.5928, 1.2922, 1.6243),  # dense
    *(1.0217, 1.0217, 1.0217, 1.0217),  # two pairs
    *(0.2242, 0.4319, 0.1931, 0.2909, 0.1787, 0.4482, 0.2985),  # Student
    *[1.0217] * 12,  # two pairs through the CDF, the half-cube, the spiral, the spiral of the CDF
    *(0.2242, 0.4319, 0.2909, 0.4482),  # asinh of Student
]


def test_the_forty():
    assert len(suites.BMI40) == 40
    assert [round(task.mutual_information, 4) for task in suites.BMI40] == BMI40
    columns = [tuple(part.shape[1] for part in task.sample(2)) for task in suites.BMI40]
    assert columns.count((1, 1)) == 9
    assert columns.count((2, 1)) == 1
    assert columns.count((2, 2)) == 5
    assert columns.count((3, 3)) == 9
    assert columns.count((5, 5)) == 9
    assert columns.count((25, 25)) == 6
    assert columns.count((50, 50)) == 1


@pytest.mark.parametrize("name", suites.__all__)
def test_a_suite_is_a_tuple_of_tasks_with_names(name):
    suite = getattr(suites, name)
    assert isinstance(suite, tuple)
    assert all(isinstance(task, Task) for task in suite)
    assert len({repr(task) for task in suite}) == len(suite)


def test_the_steps():
    assert [task.mutual_information for task in suites.STAIRS] == pytest.approx([2, 4, 6, 8, 10] * 2)
    assert [task.mutual_information for task in suites.HIGH_MI] == pytest.approx([2, 5, 10, 15, 20, 25] * 3)


def test_independence():
    assert [task.mutual_information for task in suites.INDEPENDENT] == pytest.approx([0] * len(suites.INDEPENDENT))
