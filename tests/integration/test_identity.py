"""Whose records are, by the server's own authentication, and what consent does."""

NAMED = """
from jupyter_server.auth.identity import IdentityProvider, User
class Everybody(IdentityProvider):
    async def get_user_token(self, handler):
        return await super().get_user_token(handler) and User("ann")
c.ServerApp.identity_provider_class = Everybody
c.OtelPolicy.level = "audit"
c.OtelPolicy.identity = "name"
c.OtelConsent.mode = "mandatory"
"""


def users(records):
    return {record.attributes.get("user.name") for record in records}


def test_a_named_persons_records_carry_the_name(start_server, connect, wait_until):
    server = start_server(files={"config/jupyter_server_config.py": NAMED})
    kernel_id = server.start_kernel()
    connect(server, kernel_id).run("1")

    executions = server.executions(kernel_id)
    started = wait_until(lambda: server.logs("jupyter_server.kernel_actions"))

    assert users(executions) == users(started) == {"ann"}
    assert users(server.spans("execute")) == {"ann"}
    assert server.end() == 0


def test_whoever_has_the_token_is_nobody_in_particular(server, connect):
    kernel_id = server.start_kernel()
    connect(server, kernel_id).run("1")

    [finished] = server.executions(kernel_id)

    assert {"user.name", "user.hash"} & finished.attributes.keys() == set()


def test_without_a_yes_personal_records_are_dropped(start_server, connect, wait_until):
    server = start_server("--OtelPolicy.level=audit")
    kernel_id = server.start_kernel()
    connect(server, kernel_id).run("1")

    def dropped():
        return server.status()["signals"]["logs"]["dropped"].get("no_consent", 0)

    # The kernel's start, and the execution's start and end.
    assert wait_until(dropped, lambda count: count >= 3) >= 3
    assert server.logs() == server.spans() == []
    server.end()

    # Nobody asked for the shutdown at the server's end.
    [shutdown] = server.logs()
    assert shutdown.attributes["jupyter.event.action"] == "shutdown"


def test_under_a_hub_a_server_sends_no_identity(start_server, connect):
    server = start_server(
        files={"config/jupyter_server_config.py": NAMED},
        environ={"JUPYTERHUB_API_URL": "http://127.0.0.1:1/hub/api"},
    )
    kernel_id = server.start_kernel()
    connect(server, kernel_id).run("1")

    [finished] = server.executions(kernel_id)

    assert {"user.name", "user.hash"} & finished.attributes.keys() == set()
    assert server.end() == 0
