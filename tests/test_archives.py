"""Folders as bytes, and zips of them."""

import io
import zipfile

from autograder.archives import packed, tree


def test_a_folder_is_its_files(tmp_path):
    """Paths are relative, deeper ones with a slash; what Python and Jupyter leave behind is not there."""
    for name in ("a.txt", "deep/er/b.txt", "__pycache__/a.pyc", "deep/.ipynb_checkpoints/b.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert tree(tmp_path) == {"a.txt": b"a.txt", "deep/er/b.txt": b"deep/er/b.txt"}
    assert tree(tmp_path / "deep", "kit/here") == {"kit/here/er/b.txt": b"deep/er/b.txt"}
    assert tree(tmp_path / "nowhere") == {}


def test_a_zip_is_the_same_each_time():
    """Neither the order of the files nor the time of day changes a byte; only programs may be run."""
    files = {"run": "#!/bin/sh", "data/x": b"\0\1"}
    content = packed(files, programs=("run",))
    assert content == packed(dict(reversed(files.items())), programs=("run",))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"run": b"#!/bin/sh", "data/x": b"\0\1"}
        assert {e.filename: e.external_attr >> 16 for e in archive.infolist()} == {"run": 0o755, "data/x": 0o644}
