"""A real kernel in a process of its own and a client of it, without a server."""

import warnings
from contextlib import contextmanager

from jupyter_client.manager import KernelManager

from tests.integration.conftest import environment


class BareKernel:
    """What a test asks of it."""

    def __init__(self, client):
        self._client = client
        self.taken = []
        """Every message that came on iopub, oldest first."""

    def send(self, code, metadata, **header):
        """Ask for an execution; return the message's id."""
        content = {"code": code, "silent": False, "allow_stdin": False}
        message = self._client.session.msg(
            "execute_request", content, metadata=metadata
        )
        message["header"].update(header)
        self._client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def run(self, code, metadata, **header):
        """Run code to its end; return its message id and what was said about it."""
        msg_id = self.send(code, metadata, **header)
        return msg_id, self.wait_for(msg_id, "status", execution_state="idle")

    def wait_for(self, msg_id, msg_type, **content):
        """Return what is said about a request, up to that message."""
        said = []
        while True:
            message = self.take()
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            said.append(message)
            is_last = content.items() <= message["content"].items()
            if is_last and message["msg_type"] == msg_type:
                return said

    def take(self):
        """Return the next message on iopub."""
        message = self._client.get_iopub_msg(timeout=60)
        self.taken.append(message)
        return message

    def open_subshell(self):
        """Return the id of a new subshell."""
        request = self._client.session.msg("create_subshell_request", {})
        self._client.control_channel.send(request)
        reply = self._client.control_channel.get_msg(timeout=60)
        return reply["content"]["subshell_id"]


@contextmanager
def running_kernel(home, **environ):
    """Give a kernel that has nothing of whoever runs the tests."""
    manager = KernelManager(kernel_name="python3")
    with warnings.catch_warnings(action="ignore"):  # how it speaks of encryption
        manager.start_kernel(env={**environment(home), **environ})
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield BareKernel(client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
