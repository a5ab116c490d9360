"""Stores by their addresses, and what is said of addresses that cannot be right."""

import subprocess
import sys

import pytest

from fusedesk_async import ConfigurationError, fleet
from fusedesk_async.fleet import PostgresQuota, RedisQuota, SQLiteQuota, shared_quota


def test_each_kind_of_address_has_its_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert isinstance(shared_quota(f"sqlite:///{tmp_path}/quota.db"), SQLiteQuota)
    assert repr(shared_quota("sqlite:///my%20quota.db")) == f"SQLiteQuota('{tmp_path}/my quota.db')"
    for scheme in ("postgresql", "postgres"):
        assert repr(shared_quota(f"{scheme}://jo:secret@db/work")) == "PostgresQuota('db/work')"
    for url in ("redis://cache:6379/1", "rediss://cache", "unix:///run/redis.sock"):
        assert isinstance(shared_quota(url), RedisQuota)
    assert isinstance(shared_quota("postgresql://"), PostgresQuota)


@pytest.mark.parametrize("url", ["", "quota.db", "sqlite://quota.db", "mysql://db/work", "sqlite:///", None, 7])
def test_another_address_is_refused(url):
    with pytest.raises(ConfigurationError, match=r"address|path"):
        shared_quota(url)


def test_what_cannot_be_right_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no folder"):
        SQLiteQuota(tmp_path / "nowhere" / "quota.db")
    with pytest.raises(ConfigurationError, match="postgresql://user@host/name"):
        PostgresQuota("postgresql://jo:secret@db/work?colour=red")
    with pytest.raises(ConfigurationError, match="redis://host:6379/0"):
        RedisQuota("http://secret@db")


MISSING = """
import sys
sys.modules["psycopg"] = sys.modules["redis"] = None
from fusedesk_async import ConfigurationError
from fusedesk_async.fleet import shared_quota
for url in ("postgresql://db/work", "redis://cache"):
    try:
        shared_quota(url)
    except ConfigurationError as error:
        print(error)
"""


def test_a_missing_package_is_named():
    said = subprocess.run([sys.executable, "-c", MISSING], check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == [
        'PostgresQuota needs psycopg: pip install "fusedesk_async[postgres]"',
        'RedisQuota needs redis-py: pip install "fusedesk_async[redis]"',
    ]


@pytest.mark.parametrize(
    ("name", "driver", "url"), [("_postgres", "psycopg", "postgresql://db/work"), ("_redis", "redis", "redis://cache")]
)
def test_it_is_named_in_this_process_too(name, driver, url, monkeypatch):
    monkeypatch.setitem(sys.modules, driver, None)
    monkeypatch.delitem(sys.modules, f"fusedesk_async.fleet.{name}", raising=False)
    with pytest.raises(ConfigurationError, match="pip install"):
        shared_quota(url)


def test_what_is_there_can_be_seen():
    assert set(fleet.__all__) <= set(dir(fleet))
