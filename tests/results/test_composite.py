from dataclasses import replace

from mibounds.results.composite import Composite


def test_what_a_result_does_not_define_is_that_of_its_main_part(examples):
    composites = [result for result in examples.values() if isinstance(result, Composite)]
    assert len(composites) == 5
    for result in composites:
        main = result._main
        for name in ("level", "seed", "versions", "entropy_limit", "interval_bias"):
            assert getattr(result, name) == getattr(main, name)
        if type(result).__name__ != "LearningCurveResult":  # whose sizes are those after weights
            assert result.n == main.n
        assert set(main.warnings) <= set(result.warnings)


def test_it_follows_the_part(examples):
    test = examples["IndependenceTestResult"]
    changed = replace(test, estimate=replace(test.estimate, n=77, seed=8, level=0.5, warnings=()))
    assert (changed.n, changed.seed, changed.level, changed.warnings) == (77, 8, 0.5, ())
