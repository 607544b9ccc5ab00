from importlib import import_module

import pytest
from jupyter_server.base.handlers import (
    AuthenticatedFileHandler,
    FileFindHandler,
    PublicStaticFileHandler,
)
from jupyter_server.services.contents.handlers import ContentsHandler
from jupyter_server.services.kernels.handlers import MainKernelHandler
from tornado.web import StaticFileHandler

from jupyter_otel.hosts.server.endpoints import ConsentHandler, PageHandler
from jupyter_otel.hosts.server.polling import POLLED, is_polling
from tests.unit.sources.requests import handler_of


class MyKernels(MainKernelHandler):
    """A class of somebody's own."""


def asked(kind, method):
    """Return whether a request that this class answers is polling."""
    handler = handler_of(method=method)
    handler.__class__ = kind
    return is_polling(handler)


@pytest.mark.parametrize("name", POLLED)
def test_every_class_that_is_named_exists(name):
    module, _, kind = name.rpartition(".")
    assert isinstance(getattr(import_module(module), kind), type)


@pytest.mark.parametrize(
    ("kind", "polling"),
    [
        (MainKernelHandler, {"GET", "HEAD"}),
        (MyKernels, {"GET", "HEAD"}),
        (StaticFileHandler, {"GET", "HEAD"}),
        (FileFindHandler, {"GET", "HEAD"}),
        (PublicStaticFileHandler, {"GET", "HEAD"}),
        (AuthenticatedFileHandler, set()),
        (ContentsHandler, set()),
        (ConsentHandler, {"GET", "HEAD", "PUT"}),
        (PageHandler, set()),
    ],
)
def test_the_class_that_answers_decides(kind, polling):
    assert {m for m in ("GET", "HEAD", "PUT") if asked(kind, m)} == polling


def test_a_method_that_is_none_is_not_polling():
    assert not asked(ConsentHandler, "MY-METHOD")
