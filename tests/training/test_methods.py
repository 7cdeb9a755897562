import pytest

from dashjax import InputError, find_method


def test_target_is_the_sparsity_after_the_last_cut():
    assert find_method("dash").target_sparsity(200) == pytest.approx(1 - 0.3 * 0.9**19, abs=1e-5)
    assert find_method("imp").target_sparsity(10) == pytest.approx(0.7, abs=1e-6)  # no cut in the last epoch
    assert find_method("dense").target_sparsity(200) == 0
    assert find_method("bioprune").target_sparsity(200) == 0


def test_unknown_method_lists_the_known_ones():
    with pytest.raises(InputError, match=r"unknown method 'dahs' \(did you mean 'dash'\?\); valid: dense, pinn"):
        find_method("dahs")
