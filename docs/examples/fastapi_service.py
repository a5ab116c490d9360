"""A web service that reads cases and adds notes, behind any number of workers.

    pip install fastapi uvicorn fusedesk_async
    export FUSEDESK_APP=acme FUSEDESK_API_KEY=…
    export FUSEDESK_SHARED_QUOTA=sqlite:////var/lib/acme/fusedesk.quota
    uvicorn fastapi_service:app --workers 4

Each worker has one client for as long as it runs. What they know of the hourly quota they share by
`FUSEDESK_SHARED_QUOTA`, so that together they stay inside it. A person waits five seconds for quota and no longer; then
the service says when to come again.
"""

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from fusedesk_async import (
    AnswerLostError,
    ConfigurationError,
    FuseDesk,
    FuseDeskError,
    NameLookupError,
    NewNote,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitError,
    RequestRejectedError,
    RetryPolicy,
    ServerError,
    UnexpectedResponseError,
)

PATIENCE = 5.0
STATUSES: Mapping[type[FuseDeskError], int] = {
    NotFoundError: 404,
    NameLookupError: 422,  # a name that no department, rep or tag has
    RequestRejectedError: 422,
    RateLimitError: 503,  # with Retry-After
    NotSentError: 503,  # nothing happened: it may be sent again
    ServerError: 502,
    UnexpectedResponseError: 502,
    AnswerLostError: 504,
    OutcomeUnknownError: 504,  # a write that may have happened: look before it is sent again
    ConfigurationError: 500,
    FuseDeskError: 500,  # our key is wrong or lacks a permission; that is no business of who asks
}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for as long as the worker runs."""
    async with FuseDesk.from_env(retry=RetryPolicy(patience=PATIENCE)) as app.state.desk:
        yield


app = FastAPI(lifespan=lifespan)


@app.exception_handler(FuseDeskError)
async def on_failure(_: Request, error: Exception) -> JSONResponse:
    """The response to whatever can go wrong with a call."""
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    headers = {}
    if isinstance(error, RateLimitError) and error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return JSONResponse({"detail": str(error)}, status, headers)


@app.get("/cases/{case_id}")
async def read_case(case_id: int, request: Request) -> dict[str, Any]:
    """A case with the number of items in its history."""
    case = await request.app.state.desk.cases.get(case_id)
    return {"id": case.id, "summary": case.summary, "status": case.status, "items": len(case.history)}


@app.get("/cases")
async def find_cases(request: Request, department: str) -> list[dict[str, Any]]:
    """The ten newest cases of a department, given by its name."""
    found = request.app.state.desk.cases.search(department=department, status="all", page_size=10)
    page = await anext(found.pages(), None)
    return [{"id": case.id, "summary": case.summary} for case in (page.items if page else ())]


@app.post("/cases/{case_id}/notes", status_code=204)
async def add_note(case_id: int, request: Request) -> Response:
    """Add the body of the request to a case as a note. It is never sent twice."""
    text = (await request.body()).decode()
    await request.app.state.desk.cases.add_note(case_id, NewNote(title="From the service", note=text))
    return Response(status_code=204)
