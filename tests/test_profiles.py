"""What is known of a server is kept: a second run asks nothing again, and what is wrong is noticed."""

import stat
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from fusedesk_async import (
    CannotTellError,
    ConfigurationError,
    FuseDesk,
    FuseDeskWarning,
    NewCase,
    OutcomeUnknownError,
    ServerProfile,
)
from fusedesk_async._wire.profile import LearnedProfile
from fusedesk_async.export import export_cases
from fusedesk_async.sandbox import FixedHour, Sandbox, SandboxProfile, VirtualClock

CALLS = {
    "usual": (4, 4),
    "bare order": (7, 5),
    "no order": (15, 14),
    "unordered suffix": (6, 5),
    "small limit": (9, 6),
    "silent cap": (11, 10),
    "no matches": (8, 4),
    "descending": (5, 5),
    "used": (4, 4),
}
"""Calls of the first and of a second run."""
pytestmark = pytest.mark.anyio
TODAY = date(2026, 6, 30)
ODD: dict[str, dict[str, Any]] = {
    "usual": {},
    "bare order": {"orders": ("caseid",)},
    "no order": {"orders": (), "default_order": "date_updated desc"},
    "unordered suffix": {"orders": ("caseid asc",)},
    "small limit": {"largest_limit": 100},
    "silent cap": {"largest_limit": 40, "over_limit": "cut"},
    "no matches": {"no_matches": "false"},
    "descending": {"orders": (), "default_order": "caseid desc"},
    "used": {"usage_counts": "used", "usage_header": "X-FuseDesk-Usage-Today"},
}


def make(cases: int = 260, **fields: Any) -> Sandbox:
    return Sandbox(cases, clock=VirtualClock(), limit=FixedHour(1_800), profile=SandboxProfile(**fields))


def client(sandbox: Sandbox, **options: Any) -> FuseDesk:
    return FuseDesk(
        "sandbox",
        api_key=sandbox.api_key,
        transport=options.pop("transport", None) or httpx.ASGITransport(sandbox.app),
        clock=VirtualClock(),
        **options,
    )


async def walked(desk: FuseDesk, **filters: Any) -> list[int]:
    async with desk.cases.walk(concurrency=1, **filters) as walk:
        return [case.id async for case in walk]


async def run(sandbox: Sandbox, **options: Any) -> tuple[ServerProfile, int]:
    """A whole walk and an empty one, with a client of their own; what is known then, and how many calls they took."""
    before = len(sandbox.received)
    async with client(sandbox, **options) as desk:
        assert sorted(await walked(desk)) == [*sandbox.state.cases.ids()]
        assert await walked(desk, department_id=999_999) == []
        profile = desk.profile
    return profile, len(sandbox.received) - before


@pytest.mark.filterwarnings("ignore:the server does not keep the order")
@pytest.mark.parametrize("kind", ODD)
async def test_a_second_run_asks_nothing_again(kind: str, tmp_path: Path) -> None:
    sandbox, file = make(**ODD[kind]), tmp_path / "server.json"
    profile, first = await run(sandbox, profile=file)
    assert ServerProfile.load(file) == profile
    again, second = await run(sandbox, profile=str(file))
    third, other = await run(sandbox, profile=profile)
    assert attrs.evolve(again, usage_counts=profile.usage_counts) == profile
    assert (third, other) == (again, second)
    assert ServerProfile.load(file) == again
    assert (first, second) == CALLS[kind]
    if kind == "small limit":
        assert [each.status for each in sandbox.received].count(405) == 3  # all of them in the first run


WRONG: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("order", {"order": "caseid"}, {"orders": ("caseid asc",)}, {"order": "caseid asc"}),
    ("no order", {"order": ""}, {}, {"order": "caseid asc"}),
    ("no order, unordered", {"order": ""}, {"orders": ("caseid",)}, {"order": "caseid"}),
    (
        "order, descending",
        {"order": "caseid"},
        {"orders": ("caseid asc",), "default_order": "caseid desc"},
        {"order": "caseid asc"},
    ),
    ("direction", {"direction": "descending"}, {}, {"direction": "ascending"}),
    ("no direction", {"direction": "none"}, {}, {"direction": None}),
    ("descending", {"descending": True}, {"orders": ("caseid asc",)}, {"descending": False}),
    ("limit", {"page_limit": 300}, {"largest_limit": 100}, {"page_limit": 100}),
    ("nothing", {"nothing": "null"}, {}, {"nothing": None}),
    ("header", {"usage_header": "x-left"}, {}, {"usage_header": "x-fusedesk-usage-remaining"}),
    ("counts", {"usage_counts": "used"}, {"largest_limit": 20, "over_limit": "cut"}, {"usage_counts": "left"}),
    (
        "counts left",
        {"usage_counts": "left"},
        {"largest_limit": 20, "over_limit": "cut", "usage_counts": "used"},
        {"usage_counts": "used"},
    ),
]
PESSIMISTIC: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("not descending", {"descending": False}, {}, {"descending": True}),
    ("small limit", {"page_limit": 30}, {}, {"page_limit": None}),
    ("short pages", {"short_pages": True}, {}, {"short_pages": None}),
    ("bare order", {"order": "caseid"}, {}, {"order": None}),
    ("keeps date", {"keeps_date_opened": True}, {}, {"keeps_date_opened": None}),
    ("filter", {"date_filter_works": True}, {}, {"date_filter_works": None}),
]


