"""A real IPython shell and kernel in this process; nothing is sent anywhere."""

import contextvars
import itertools

import pytest
from ipykernel.inprocess.ipkernel import InProcessKernel
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from traitlets.config import Config

from jupyter_otel_kernel import extension
from tests.kernel.datasets_rig import Rig

_numbers = itertools.count()


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """The one kernel of this process, with a profile of its own."""
    assert not InteractiveShell.initialized()
    profile = ProfileDir(location=str(tmp_path_factory.mktemp("profile")))
    config = Config({"HistoryManager": {"enabled": False}})
    return InProcessKernel(config=config, profile_dir=profile)


@pytest.fixture
def shell(kernel):
    """Its shell, with ours loaded for the length of a test."""
    shell = kernel.shell
    shell.extension_manager.load_extension("jupyter_otel_kernel")
    yield shell
    if extension._extension is not None:
        shell.extension_manager.unload_extension("jupyter_otel_kernel")
    assert not [
        hook
        for hooks in shell.events.callbacks.values()
        for hook in hooks
        if hook.__module__.startswith("jupyter_otel_kernel")
    ]


@pytest.fixture
def run(kernel, shell):
    """Return what runs a cell as a request with this metadata would.

    The cell's variables are returned; what it raises is raised here.
    """
    context = contextvars.copy_context()  # every cell's, as in a kernel

    def run(code, **metadata):
        message = kernel.session.msg("execute_request", {}, metadata=metadata)
        message["msg_id"] = f"cell-{next(_numbers)}"
        context.run(kernel.set_parent, [], message)
        context.run(shell.run_cell, code).raise_error()
        return shell.user_ns

    return run


@pytest.fixture
def rig():
    """Return dataset hooks that report to a list, without a shell."""
    rig = Rig()
    yield rig
    rig.close()
