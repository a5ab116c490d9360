"""Who may read what an export leaves, from its first byte on; and outputs that cannot be renamed onto."""

import errno
import os
import stat

import attrs
import pytest
from exports import NAMES, bookmark, ids_in, job, rows, sink

from fusedesk_async import ConfigurationError, ExportError, FuseDeskWarning
from fusedesk_async import _durable_files as durable_files
from fusedesk_async.export import plan_export

UNSUPPORTED = [errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP]


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def usual_umask():
    before = os.umask(0o022)
    durable_files.warn_of_missing_safety.cache_clear()
    yield
    os.umask(before)


def export(path, ids=(1,), *, mode=None, while_open=lambda: None):
    output = sink(path, mode=mode)
    try:
        reached = output.open(job(path.name), resume="auto", overwrite=True)
        output.write(rows(ids), attrs.evolve(reached, phase="complete", bookmark=bookmark(ids[-1])))
        while_open()
        output.finish()
        output.forget()
    finally:
        output.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_new_output_is_its_owners_alone_from_the_start(name, tmp_path):
    seen = {}
    export(tmp_path / name, while_open=lambda: seen.update({each.name: mode_of(each) for each in tmp_path.iterdir()}))
    assert f"{name}.part" in seen
    assert set(seen.values()) == {0o600}
    assert mode_of(tmp_path / name) == 0o600


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("before", [0o600, 0o640, 0o664])
def test_an_output_that_is_replaced_keeps_its_permissions(name, before, tmp_path):
    export(tmp_path / name)
    (tmp_path / name).chmod(before)
    if os.getuid() == 0:
        os.chown(tmp_path / name, 1000, 1001)
    export(tmp_path / name, [2])
    assert ids_in(tmp_path / name) == [2]
    assert mode_of(tmp_path / name) == before
    if os.getuid() == 0:
        assert ((tmp_path / name).stat().st_uid, (tmp_path / name).stat().st_gid) == (1000, 1001)


@pytest.mark.parametrize("name", NAMES)
def test_permissions_may_be_asked_for(name, tmp_path):
    export(tmp_path / name, mode=0o644)
    assert mode_of(tmp_path / name) == 0o644
    export(tmp_path / name, mode=0o600)
    assert mode_of(tmp_path / name) == 0o600


@pytest.mark.parametrize("mode", [-1, 0o1000, True, "600"])
async def test_what_are_no_permissions_is_refused(mode, anyio_backend):
    with pytest.raises((ConfigurationError, TypeError)):
        await plan_export(NoClient(), "out.jsonl", mode=mode)


class NoClient:
    base_url = "https://acme.fusedesk.com"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV])
def test_an_output_that_nothing_can_be_renamed_onto_gets_the_content(name, number, tmp_path, monkeypatch):
    export(tmp_path / name, [1, 2, 3, 4])
    inode = (tmp_path / name).stat().st_ino
    really = type(tmp_path).replace

    def replace(self, target):
        if target == tmp_path / name:
            raise OSError(number, os.strerror(number))
        return really(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", replace)
    export(tmp_path / name, [2])
    assert ids_in(tmp_path / name) == [2]
    assert (tmp_path / name).stat().st_ino == inode
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["out.jsonl", "out.db"])
def test_any_other_failure_of_the_last_step_leaves_the_part(name, tmp_path, monkeypatch):
    really = type(tmp_path).replace

    def replace(self, target):
        if target == tmp_path / name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return really(self, target)

    monkeypatch.setattr(type(tmp_path), "replace", replace)
    with pytest.raises(ExportError, match="cannot write"):
        export(tmp_path / name)
    monkeypatch.undo()
    again = sink(tmp_path / name)
    assert again.open(job(name), resume="require", overwrite=True).phase == "complete"
    again.finish()
    again.forget()
    again.close()
    assert ids_in(tmp_path / name) == [1]


@pytest.mark.parametrize("number", UNSUPPORTED)
@pytest.mark.parametrize("name", ["out.jsonl", "out.db"])
def test_a_file_system_without_locks_is_told_of_once_and_does(name, number, tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(durable_files.fcntl, "flock", flock)
    with pytest.warns(FuseDeskWarning, match="cannot lock files against other processes"):
        export(tmp_path / name)
    export(tmp_path / name, [2])  # without a warning, which would be an error here
    assert ids_in(tmp_path / name) == [2]


@pytest.mark.parametrize("number", UNSUPPORTED)
@pytest.mark.parametrize("name", ["out.jsonl", "out.db"])
def test_a_file_system_that_cannot_sync_folders_is_told_of_once_and_does(name, number, tmp_path, monkeypatch):
    really = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.warns(FuseDeskWarning, match="cannot make new names in a folder durable"):
        export(tmp_path / name)
    assert ids_in(tmp_path / name) == [1]


def test_a_folder_that_fails_or_cannot_be_opened(tmp_path, monkeypatch):
    def fails(number):
        def fail(*_):
            raise OSError(number, os.strerror(number))

        return fail

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails(errno.EIO))
        with pytest.raises(OSError, match="Input/output"):
            durable_files.sync_folder(tmp_path)
        patched.setattr(os, "open", fails(errno.EACCES))
        durable_files.sync_folder(tmp_path)  # as on Windows, where no folder can be opened


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_ends_it(number, tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(number, os.strerror(number))

    for module, name in ((os, "fsync"), (durable_files.fcntl, "flock")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, fails)
            with pytest.raises(ExportError, match="cannot write"):
                export(tmp_path / "out.jsonl")