@pytest.mark.parametrize(("given", "server", "right"), [each[1:] for each in WRONG], ids=[each[0] for each in WRONG])
@pytest.mark.parametrize("learned_on", [TODAY, None])
async def test_a_wrong_profile_is_noticed(
    given: dict[str, Any], server: dict[str, Any], right: dict[str, Any], learned_on: date | None
) -> None:
    profile, _ = await run(make(**server), profile=ServerProfile(**given, learned_on=learned_on))
    for name, value in right.items():
        usual = {"order": {None, value}}.get(name, {value}) if learned_on is None else {value}
        assert getattr(profile, name) in usual


@pytest.mark.parametrize(
    ("given", "server", "right"), [each[1:] for each in PESSIMISTIC], ids=[each[0] for each in PESSIMISTIC]
)
async def test_what_nothing_would_contradict_is_not_believed_for_ever(
    given: dict[str, Any], server: dict[str, Any], right: dict[str, Any]
) -> None:
    for age in (None, 30, 29):
        learned_on = None if age is None else TODAY - timedelta(days=age)
        profile, _ = await run(make(**server), profile=ServerProfile(**given, learned_on=learned_on))
        for name, value in (given if age == 29 else right).items():
            assert getattr(profile, name) == value


def test_a_day_far_in_the_future_is_believed_no_longer_than_one_in_the_past() -> None:
    for days, limit in ((1, 30), (29, 30), (30, None), (3_650, None)):
        assert ServerProfile(page_limit=30, learned_on=TODAY + timedelta(days=days)).believed(TODAY).page_limit == limit


@pytest.mark.parametrize(("own", "given"), [(0, 29), (29, 0)])
def test_what_is_known_is_as_old_as_the_oldest_of_it(own: int, given: int) -> None:
    days = [TODAY - timedelta(days=own)]
    learned = LearnedProfile(today=lambda: days[-1])
    learned.learn(descending=True)
    days.append(TODAY)
    learned.begin_with(ServerProfile(page_limit=30, learned_on=TODAY - timedelta(days=given)))
    assert learned.value.page_limit == 30
    assert learned.value.learned_on == TODAY - timedelta(days=29)


def test_a_profile_that_says_nothing_new_makes_what_is_known_no_older() -> None:
    learned = LearnedProfile(today=lambda: TODAY)
    learned.learn(page_limit=30)
    learned.begin_with(ServerProfile(page_limit=40, learned_on=TODAY - timedelta(days=29)))
    assert learned.value == ServerProfile(page_limit=30, learned_on=TODAY)


async def test_one_thing_that_is_wrong_makes_the_rest_doubtful() -> None:
    given = ServerProfile(direction="descending", page_limit=30, short_pages=True, learned_on=TODAY)
    profile, _ = await run(make(), profile=given)
    assert (profile.direction, profile.page_limit, profile.short_pages) == ("ascending", None, None)


async def test_clients_of_the_same_server_share_what_they_find_out() -> None:
    sandbox = make(largest_limit=100)
    transport = httpx.ASGITransport(sandbox.app)
    profile, first = await run(sandbox, transport=transport)
    again, second = await run(sandbox, transport=transport)
    other, third = await run(sandbox)
    assert (again, other) == (profile, profile)
    assert (first, second, third) == (9, 6, 9)
    async with client(sandbox, transport=transport, base_url="https://desk.example") as desk:
        assert desk.profile == ServerProfile()


