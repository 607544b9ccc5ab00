"""The startup file, run as IPython runs it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

STARTUP = Path(__file__).parents[2] / "kernel" / "startup" / "50-jupyter-otel-kernel.py"


def start(shell):
    """Run the file; return the names that it leaves."""
    names = {"get_ipython": lambda: shell}
    exec(compile(STARTUP.read_text(), STARTUP, "exec"), names)  # noqa: S102 - it is ours
    return set(names) - {"get_ipython", "__builtins__"}


def test_it_loads_the_extension_and_leaves_no_name(kernel):
    assert start(kernel.shell) == set()
    assert "jupyter_otel_kernel" in kernel.shell.extension_manager.loaded
    assert (
        kernel.shell.extension_manager.unload_extension("jupyter_otel_kernel") is None
    )


def test_without_a_kernel_it_does_nothing():
    shell = SimpleNamespace()  # as plain `ipython` has none
    assert start(shell) == set()


@pytest.mark.parametrize("value", ["off", " OFF "])
def test_switched_off_it_does_nothing(kernel, monkeypatch, value):
    monkeypatch.setenv("JUPYTER_OTEL_KERNEL", value)
    assert start(kernel.shell) == set()
    assert "jupyter_otel_kernel" not in kernel.shell.extension_manager.loaded


def test_whatever_is_wrong_with_us_is_not_shown(capsys):
    def load_extension(_name):
        raise ImportError

    manager = SimpleNamespace(load_extension=load_extension)
    assert start(SimpleNamespace(kernel=1, extension_manager=manager)) == set()
    assert capsys.readouterr() == ("", "")
