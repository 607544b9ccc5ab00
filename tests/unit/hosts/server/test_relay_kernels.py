from types import SimpleNamespace

import pytest

from jupyter_otel.event import Person
from jupyter_otel.hosts.server.relay_kernels import (
    MAX_PEOPLE,
    RelayKernels,
    relay_endpoint,
)

ANN, BOB = Person("user:ann", "ann"), Person("user:bob", "bob")
URL = "http://127.0.0.1:8888/otel"


class Rig:
    """Kernels that run, and who asks for the next one."""

    def __init__(self, url=URL):
        self.running, self.person = set(), ANN
        self.kernels = RelayKernels(
            self.running, lambda: url, "/cert.pem", lambda: self.person
        )

    def start(self, kernel_id):
        """Return the token that a kernel's environment got."""
        variables = self.kernels.variables(kernel_id)
        self.running.add(kernel_id)
        return token_of(variables)

    def owner(self, token):
        """Return id and people of whoever a token was given to."""
        kernel = self.kernels.find(token)
        return None if kernel is None else (kernel.id, *kernel.people)


def token_of(variables):
    name, _, token = variables["OTEL_EXPORTER_OTLP_HEADERS"].partition("=")
    assert name == "x-jupyter-otel-kernel"
    return token


@pytest.fixture
def rig():
    return Rig()


def test_each_kernel_has_a_token_of_its_own(rig):
    first = rig.start("k1")
    rig.person = BOB
    second = rig.start("k2")

    assert rig.owner(first) == ("k1", ANN)
    assert rig.owner(second) == ("k2", BOB)
    assert rig.owner("") is rig.owner(first[:-1]) is rig.owner("é" + first) is None


def test_a_token_is_good_only_while_its_kernel_runs(rig):
    token = rig.start("k1")
    rig.running.clear()

    assert rig.owner(token) is None


def test_a_kernel_that_runs_keeps_its_token_and_its_person(rig):
    token = rig.start("k1")
    rig.person = BOB  # who renames its notebook

    assert rig.start("k1") == token
    assert rig.owner(token) == ("k1", ANN)


def test_whoever_joins_a_kernel_stays_one_of_its_people(rig):
    token = rig.start("k1")
    rig.kernels.join("k1", BOB)
    rig.kernels.join("of nobody's", BOB)

    assert rig.start("k1") == token
    assert rig.kernels.find(token).people == {ANN, BOB}


def test_a_kernel_of_more_people_than_can_be_asked_sends_nothing_more(rig):
    token = rig.start("k1")
    for number in range(1, MAX_PEOPLE):
        rig.kernels.join("k1", Person(f"user:{number}", None))

    assert rig.kernels.find(token) is not None
    rig.kernels.join("k1", BOB)
    rig.kernels.join("k1", Person("user:one more", None))
    assert rig.kernels.find(token) is None


def test_the_next_kernel_of_an_id_is_another_one(rig):
    old = rig.start("k1")
    rig.running.clear()
    rig.person = BOB

    new = rig.start("k1")

    assert rig.owner(old) is None
    assert rig.owner(new) == ("k1", BOB)


def test_kernels_may_start_side_by_side(rig):
    first = token_of(rig.kernels.variables("k1"))
    second = rig.start("k2")
    rig.running.add("k1")

    assert rig.owner(first) == ("k1", ANN)
    assert rig.owner(second) == ("k2", ANN)


def test_a_kernel_is_told_where_and_how():
    variables = Rig("https://host:1/otel").kernels.variables("k1")

    del variables["OTEL_EXPORTER_OTLP_HEADERS"]
    assert variables == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://host:1/otel",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "/cert.pem",
    }


def test_a_kernel_that_cannot_reach_the_server_is_told_nothing():
    assert Rig(None).kernels.variables("k1") == {}


def server(**changes):
    plain = {
        "ip": "localhost",
        "port": 8888,
        "base_url": "/",
        "certfile": "",
        "client_ca": "",
        "sock": "",
    }
    return SimpleNamespace(**plain | changes)


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({}, "http://localhost:8888/otel"),
        ({"ip": ""}, URL),
        ({"ip": "0.0.0.0"}, URL),  # noqa: S104 - as people set it
        ({"ip": "*"}, URL),
        ({"ip": "::"}, "http://[::1]:8888/otel"),
        ({"ip": "10.0.0.5"}, "http://10.0.0.5:8888/otel"),
        ({"ip": "fe80::1"}, "http://[fe80::1]:8888/otel"),
        ({"base_url": "/user/ann/"}, "http://localhost:8888/user/ann/otel"),
        ({"certfile": "/c.pem"}, "https://localhost:8888/otel"),
        ({"sock": "/run/jupyter.sock"}, None),
        ({"client_ca": "/ca.pem"}, None),
    ],
)
def test_the_url_is_the_one_that_a_kernel_on_this_machine_reaches(changes, url):
    assert relay_endpoint(server(**changes)) == url
