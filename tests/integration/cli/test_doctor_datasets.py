"""What the doctor finds in the way of records about the data that code opens."""

import json
import os
import sys

import pytest

DATASETS = ("--OtelPolicy.level=audit", "--OtelSources.datasets=True")


def test_kernels_with_our_package_are_well(doctor):
    assert "datasets" not in doctor("--OtelPolicy.level=audit")[1]

    [(state, _, cure)] = doctor(*DATASETS)[1]["datasets"]

    assert (state, cure) == ("ok", "")


@pytest.mark.parametrize(
    ("setting", "cure"),
    [
        (
            "--OtelPolicy.level=usage",
            'Set c.OtelPolicy.level = "audit", or include dataset_access.',
        ),
        ("--OtelSources.executions=False", "Set c.OtelSources.executions = True."),
        (
            "--OtelTraces.kernel=off",
            'Set c.OtelTraces.kernel = "context" and .enabled = True.',
        ),
    ],
)
def test_a_setting_in_the_way_is_found(doctor, setting, cure):
    name = setting.partition("=")[0]
    others = [option for option in DATASETS if not option.startswith(name)]

    [(state, _, found)] = doctor(*others, setting)[1]["datasets"]

    assert (state, found) == ("warning", cure)


def test_a_kernel_without_our_package_is_found(doctor, cli):
    # The interpreter that the tests' environment was made from has none of it.
    bare = os.path.realpath(sys.executable)
    spec = {"argv": [bare, "-m", "ipykernel_launcher"], "display_name": "bare"}
    cli.write("data/kernels/bare/kernel.json", json.dumps(spec))

    [(state, what, cure)] = doctor(*DATASETS)[1]["datasets"]

    assert (state, cure) == (
        "warning",
        f"Run {bare} -m pip install jupyter-otel-kernel.",
    )
    assert what.startswith("the kernel bare has no jupyter-otel-kernel")
