"""Importing: `import fusedesk_async` as a multiple of importing its core dependencies alone.

    uv run python benchmarks/imports.py

Processor time of fresh interpreters less that of a bare one, best of interleaved rounds, from compiled modules as after
the first start. Bar: 1.15 x. Of the dependencies those modules are imported that `fusedesk_async` itself makes load;
anyio loads its own on demand. The ratio with the plain packages is shown, too. What is loaded with the first client is
paid by everybody who makes one, so there is a row for both together, as a multiple of importing the same packages and
making a bare `httpx.AsyncClient`.
"""

import os
import resource
import subprocess
import sys
from tempfile import TemporaryDirectory

from _bench import judge, print_table

ROUNDS = 25
BAR = 1.15
DEPENDENCIES = ("anyio", "attr", "attrs", "cattrs", "httpx", "msgspec", "tenacity")
EXTRAS = {"click", "orjson", "pytest", "python_multipart", "rich", "starlette", "trio", "uvicorn"}
PLAIN = f"import {', '.join(DEPENDENCIES)}"
OURS = "import fusedesk_async"
OUR_FIRST_CLIENT = f"{OURS}; fusedesk_async.FuseDesk('acme', api_key='key')"
BARE_FIRST_CLIENT = f"{PLAIN}; httpx.AsyncClient()"


def modules_after(program: str) -> list[str]:
    """What a program loads, in that order."""
    command = [sys.executable, "-c", f"{program}; import sys; print(*sys.modules)"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def processor_time(program: str, cache: str) -> float:
    """Seconds a fresh interpreter spends on a program; compiled modules are kept in a folder of ours."""
    environment = os.environ | {"PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def measure(programs: dict[str, str]) -> dict[str, float]:
    """The least seconds of each program, above those of a bare interpreter."""
    programs = {"bare": "pass"} | programs
    best = dict.fromkeys(programs, float("inf"))
    with TemporaryDirectory() as cache:
        for _ in range(ROUNDS):
            for name, program in programs.items():
                best[name] = min(best[name], processor_time(program, cache))
    bare = best.pop("bare")
    return {name: seconds - bare for name, seconds in best.items()}


def main() -> None:
    loaded = modules_after(OURS)
    used = [module for module in loaded if module.partition(".")[0] in DEPENDENCIES]
    programs = {"core dependencies": f"import {', '.join(used)}", "their plain packages": PLAIN, OURS: OURS}
    clients = {"plain packages + bare httpx client": BARE_FIRST_CLIENT, "import + first client": OUR_FIRST_CLIENT}
    best = measure(programs | clients)
    base = best["core dependencies"]
    print_table(["imported", "processor time"], [[name, f"{seconds / base:.2f} x"] for name, seconds in best.items()])
    first = best["import + first client"] / best["plain packages + bare httpx client"]
    print(f"import + first client is {first:.2f} x of the plain packages + a bare httpx client")
    print(f"{OURS} is {best[OURS] / best['their plain packages']:.2f} x of the plain packages")
    theirs = EXTRAS.intersection(modules_after(PLAIN))  # httpx loads click and rich, where present, for its own CLI
    extras = EXTRAS.intersection(loaded) - theirs
    print(f"extras loaded by httpx's own CLI: {', '.join(sorted(theirs)) or 'none'}")
    print(f"extras loaded by fusedesk_async: {', '.join(sorted(extras)) or 'none'}")
    judge([("importing", best[OURS] / base, BAR), ("extras loaded", len(extras), 0)])


if __name__ == "__main__":
    main()
