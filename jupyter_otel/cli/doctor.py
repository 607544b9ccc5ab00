"""``jupyter otel doctor``: check everything on the way, and say each cure."""

import argparse
import json
import sys
from collections.abc import Iterator

from traitlets.config import Config

from jupyter_otel.cli.doctor_datasets import check_datasets
from jupyter_otel.cli.doctor_endpoint import check_destinations
from jupyter_otel.cli.doctor_kernels import check_kernels
from jupyter_otel.cli.doctor_places import (
    check_extension,
    check_hash_key,
)
from jupyter_otel.cli.doctor_policy import (
    check_configuration,
    check_consent,
    check_level,
    check_schemas,
    check_sources,
)
from jupyter_otel.cli.doctor_send import check_sending
from jupyter_otel.cli.doctor_spool import check_spool
from jupyter_otel.cli.findings import Finding, State
from jupyter_otel.cli.tables import printable
from jupyter_otel.config import read_settings
from jupyter_otel.errors import ConfigError

_MARKS = {
    State.OK: "ok",
    State.NOTE: "note",
    State.WARNING: "!",
    State.FAILED: "FAILED",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's own arguments."""
    parser.add_argument(
        "--send", action="store_true", help="send one test record, end to end"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace, config: Config) -> int:
    """Print every finding as it is made; 1 where one is a failure."""
    findings: list[Finding] = []
    for finding in _all_findings(arguments, config):
        findings.append(finding)
        if not arguments.json:
            sys.stdout.write(_text(finding))
            sys.stdout.flush()
    if arguments.json:
        shown = [finding._asdict() for finding in findings]
        sys.stdout.write(f"{json.dumps(shown, indent=2)}\n")
    return int(any(finding.state is State.FAILED for finding in findings))


def _all_findings(arguments: argparse.Namespace, config: Config) -> Iterator[Finding]:
    failed = []
    for finding in _findings(arguments, config):
        if finding.state is State.FAILED:
            failed.append(finding.check)
        yield finding
    if arguments.send:
        # What is sent is a log record.
        others = {"traces", "metrics"}
        yield check_sending(config, [check for check in failed if check not in others])


def _findings(arguments: argparse.Namespace, config: Config) -> Iterator[Finding]:
    yield from check_configuration(arguments.config)
    try:
        settings = read_settings(config)
    except ConfigError as error:
        yield from (
            Finding("configuration", State.FAILED, line)
            for line in str(error).splitlines()
        )
        return
    yield check_level(settings)
    yield check_consent(settings)
    yield from check_schemas(settings)
    yield from check_sources(settings)
    yield from check_kernels(settings, config)
    yield from check_datasets(settings)
    yield check_hash_key(settings)
    yield from check_spool(settings)
    yield from check_destinations(settings)
    yield check_extension(config)


def _text(finding: Finding) -> str:
    indent = " " * 24
    line = f"{_MARKS[finding.state]:<7} {finding.check:<15} {printable(finding.what)}\n"
    return line + (f"{indent}{printable(finding.cure)}\n" if finding.cure else "")
