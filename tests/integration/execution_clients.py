# ruff: noqa: D102 - what the methods of clients do is said once, in `Client`
"""The programs that ask kernels of a server to run code, each in its own way."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from tests.integration.conftest import V1, KernelClient, Server, environment

ATTACHED = Path(__file__).with_name("attached_client.py")


class Client:
    """A program that asks one kernel to run code."""

    def __init__(self, server: Server, kernel_id: str) -> None:
        self.server, self.kernel_id = server, kernel_id
        self.connection_file = str(server.home / "runtime" / f"kernel-{kernel_id}.json")

    def ask(self, *cells: str) -> None:
        """Ask for these cells, one after another; return at once."""
        raise NotImplementedError

    def leave(self) -> None:
        """Go away without a word; whoever asks next is somebody new."""

    def renew(self) -> None:
        """Be ready to ask again, after an end that nobody answers for."""
        self.leave()


class WebSocketClient(Client):
    """A front end on the server's WebSocket."""

    protocol: str | None = V1

    def __init__(self, server, kernel_id):
        super().__init__(server, kernel_id)
        self._connection = None

    def ask(self, *cells):
        if self._connection is None:
            self._connection = KernelClient(self.server, self.kernel_id, self.protocol)
        for code in cells:
            self._connection.send(code)

    def leave(self):
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class LegacyClient(WebSocketClient):
    """One that speaks the older protocol, as to a gateway all do."""

    protocol = None


class ServerSideClient(Client):
    """jupyter-server-nbmodel: the server itself runs the code."""

    def ask(self, *cells):
        for code in cells:
            path = f"api/kernels/{self.kernel_id}/execute"
            self.server.request("POST", path, {"code": code})

    def renew(self):
        """Take another kernel: for this one's answer the server waits for ever."""
        self.kernel_id = self.server.start_kernel()


class ConsoleClient(Client):
    """``jupyter console --existing``, typed into."""

    def __init__(self, server, kernel_id):
        super().__init__(server, kernel_id)
        self._process = None
        self._arguments = ("--simple-prompt", "--existing", self.connection_file)

    def ask(self, *cells):
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_console", *self._arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(self.server.home),
            )
        self._process.stdin.write("".join(f"{code}\n" for code in cells).encode())
        self._process.stdin.flush()

    def leave(self):
        if self._process is None:
            return
        self._process.kill()
        self._process.stdin.close()
        self._process.wait()
        self._process = None


class Attached:
    """A process that makes processes of programs that attach to a kernel."""

    def __init__(self, home: Path) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, str(ATTACHED)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(home),
            text=True,
        )

    def run(self, program, connection_file, cells) -> int:
        job = {"program": program, "connection_file": connection_file, "cells": cells}
        with self._lock:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class AttachedClient(Client):
    """A program that attaches to the kernel for a run, and is gone after it."""

    def __init__(self, server, kernel_id, attached: Attached, program: str) -> None:
        super().__init__(server, kernel_id)
        self._attached, self._program = attached, program
        self._process_id = None

    def ask(self, *cells):
        self._process_id = self._attached.run(
            self._program, self.connection_file, cells
        )

    def leave(self):
        if self._process_id is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process_id, signal.SIGKILL)
        self._process_id = None
