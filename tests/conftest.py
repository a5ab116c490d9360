import os

import hypothesis
import pytest
from database_servers import running_postgres, running_redis
from limiter_calls import respond

from fusedesk_async import RateLimiter
from fusedesk_async._wire import profile
from fusedesk_async.sandbox import VirtualClock

pytest_plugins = ["fusedesk_async.pytest_plugin", "pytester"]
# a busy machine fails no test, and the same code has the same verdict each time; the long mode looks at other examples
hypothesis.settings.register_profile("usual", deadline=None, derandomize="FUSEDESK_TEST_EXAMPLES" not in os.environ)
hypothesis.settings.load_profile("usual")
SELECTIONS = ("keyword", "markexpr", "lf", "deselect", "ignore", "ignore_glob")


def is_whole_suite(config):
    """Whether nothing narrows the run down, so that all that can be covered will be."""
    from_testpaths = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return from_testpaths and not any(config.getoption(name, None) for name in SELECTIONS)


def pytest_xdist_auto_num_workers(config):
    """One process a core for the whole suite; none for a few tests, which are over sooner than processes begin."""
    return os.cpu_count() if is_whole_suite(config) else 0


def pytest_configure(config):
    """Hold the whole suite to its coverage, and nothing less than that."""
    coverage = config.pluginmanager.getplugin("_cov")
    if coverage and not is_whole_suite(config) and not hasattr(config, "workerinput"):
        coverage.options.cov_fail_under, coverage.options.cov_report = 0, {}


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture(autouse=True)
def _own_profiles():
    """What a test has found out about a server is not known to the next one, which has another under its name."""
    profile._shared.clear()


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server out of a wheel; a test that stops it starts it again."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server):
    """The address of a database with nothing in it."""
    return postgres_server.new_database()


@pytest.fixture(scope="session")
def redis_server():
    """A Redis server out of a wheel; a test that stops it starts it again."""
    with running_redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server):
    """The address of a server with nothing in it."""
    redis_server.empty()
    return redis_server.url


@pytest.fixture
def clock():
    """Time that passes only when everybody waits for it."""
    return VirtualClock()


@pytest.fixture
async def limiter(clock):
    """A limiter that has got one response: the very first call goes alone."""
    limiter = RateLimiter()
    limiter.attach(clock)
    await respond(limiter)
    return limiter
