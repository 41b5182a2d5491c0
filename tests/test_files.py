"""A file is complete or not there at all, and who may read it follows from the umask."""

import json
import os
import stat

import pytest

from mibounds import _files
from mibounds._files import write_bytes, write_json, write_text


@pytest.fixture
def umask():
    """Sets the umask, and sets it back."""
    before = os.umask(0o022)
    os.umask(before)
    yield os.umask
    os.umask(before)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_bytes_text_and_records_are_written(tmp_path):
    write_bytes(tmp_path / "a.bin", memoryview(b"\x00\xff"))
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\xff"
    write_text(tmp_path / "a.txt", "Größe\n")
    assert (tmp_path / "a.txt").read_bytes() == "Größe\n".encode()
    write_json(str(tmp_path / "a.json"), {"value": 0.1, "n": [1, None]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"value": 0.1, "n": [1, None]}
    assert text.startswith('{\n  "value": 0.1,')
    assert text.endswith("}\n")
    assert names(tmp_path) == ["a.bin", "a.json", "a.txt"], "and nothing else"


def test_a_file_is_replaced_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"

    def full(_):
        assert path.read_bytes() == b"new", "the old one is there until the new one is complete"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_bytes(path, b"newer")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["a.bin"], "no half of a file is left"


def test_an_interrupted_writing_leaves_nothing(tmp_path, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_files.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(tmp_path / "a.txt", "text")
    assert names(tmp_path) == []


def test_a_record_that_json_cannot_hold_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "a.json", {"value": 1})
    with pytest.raises(TypeError, match="not JSON serializable"):
        write_json(tmp_path / "a.json", {"value": object()})
    assert json.loads((tmp_path / "a.json").read_text()) == {"value": 1}
    assert names(tmp_path) == ["a.json"]


def test_a_missing_folder_gives_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        write_text(tmp_path / "nowhere" / "a.txt", "text")
    assert str(caught.value) == f"There is no folder {str(tmp_path / 'nowhere')!r} to write a.txt into: make it first."


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize("mask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_says_who_may_read_a_file(tmp_path, umask, mask, mode):
    umask(mask)
    write_bytes(tmp_path / "a.bin", b"")
    assert stat.S_IMODE((tmp_path / "a.bin").stat().st_mode) == mode
