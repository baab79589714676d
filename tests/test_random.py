"""torch's distributions draw from the generator that is handed in, and nobody else notices."""

import numpy as np
import pytest
import torch
from torch.distributions import Gamma, Normal

from emvae._random import as_torch_generator, drawing_from


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def draw_and_fail(g):
    with drawing_from(g):
        torch.randn(100)
        raise RuntimeError


def test_the_draws_are_those_of_the_generator():
    g, same = generator(), generator()
    with drawing_from(g):
        first, second = Normal(0.0, 1.0).rsample((20,)), Gamma(2.0, 1.0).rsample((3,))
    assert torch.equal(first, torch.randn(20, generator=same))
    assert not torch.equal(first[:3], second)
    with drawing_from(g):
        later = Normal(0.0, 1.0).rsample((20,))
    assert not torch.equal(first, later)  # the generator has moved on


def test_the_global_stream_is_left_alone():
    torch.manual_seed(7)
    expected = torch.randn(5)
    torch.manual_seed(7)
    with drawing_from(generator()):
        torch.randn(100)
    with pytest.raises(RuntimeError):
        draw_and_fail(generator())
    assert torch.equal(torch.randn(5), expected)


def test_what_was_drawn_before_an_error_counts():
    g, same = generator(), generator()
    with pytest.raises(RuntimeError):
        draw_and_fail(g)
    torch.randn(100, generator=same)
    assert torch.equal(torch.randn(5, generator=g), torch.randn(5, generator=same))


def test_the_global_stream_itself_may_be_handed_in():
    torch.manual_seed(3)
    expected = torch.randn(10)
    torch.manual_seed(3)
    with drawing_from(torch.default_generator):
        drawn = torch.randn(10)
    assert torch.equal(drawn, expected)
    assert not torch.equal(torch.randn(10), expected)


def test_a_generator_passes_as_it_is():
    g = generator()
    assert as_torch_generator(g) is g


@pytest.mark.parametrize("bad", [0, None, np.random.default_rng(0), "seed"])
def test_what_is_no_generator_is_refused(bad):
    message = f"^generator is a {type(bad).__name__}: pass a torch.Generator, such as"
    with pytest.raises(ValueError, match=message), drawing_from(bad):
        pass
