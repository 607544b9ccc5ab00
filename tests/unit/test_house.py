"""Rules about the repository itself that no linter knows."""

import ast
import re
import runpy
import subprocess
import tomllib
from itertools import takewhile
from pathlib import Path

import pytest
from traitlets.config import Configurable

from jupyter_otel import config, consent_config, sources_config
from jupyter_otel._version import __version__

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "jupyter_otel"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
KERNEL_PROJECT = tomllib.loads((ROOT / "kernel" / "pyproject.toml").read_text())
PINS = ROOT / "constraints" / "pinned.txt"

REGISTRY_HOST = (
    r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|registry[.]yarnpkg|"
    r"proxy[.]golang[.]org|crates[.]io|repo1?[.]maven|deb[.]debian[.]org|artifactor[y]"
)
MACHINE_PATH = r"(?<![\w.])/(?:work|farm|root|tmp/s)/"


def repository_files(*patterns):
    """Return what is committed or about to be."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


def places(pattern):
    """Return ``file:line`` of every match in the repository's text files."""
    found = []
    for path in repository_files():
        text = path.read_bytes().decode("utf-8", "replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if re.search(pattern, line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    return found


def normal(name):
    """Return a distribution's name in the form in which names are compared."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()


def test_no_package_registry_is_named():
    assert places(REGISTRY_HOST) == []


def test_no_path_of_one_machine_is_named():
    assert places(MACHINE_PATH) == []


def test_no_python_file_is_longer_than_400_lines():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in repository_files("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_only_the_redactor_makes_redacted_events():
    makers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and makes_redacted_event(node)
    }
    assert makers
    assert {maker for maker in makers if not maker.startswith("redaction/")} == set()


def makes_redacted_event(call):
    """Return whether a call is of the type, or of a constructor of it."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr == "_make":
        function = function.value
    if name_of(function) in {"new", "__new__"} and call.args:
        function = call.args[0]
    return name_of(function) == "RedactedEvent"


def name_of(expression):
    """Return the last name of a dotted one."""
    return getattr(expression, "attr", None) or getattr(expression, "id", None)


@pytest.mark.parametrize(
    ("expression", "makes"),
    [
        ("RedactedEvent(1)", True),
        ("event.RedactedEvent(1)", True),
        ("RedactedEvent._make(x)", True),
        ("new(RedactedEvent, x)", True),
        ("tuple.__new__(event.RedactedEvent, x)", True),
        ("new(Event, x)", False),
        ("Event(1)", False),
        ("read(RedactedEvent)", False),
    ],
)
def test_every_way_to_make_a_redacted_event_is_seen(expression, makes):
    call = ast.parse(expression, mode="eval").body
    assert makes_redacted_event(call) is makes


def test_the_map_shows_the_layers_that_the_linter_enforces():
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    (layers,) = (it["layers"] for it in contracts if it["id"] == "flow")
    lines = iter((PACKAGE / "README.md").read_text().splitlines())
    assert "```text" in lines
    shown = takewhile(lambda line: line != "```", lines)
    assert [line.strip() for line in shown] == layers


def test_every_class_of_settings_is_listed():
    defined = {
        kind
        for kind in vars(config).values()
        if isinstance(kind, type)
        and issubclass(kind, Configurable)
        and kind.__module__
        in {m.__name__ for m in (config, consent_config, sources_config)}
    }
    assert set(config.classes()) == defined


def test_the_configuration_page_is_what_the_code_says():
    generator = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == generator["page"](), "stale: run `make docs`"


def test_every_variable_that_the_package_names_is_documented():
    named = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in re.findall(r"OTEL_[A-Z_]+[A-Z]", path.read_text())
    }
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert {name for name in named if name not in page} == set()


def test_everything_that_make_installs_by_name_is_pinned():
    project = PROJECT["project"]
    extras = project["optional-dependencies"].values()
    groups = PROJECT["dependency-groups"].values()
    requirements = [*PROJECT["build-system"]["requires"], *project["dependencies"]]
    requirements += KERNEL_PROJECT["build-system"]["requires"]
    requirements += KERNEL_PROJECT["project"]["dependencies"]
    for listed in (*extras, *groups):
        requirements += [item for item in listed if isinstance(item, str)]
    pinned = {normal(line) for line in PINS.read_text().splitlines() if "==" in line}
    ours = {KERNEL_PROJECT["project"]["name"]}
    assert {normal(item) for item in requirements} - pinned - ours == set()


def test_the_kernels_distribution_has_the_same_version():
    assert KERNEL_PROJECT["project"]["version"] == __version__


def test_continuous_integration_runs_what_a_developer_runs():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands == [
        "set -euo pipefail",
        'cd "$(dirname "$0")/.."',
        "exec make test",
    ]
