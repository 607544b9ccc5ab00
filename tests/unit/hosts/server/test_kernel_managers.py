from types import SimpleNamespace

import pytest

from jupyter_otel.hosts.server.kernel_managers import derive_kernel_managers
from jupyter_otel.sources.faults import HookEdge


class Manager:
    """A kernel manager of a deployment's own."""


def derive(base):
    return type("Derived", (base,), {})


def test_managers_of_one_class_are_of_one_derived_class():
    kernels = SimpleNamespace(kernel_manager_factory=Manager)
    derive_kernel_managers(kernels, derive, HookEdge("a test"))

    first, second = (kernels.kernel_manager_factory() for _ in range(2))

    assert type(first) is type(second) is not Manager
    assert isinstance(first, Manager)


def test_two_that_derive_do_not_know_of_each_other():
    kernels = SimpleNamespace(kernel_manager_factory=Manager)
    for _ in range(2):
        derive_kernel_managers(kernels, derive, HookEdge("a test"))

    bases = [base.__name__ for base in type(kernels.kernel_manager_factory()).__mro__]
    assert bases == ["Derived", "Derived", "Manager", "object"]


@pytest.mark.parametrize("fault", [TypeError, KeyError])
def test_a_manager_that_cannot_be_derived_from_is_handed_out_as_it_is(fault):
    def fail(_base):
        raise fault

    kernels = SimpleNamespace(kernel_manager_factory=Manager)
    derive_kernel_managers(kernels, fail, HookEdge("a test"))

    assert type(kernels.kernel_manager_factory()) is Manager
