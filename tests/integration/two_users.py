"""A server that two people share, each with a token of their own."""

import json
import urllib.error
import urllib.request

PROVIDER = """
from jupyter_server.auth.identity import IdentityProvider, User

TOKENS = {"anns-token": "ann", "bobs-token": "bob"}

class Tokens(IdentityProvider):
    async def get_user_token(self, handler):
        name = TOKENS.get(self.get_token(handler) or "")
        if name is None:
            return await super().get_user_token(handler)
        return User(name, name.capitalize())

c.ServerApp.identity_provider_class = Tokens
c.OtelPolicy.identity = "name"
c.OtelPolicy.level = "audit"
# What is counted here are the events that a request causes, not the request.
c.OtelSources.http_requests = False
"""
ANN, BOB = "anns-token", "bobs-token"


def start_shared_server(start_server, *arguments, files=None, **changes):
    """Start a server on which ann and bob have kernels and files."""
    config = {"config/jupyter_server_config.py": PROVIDER, **(files or {})}
    return start_server(*arguments, files=config, **changes)


def put_file(server, token, name):
    """Save a file, as one of them: an event of group data."""
    body = {"type": "file", "format": "text", "content": "1"}
    server.request("PUT", f"api/contents/{name}", body, token)


def start_and_end_kernel(server, token):
    """Start a kernel and shut it down: two events of group operations."""
    kernel = server.request("POST", "api/kernels", {"name": "python3"}, token)
    server.request("DELETE", f"api/kernels/{kernel['id']}", None, token)


def consent(server, token, **groups):
    """Say yes or no to groups; return the answer's groups."""
    body = {"groups": groups}
    return server.request("PUT", "otel/v1/consent", body, token)["groups"]


def recent(server, token, limit=100):
    """Return the records that one of them reads as theirs."""
    path = f"otel/v1/recent?limit={limit}"
    return server.request("GET", path, None, token)["records"]


def refusal(server, method, path, body=None, token=ANN):
    """Return the status and the message of a request that is refused."""
    try:
        server.request(method, path, body, token)
    except urllib.error.HTTPError as error:
        text = error.read()
        return error.code, json.loads(text).get("message")
    raise AssertionError("it was not refused")
