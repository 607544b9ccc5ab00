"""Checks whether what is asked of ``OtelSources.datasets`` can come about."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_otel.assembly import build_catalog, build_policy
from jupyter_otel.cli.findings import Finding, State
from jupyter_otel.config import Settings
from jupyter_otel.errors import JupyterOtelError
from jupyter_otel.sources.kernel_events import DATASET_ACCESS

_PACKAGE = "jupyter_otel_kernel"
_LOOK = f"import importlib.util as u, sys; sys.exit(u.find_spec('{_PACKAGE}') is None)"
_LOOK_S = 20
_MISSING = 1
_THIS_PYTHON = {"python", "python3", "python{}.{}".format(*sys.version_info)}


def check_datasets(settings: Settings) -> Iterator[Finding]:
    """Say what stands in the way of records about the data that code opens."""
    if settings.policy.level == "none" or not settings.sources.datasets:
        return
    problems = [*_problems(settings), *_without_package()]
    for what, cure in problems:
        yield Finding("datasets", State.WARNING, what, cure)
    if not problems:
        what = "OtelSources.datasets is on, and Python kernels here have its hooks"
        yield Finding("datasets", State.OK, what)


def _problems(settings: Settings) -> Iterator[tuple[str, str]]:
    on = "OtelSources.datasets is on, but"
    if not _is_collected(settings):
        what = f"{on} at level {settings.policy.level} policy collects documents only"
        yield what, 'Set c.OtelPolicy.level = "audit", or include dataset_access.'
    if not settings.sources.executions:
        what = f"{on} OtelSources.executions is off: no kernel is asked"
        yield what, "Set c.OtelSources.executions = True."
    if settings.traces.kernel == "off" or not settings.traces.enabled:
        what = f"{on} OtelTraces keeps our part of kernels off"
        yield what, 'Set c.OtelTraces.kernel = "context" and .enabled = True.'


def _is_collected(settings: Settings) -> bool:
    try:
        catalog = build_catalog(settings)
        schema = catalog.find(DATASET_ACCESS)
        policy = build_policy(settings, catalog)
    except JupyterOtelError:
        return True  # another check tells of it
    return schema is not None and policy.refusal(schema) is None


def _without_package() -> Iterator[tuple[str, str]]:
    """Yield the local Python kernels that lack our package."""
    for name, python in sorted(_pythons_of_kernels().items()):
        try:
            asked = subprocess.run(  # noqa: S603 - what the server itself would start
                [python, "-c", _LOOK],
                check=False,
                capture_output=True,
                timeout=_LOOK_S,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue  # a kernel that cannot start is not ours to tell of
        if asked.returncode == _MISSING:
            what = f"the kernel {name} has no jupyter-otel-kernel: nothing comes of it"
            yield what, f"Run {python} -m pip install jupyter-otel-kernel."


def _pythons_of_kernels() -> Mapping[str, str]:
    """Return the interpreter of each local kernelspec that starts ipykernel."""
    try:
        from jupyter_client.kernelspec import (  # noqa: PLC0415 - only with a server
            KernelSpecManager,
        )
    except ImportError:
        return {}
    specs: Mapping[str, Any] = KernelSpecManager().get_all_specs()
    commands = {name: spec["spec"]["argv"] for name, spec in specs.items()}
    return {
        # As jupyter_client starts it.
        name: sys.executable if argv[0] in _THIS_PYTHON else argv[0]
        for name, argv in commands.items()
        if "ipykernel_launcher" in argv
    }
