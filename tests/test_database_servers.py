"""The servers of databases that tests run against: empty for each test, and there again after they were stopped."""

import psycopg
import pytest
import redis


def test_each_database_is_empty_and_survives_a_stop_of_its_server(postgres_server, postgres_url):
    assert postgres_server.new_database() != postgres_url
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    postgres_server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_url)
    postgres_server.start()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_redis_knows_nothing_after_a_stop(redis_server, redis_url):
    with redis.from_url(redis_url) as connection:
        connection.set("name", "Amir")
        redis_server.stop()
        with pytest.raises(redis.ConnectionError):
            connection.get("name")
        redis_server.start()
        assert connection.get("name") is None
