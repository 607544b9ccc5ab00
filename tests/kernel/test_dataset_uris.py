from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_otel.sources.notebook_clients import plain_path
from jupyter_otel_kernel.datasets.uris import clean, is_local

SECRET = "hunter2"  # noqa: S105 - nobody's


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("/data/a.csv", "/data/a.csv"),
        ("/data/x/../a.csv", "/data/a.csv"),
        ("a.csv", f"{Path.cwd()}/a.csv"),
        ("~/a.csv", f"{Path.home()}/a.csv"),
        ("/data/day-?.csv", "/data/day-?.csv"),
        ("/data/a:b.csv", "/data/a:b.csv"),
        ("/data/a\n,hunter2", None),
        ("/data/#1.csv", "/data/#1.csv"),
        ("C:\\a.csv", f"{Path.cwd()}/C:\\a.csv"),
        ("file:///data/a.csv", "/data/a.csv"),
        ("file:/data/a.csv", "/data/a.csv"),
        ("file://localhost/data/a.csv", "/data/a.csv"),
        ("https://example.org/a.csv", "https://example.org/a.csv"),
        ("HTTPS://example.org:8443/a.csv?t=hunter2", "https://example.org:8443/a.csv"),
        ("https://example.org/a.csv#hunter2", "https://example.org/a.csv"),
        ("https://ann:hunter2@example.org/a.csv", "https://example.org/a.csv"),
        ("https://hunter2@example.org", "https://example.org"),
        ("https://example.org/p@1.2/a.csv", "https://example.org/p@1.2/a.csv"),
        ("http://localhost:80/p@1/a", "http://"),
        ("http://[::1]:80/a.csv?hunter2", "http://[::1]:80/a.csv"),
        ("s3://bucket/a@b.csv", "s3://bucket/a@b.csv"),
        ("s3://key:hunter2@bucket/a.csv", "s3://bucket/a.csv"),
        ("postgresql+psycopg2://ann:hunter2@db:5432/x?sslkey=hunter2",
         "postgresql+psycopg2://db:5432/x"),
        ("postgresql://ann:hunt@hunter2@db/x", "postgresql://db/x"),
        ("postgresql://ann:hunter2/hunter2@db/x", "postgresql://db/x"),
        ("postgresql://ann:hunter2?hunter2@db/x", "postgresql://db/x"),
        ("postgresql://ann:hunter2#hunter2@db/x", "postgresql://db/x"),
        ("postgres://ann:12345/hunter2@db/x", "postgres://"),
        ("https://ann:hunter2/hunter2@example.org/x", "https://example.org/x"),
        ("https://example.org/a;jsessionid=hunter2", "https://example.org/a"),
        ("https://example.org/token=hunter2/a", "https://"),
        ("https://ann:hunter2::hunter2@example.org/x", None),
        ("https://ann:1::x://hunter2@example.org/x", None),
        ("https:/ann:hunter2@example.org/x", None),
        ("https:///ann:hunter2@example.org/x", "https://"),
        ("/data/https://ann:hunter2@example.org/x", None),
        ("/home//ann@example.org/a.csv", "/home/ann@example.org/a.csv"),
        ("file:ann:hunter2@example.org", None),
        ("account key=hunter2", None),
        ("//ann:hunter2@example.org/share", None),
        ("\\\\ann:hunter2@example.org\\share", None),
        ("ann:hunter2@example.org/x", None),
        ("oracle:ann/hunter2@example.org", None),
        ("jdbc:oracle:thin:ann/hunter2@example.org:1521:x", None),
        ("jdbc:sqlserver://db;user=ann;password=hunter2", None),
        ("Driver={PostgreSQL};Server=h;Uid=ann;Pwd=hunter2", None),
        ("DRIVER=x:y;PWD=hunter2", None),
        ("DSN=h;UID=hunter2", None),
        ("host=db user=hunter2 dbname=x", None),
        ("postgres:dbname=x host=h password=hunter2", None),
        ("/home/ann@example.org/a.csv", "/home/ann@example.org/a.csv"),
        ("day=1/part=2/a.parquet", f"{Path.cwd()}/day=1/part=2/a.parquet"),
        ("md:mine?motherduck_token=hunter2", "md:mine"),
        ("sqlite:////data/a.db", "/data/a.db"),
        ("sqlite+pysqlite:////data/a.db?key=hunter2", "/data/a.db"),
        ("file:/data/a.db?mode=ro&key=hunter2", "/data/a.db"),
        ("simplecache::s3://k:hunter2@b/a.csv", "simplecache::s3://b/a.csv"),
        ("zip://a.csv::https://h/a.zip?hunter2", "zip://a.csv::https://h/a.zip"),
        ("data:text/csv;base64,hunter2", "data:"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///", None),
        ("sqlite:///:memory:", None),
        (":memory:", None),
        ("", None),
        ('{"password": "hunter2"}', None),
        ("<table>hunter2</table>", None),
        ("a,b\n1,hunter2", None),
        ("a:" * 1_000_000, None),
        ("/data/" + "a" * 5000, "/data/" + "a" * 2042),
    ],
)  # fmt: skip
def test_a_dataset_is_told_without_what_proves_who_opens_it(text, cleaned):
    assert clean(text) == cleaned
    assert SECRET not in (cleaned or "")


ADDRESSES = [
    "https://example.org/a.csv?x#y",
    "https://example.org:8443/p@1/a.csv",
    "https://[::1]:80/a@b",
    "https://ann:hunter2@[::1]:80/a",
    "s3://ann:hunter2/hunter2@b/a",
    "postgres://ann:123/hunter2@b/a",
    "https://example.org/x;sid=hunter2",
    "https://example.org/pwd=hunter2",
    "ann:hunter2@example.org/x",
    "https:/ann:hunter2@example.org/x",
    "//ann@example.org/x",
    "Driver={SQL};Pwd=hunter2",
    "https:///ann:hunter2@example.org/x",
    "/data/https://ann:hunter2@example.org/x",
    "https://example.org/api_key=hunter2",
    "/home/ann@example.org/a:b.csv",
]


@pytest.mark.parametrize("text", ADDRESSES)
def test_the_server_tells_no_more_of_a_notebook_s_address(text):
    assert plain_path(text) == (None if "::" in text else clean(text))


_WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)


@given(_WORD, _WORD)
def test_no_quoted_password_of_a_url_is_told(user, rest):
    user = quote(user, safe="")
    told = clean(f"https://{user}:{SECRET}@example.org/{rest}")

    assert told is None or SECRET not in told.partition("/" + rest)[0]


def test_paths_are_told_from_urls():
    assert [is_local(text) for text in ("/a", "https://a", "md:a")] == [
        True,
        False,
        False,
    ]