async def test_a_transport_that_cannot_be_referred_to_is_a_server_of_its_own() -> None:
    sandbox = make(3)

    class Slotted:
        __slots__ = ("inner",)

        def __init__(self) -> None:
            self.inner = httpx.ASGITransport(sandbox.app)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return await self.inner.handle_async_request(request)

        async def aclose(self) -> None:
            await self.inner.aclose()

    transport: Any = Slotted()
    for _ in range(2):
        async with client(sandbox, transport=transport) as desk:
            assert desk.profile == ServerProfile()
            assert await walked(desk) == [1, 2, 3]


def test_clients_without_a_transport_share_by_address_and_app() -> None:
    one, other = (FuseDesk("acme", api_key="k" * 20, clock=VirtualClock()) for _ in range(2))
    third = FuseDesk("other", api_key="k" * 20, clock=VirtualClock())
    one.begin_with(ServerProfile(descending=True))
    assert (other.profile.descending, third.profile.descending) == (True, None)


def test_threads_lose_nothing_of_what_others_have_found_out() -> None:
    learned = LearnedProfile()
    names = [field.name for field in attrs.fields(ServerProfile) if field.name != "learned_on"]
    barrier = threading.Barrier(len(names))

    def learn(name: str) -> None:
        barrier.wait()
        learned.learn(**{name: f"value of {name}"})

    threads = [threading.Thread(target=learn, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(getattr(learned.value, name) == f"value of {name}" for name in names)


@pytest.mark.parametrize("suffix", ["jsonl", "db"])
async def test_an_export_that_goes_on_asks_nothing_again(tmp_path: Path, suffix: str) -> None:
    sandbox, out = make(largest_limit=100, no_matches="null"), tmp_path / f"out.{suffix}"
    sandbox.fault("search", nth=7, times=100, status=500)
    async with client(sandbox) as desk:
        with pytest.raises(Exception, match="500"):
            await export_cases(desk, out, outage=0.01)
        first = desk.profile
    sandbox.received.clear()
    sandbox._front.script._scripted.clear()
    async with client(sandbox) as desk:
        report = await export_cases(desk, out)
        assert desk.profile.page_limit == first.page_limit == 100
    assert (report.cases, [each.status for each in sandbox.received].count(405)) == (260, 0)
    if suffix == "db":
        async with client(sandbox) as desk:
            await export_cases(desk, out, update=True)
        assert [each.status for each in sandbox.received].count(405) == 0


async def test_a_file_is_private_and_holds_nothing_of_a_customer(tmp_path: Path) -> None:
    sandbox, file = make(), tmp_path / "server.json"
    async with client(sandbox, profile=file) as desk:
        await walked(desk)
        assert not file.exists()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert not any(secret in text for secret in (sandbox.api_key, "fusedesk.com", "https"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no JSON"),
        (b"\xff", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "no profile of a server of version 1"),
        (b'{"version": 2}', "no profile of a server of version 1"),
        (b'{"version": 1, "page_limit": 0}', "cannot be right"),
        (b'{"version": 1, "order": "caseid upwards"}', "cannot be right"),
    ],
)
def test_a_file_that_holds_no_profile_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "server.json"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=words) as error:
        client(make(0), profile=file)
    assert str(file) in str(error.value)


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the profile in"):
        client(make(0), profile=tmp_path)
    with pytest.raises(ConfigurationError, match="cannot write the profile to"):
        ServerProfile().save(tmp_path / "missing" / "server.json")
    with pytest.raises(ConfigurationError, match=r"there is no folder .*missing for the profile"):
        client(make(0), profile=tmp_path / "missing" / "server.json")
    for wrong in ("", 5):
        with pytest.raises(ConfigurationError, match="profile is the path of a file"):
            client(make(0), profile=wrong)
    with pytest.raises(ConfigurationError, match="cannot be right"):
        client(make(0), profile=ServerProfile(page_limit=-1))


async def test_a_profile_that_cannot_be_written_in_the_end_hides_no_other_error(tmp_path: Path) -> None:
    sandbox, folder = make(), tmp_path / "folder"
    folder.mkdir()

    async def fail() -> None:
        async with client(sandbox, profile=folder / "server.json") as desk:
            await walked(desk)
            folder.rmdir()
            message = "own"
            raise KeyError(message)

    with pytest.warns(FuseDeskWarning, match="cannot write the profile to"), pytest.raises(KeyError, match="own"):
        await fail()


def test_a_profile_survives_json() -> None:
    whole = ServerProfile(
        order="",
        direction="none",
        descending=False,
        page_limit=7,
        nothing="404",
        short_pages=True,
        usage_header="x-left",
        usage_counts="used",
        keeps_date_opened=False,
        date_filter_works=True,
        learned_on=TODAY,
    )
    assert ServerProfile.from_json(whole.to_json() | {"colour": "blue"}) == whole
    assert ServerProfile.from_json(ServerProfile().to_json()) == ServerProfile()
    assert whole.believed(TODAY) == whole


def test_the_environment_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ServerProfile(descending=True).save(tmp_path / "server.json")
    monkeypatch.setenv("FUSEDESK_APP", "acme")
    monkeypatch.setenv("FUSEDESK_API_KEY", "k" * 20)
    assert FuseDesk.from_env().profile == ServerProfile()
    monkeypatch.setenv("FUSEDESK_PROFILE", str(tmp_path / "server.json"))
    assert FuseDesk.from_env().profile.descending
    assert (
        FuseDesk.from_env(
            profile=ServerProfile(descending=False, learned_on=datetime.now(UTC).date())
        ).profile.descending
        is False
    )


NEW = NewCase(
    department_id=0, summary="s", details="d", opened_by="o", date_opened=datetime(2026, 1, 5, 12, tzinfo=UTC)
)


async def find(sandbox: Sandbox, desk: FuseDesk, **options: Any) -> Any:
    department = next(iter(sandbox.state.departments))
    new = attrs.evolve(NEW, department_id=department)
    sent_at = datetime.fromtimestamp(desk.clock.time(), UTC)
    await desk.cases.create(new)
    return await desk.cases.find_created(new, sent_at=sent_at, **options)


async def test_what_becomes_of_dates_is_known_to_the_next_client() -> None:
    sandbox = make()
    async with client(sandbox) as desk:
        await find(sandbox, desk)
        profile = desk.profile
    assert (profile.keeps_date_opened, profile.date_filter_works) == (True, True)
    calls = list[int]()
    for given in (ServerProfile(), profile):
        async with client(sandbox, profile=given) as desk:
            new = attrs.evolve(NEW, department_id=next(iter(sandbox.state.departments)), summary="another")
            sandbox.received.clear()
            assert await desk.cases.find_created(new, sent_at=datetime.fromtimestamp(desk.clock.time(), UTC)) is None
            calls.append(len(sandbox.received))
    assert calls[0] > calls[1]


async def test_a_wrong_belief_about_dates_repeats_no_write() -> None:
    sandbox = make(keeps_date_opened=False)
    given = ServerProfile(keeps_date_opened=True, date_filter_works=True, learned_on=TODAY)
    async with client(sandbox, profile=given) as desk:
        sandbox.fault("create", drop=True, after=True)
        new = attrs.evolve(NEW, department_id=next(iter(sandbox.state.departments)))
        sent_at = datetime.fromtimestamp(desk.clock.time(), UTC)
        with pytest.raises(OutcomeUnknownError):
            await desk.cases.create(new)
        with pytest.raises(CannotTellError):
            await desk.cases.find_created(new, sent_at=sent_at)
        await find(sandbox, desk)
        assert desk.profile.keeps_date_opened is False


class RefusesOrders(httpx.ASGITransport):
    """A server that takes no `orderby`, and sends its cases by id."""

    refused = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "orderby" in request.url.params:
            self.refused += 1
            return httpx.Response(405, json={"error": "Unknown parameter", "errorcode": "api_error_invalid"})
        return await super().handle_async_request(request)


@pytest.mark.parametrize("largest", [None, 100])
async def test_a_server_that_takes_no_order_is_asked_for_one_once(largest: int | None) -> None:
    sandbox = make(default_order="caseid asc", largest_limit=largest)
    refused = list[int]()
    given = ServerProfile()
    for _ in range(2):
        transport = RefusesOrders(sandbox.app)
        async with client(sandbox, transport=transport, profile=given) as desk:
            assert await walked(desk) == [*range(1, 261)]
            given = desk.profile
        assert (given.order, given.descending, given.page_limit) == ("", False, largest)
        refused.append(transport.refused)
    assert refused[1] == 1
    assert refused[0] > refused[1]
    given = attrs.evolve(given, page_limit=None)
    async with client(sandbox, transport=RefusesOrders(sandbox.app), profile=given) as desk:
        assert await walked(desk) == [*range(1, 261)]
        assert (desk.profile.order, desk.profile.page_limit) == ("", largest)


async def test_what_a_client_has_seen_itself_is_not_replaced() -> None:
    sandbox = make()
    async with client(sandbox) as desk:
        await find(sandbox, desk)
        desk.begin_with(ServerProfile(keeps_date_opened=False, learned_on=TODAY))
        assert desk.profile.keeps_date_opened is True
