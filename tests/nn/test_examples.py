"""The examples in the docstrings of `bubbleloc.nn` say what happens."""

import doctest
import importlib
import inspect
import pkgutil

import pytest
import torch

from bubbleloc import nn
from bubbleloc.examples import fitting, sequence

MODULES = [
    importlib.import_module(f"{nn.__name__}.{module.name}")
    for module in pkgutil.iter_modules(nn.__path__)
]


@pytest.mark.parametrize("module", [*MODULES, fitting, sequence], ids=lambda m: m.__name__)
def test_examples_give_what_they_show(module):
    torch.manual_seed(0)
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", nn.__all__)
def test_everything_public_has_an_example(name):
    public = getattr(nn, name)
    if inspect.isclass(public) or inspect.isfunction(public):
        assert ">>> " in inspect.getdoc(public)
