import errno
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from jupyter_otel.errors import ConfigError
from jupyter_otel.export.destination import open_destination
from jupyter_otel.export.json_lines import list_files
from jupyter_otel.export.otlp_json import to_json
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.export.verdicts import Rejected, Retry, Sent
from jupyter_otel.tally import Signal

LOGS = Signal.LOGS


def open_directory(directory, signal=LOGS, **settings):
    return open_destination(
        signal, ExportSettings("directory", directory=directory, **settings)
    )


def body_texts(path):
    return [
        record["body"]["stringValue"]
        for line in path.read_text("utf-8").splitlines()
        for resource in json.loads(line)["resourceLogs"]
        for record in resource["scopeLogs"][0]["logRecords"]
    ]


def test_each_request_is_a_line_in_its_signals_file(tmp_path, logs_request):
    directory = tmp_path / "deep" / "export"
    destination = open_directory(directory)
    verdicts = [destination.send(logs_request(text), 1) for text in ("one", "zwei\nü")]

    assert verdicts == [Sent(), Sent()]
    assert (directory / "logs.jsonl").read_bytes() == b"".join(
        to_json(LOGS, logs_request(text)) + b"\n" for text in ("one", "zwei\nü")
    )


def test_files_and_directory_are_readable_by_their_owner_only(tmp_path, logs_request):
    directory = tmp_path / "export"
    open_directory(directory).send(logs_request(), 1)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (directory, *directory.iterdir())
    }

    assert modes == {"export": 0o700, "logs.jsonl": 0o600, "logs.lock": 0o600}


def test_files_are_rotated_by_size_and_the_oldest_goes(tmp_path, logs_request):
    size = len(to_json(LOGS, logs_request("0"))) + 1
    destination = open_directory(tmp_path, max_file_bytes=2 * size)
    for number in range(15):
        destination.send(logs_request(f"{number:x}"), 1)
    files = list_files(tmp_path, LOGS)

    assert [path.name for path in files] == [
        *(f"logs.{age}.jsonl" for age in (5, 4, 3, 2, 1)),
        "logs.jsonl",
    ]
    assert [text for path in files for text in body_texts(path)] == list("456789abcde")


def test_a_request_larger_than_a_file_is_written_whole(tmp_path, logs_request):
    destination = open_directory(tmp_path, max_file_bytes=10)
    for text in ("one", "two"):
        destination.send(logs_request(text), 1)

    assert [body_texts(path) for path in list_files(tmp_path, LOGS)] == [
        ["one"],
        ["two"],
    ]


def test_a_file_that_was_taken_away_is_begun_again(tmp_path, logs_request):
    destination = open_directory(tmp_path)
    destination.send(logs_request("one"), 1)
    (tmp_path / "logs.jsonl").unlink()

    assert destination.send(logs_request("two"), 1) == Sent()
    assert body_texts(tmp_path / "logs.jsonl") == ["two"]


def test_several_processes_write_whole_lines_and_lose_none(tmp_path):
    script = """
import sys
from pathlib import Path
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from jupyter_otel.export.destination import open_destination
from jupyter_otel.export.settings import ExportSettings
from jupyter_otel.tally import Signal
from pathlib import Path
destination = open_destination(Signal.LOGS, ExportSettings(
    "directory", directory=Path(sys.argv[1]), max_file_bytes=1_000_000))
for number in range(40):
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = sys.argv[2] * 20000 + str(number)
    assert destination.send(request.SerializeToString(), 1)
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path, letter])
        for letter in "abc"
    ]
    codes = [writer.wait(60) for writer in writers]
    files = list_files(tmp_path, LOGS)
    texts = [text for path in files for text in body_texts(path)]

    assert codes == [0, 0, 0]
    assert len(files) > 1
    assert sorted(texts) == sorted(
        letter * 20000 + str(number) for letter in "abc" for number in range(40)
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_retried(tmp_path, logs_request):
    destination = open_directory(tmp_path)
    (tmp_path / "logs.jsonl").unlink()
    (tmp_path / "logs.jsonl").symlink_to("/dev/full")
    verdict = destination.send(logs_request(), 1)

    assert isinstance(verdict, Retry)
    assert verdict.why.startswith(f"OSError writing {tmp_path / 'logs.jsonl'}: ")


def test_a_line_cut_short_by_a_full_disk_is_taken_back(tmp_path):
    script = """
import resource, signal, sys
from pathlib import Path
from jupyter_otel.export.json_lines import _append
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
_append(path, b"whole\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
try:
    _append(path, b"too long for the limit\\n")
except OSError as error:
    print(error.errno)
"""
    path = tmp_path / "logs.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{errno.EFBIG}\n"
    assert path.read_text() == "whole\n"


def test_a_lock_that_nobody_gives_back_is_retried(tmp_path, logs_request):
    destination = open_directory(tmp_path)
    destination._lock_timeout_s = 0.01
    with FileLock(tmp_path / "logs.lock"):
        verdict = destination.send(logs_request(), 1)

    assert isinstance(verdict, Retry)
    assert destination.send(logs_request(), 1) == Sent()


def test_bytes_that_are_no_request_are_rejected(tmp_path):
    assert open_directory(tmp_path).send(b"\xff\xff", 1) == Rejected(
        "no OTLP logs request"
    )


def test_a_directory_that_cannot_be_made_is_a_config_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match=r"OtelExport\.directory must be a directory"):
        open_directory(tmp_path / "file" / "export")
