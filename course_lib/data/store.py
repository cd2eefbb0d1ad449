"""The cache of real data on this machine: what is in it, what is fetched or imported into it.

Each set has a folder of its own below the cache's: its files as published, or ``imported.npz`` / ``imported.json``, made
from a file that a teacher had. A file gets its name only when it is whole, so an interrupted download, a full disk or a
second process leave nothing half done.

What happens when the real data is not there and cannot be had:

- `GRADUS_OFFLINE` is set, no network, no answer, a broken connection, Pooch not installed: the stand-in;
- wrong content twice, a full disk, a folder that cannot be used, a damaged import: `DataError`.
"""

import errno
import hashlib
import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from . import readers
from .sources import SOURCES
from .values import DataError, Images, Names, Text

COMMAND = "python -m course_lib.data"
PARTS = ("x_train", "y_train", "x_test", "y_test")
LEFT_OVER = 86400  # seconds after which a temporary file belongs to nobody


class Unreachable(DataError):
    """The real data cannot be had just now, so that a stand-in will do; the text says why."""


class Store:
    """The cache in one folder.

    Args:
        folder: where it is; the default is what GRADUS_DATA says, else the platform's folder for caches.
        sources: {name: Source}, the sets that there are.
        timeout: seconds to wait for a connection, and between two pieces of an answer.
    """

    def __init__(self, folder=None, sources=SOURCES, timeout=(5, 30)):
        self._folder = folder
        self.sources = sources
        self.timeout = timeout

    @property
    def folder(self):
        """The cache's Path; it need not exist."""
        chosen = self._folder or os.environ.get("GRADUS_DATA")
        return Path(chosen).expanduser() if chosen else Path(_pooch().os_cache("gradus"))

    def load(self, name, kind):
        """Return the Images, Text or Names called ``name``: what is in the cache, else fetched, else the stand-in.

        With GRADUS_OFFLINE set it is the stand-in, whatever is in the cache, so that a run can be repeated anywhere.

        Raises:
            DataError: there is no such set, or the cache is at fault.
        """
        source = self._source(name, kind)
        try:
            if offline():
                raise Unreachable("GRADUS_OFFLINE is set")
            parts, origin = self._imported(source) or self._published(source)
        except Unreachable as reason:
            return self._stand_in(source, reason)
        return _value(
            source, parts, source.classes, real=True, note=f"{source.title}, {origin}: {_sizes(source, parts)}."
        )

    def fetch(self, name):
        """Fetch the files of one set that are not in the cache, and use them from now on; return a note.

        Raises:
            DataError: it cannot be had, or the cache is at fault.
        """
        source = self._source(name)
        try:
            if offline():
                raise Unreachable("GRADUS_OFFLINE is set; unset it to fetch")
            parts, origin = self._published(source)
        except Unreachable as reason:
            raise DataError(f"{source.title} was not fetched: {reason}. By hand: `{_by_hand(source)}`.") from None
        with self._usable():
            self._import_path(source).unlink(missing_ok=True)
        return f"{source.title}, {origin}: {_sizes(source, parts)}."

    def add(self, name, paths):
        """Read files of a teacher's own and put them into the cache as the set ``name``; return a note.

        Args:
            paths: one file, or for a text also two: the part to train on and the part to test on.

        Raises:
            DataError: a file is not what it should be, or the cache is at fault.
        """
        source, paths = self._source(name), [Path(path) for path in paths]
        most = 2 if source.kind == "text" else 1
        if not 1 <= len(paths) <= most:
            raise DataError(
                f"{name} is imported from {'one file or two' if most == 2 else 'one file'}, not {len(paths)}."
            )
        try:
            if source.kind == "images":
                parts = readers.image_parts(paths[0], source.classes, source.shape)
            else:
                parts = (readers.text_parts if source.kind == "text" else readers.names_parts)(paths)
            sums = [_sha256(path) for path in paths]
        except OSError as error:
            raise DataError(f"{error.filename or paths[0]} cannot be read: {error.strerror}.") from None
        origin = f"imported from {' and '.join(path.name for path in paths)}"
        if sums == [file.sha256 for file in source.files]:
            origin += ", which has the checksum of the published file"
        target = self._import_path(source)
        with self._usable(), _written_whole(target) as file:
            if source.kind == "images":
                np.savez(file, origin=np.array(origin), **dict(zip(PARTS, parts, strict=True)))
            else:
                file.write(json.dumps({"origin": origin, "parts": parts}).encode())
        return f"{source.title}, {origin}: {_sizes(source, parts)}."

    def status(self):
        """Return a row (name, state, bytes in the cache) per set.

        The state is "imported", "fetched", "in part", "damaged" (a checksum is wrong) or "not here".
        """
        rows = []
        for source in self.sources.values():
            imported = self._import_path(source)
            with self._usable():
                here = [(file, self._path(source, file)) for file in source.files if self._path(source, file).is_file()]
                if imported.is_file():
                    rows.append((source.name, "imported", imported.stat().st_size))
                    continue
                size = sum(path.stat().st_size for _, path in here)
                damaged = any(_sha256(path) != file.sha256 for file, path in here)
            state = "fetched" if len(here) == len(source.files) else "in part"
            rows.append((source.name, "damaged" if damaged else state if here else "not here", size))
        return rows

    def _source(self, name, kind=None):
        names = [source.name for source in self.sources.values() if kind in (None, source.kind)]
        if name not in names:
            raise DataError(f"{name!r} is not among the {kind or 'sets'} here: {', '.join(names)}.")
        return self.sources[name]

    def _path(self, source, file):
        return self.folder / source.name / file.name

    def _import_path(self, source):
        return self.folder / source.name / ("imported.npz" if source.kind == "images" else "imported.json")

    def _imported(self, source):
        """Return (parts, origin) of what a teacher imported, or None."""
        path = self._import_path(source)
        with self._usable():
            if not path.is_file():
                return None
            try:
                if source.kind == "images":
                    with np.load(path, allow_pickle=False) as file:
                        return tuple(file[part] for part in PARTS), str(file["origin"])
                content = json.loads(path.read_bytes())
                return tuple(content["parts"]), content["origin"]
            except (*readers.BROKEN, KeyError, TypeError):
                raise DataError(f"{path} is damaged. Delete it, then import or fetch {source.name} again.") from None

    def _published(self, source):
        """Return (parts, origin) of the published files, fetched if need be."""
        if not source.files:
            raise Unreachable("it is licensed text, so only a copy of your own can be imported")
        with self._usable(source):
            missing = [file for file in source.files if not self._whole(source, file)]
            if missing:
                self._download(source, missing)
            parts = source.read([self._path(source, file) for file in source.files])
        return parts, f"fetched from {urlsplit(source.files[0].url).hostname}"

    def _whole(self, source, file):
        """Say whether a file is there with the right content. A damaged one stays until a whole one takes its place."""
        path = self._path(source, file)
        if not path.is_file():
            return False
        if _sha256(path) == file.sha256:
            return True
        print(f"{path.name} of {source.title} is damaged in the cache, so it is fetched again.", flush=True)
        return False

    def _download(self, source, files):
        import requests

        pooch = _pooch()
        pooch.get_logger().setLevel("WARNING")
        folder = self.folder / source.name
        for path in folder.glob("tmp*"):  # of a download that was killed
            if time.time() - path.stat().st_mtime > LEFT_OVER:
                path.unlink(missing_ok=True)
        host, size = urlsplit(files[0].url).hostname, sum(file.size for file in files)
        print(f"Fetching {source.title} from {host}, {size / 1e6:.1f} MB …", flush=True)
        cache = pooch.create(
            path=folder,
            base_url="",
            registry={file.name: f"sha256:{file.sha256}" for file in files},
            urls={file.name: file.url for file in files},
            retry_if_failed=1,
        )
        get = pooch.HTTPDownloader(progressbar=_shows_progress(), timeout=self.timeout)
        for file in files:
            try:
                cache.fetch(file.name, downloader=get)
            except requests.HTTPError as error:
                raise Unreachable(f"{host} answered: {error}") from None
            except requests.RequestException as error:
                raise Unreachable(f"{host} cannot be reached, or broke off ({type(error).__name__})") from None
            except ValueError:
                raise DataError(f"{file.name} came from {host} with the wrong content twice (its SHA-256 is not the published "
                                f"one). Try another network, or a copy: `{_by_hand(source)}`.") from None  # fmt: skip

    @contextmanager
    def _usable(self, source=None):
        """Turn what the disk refuses into a DataError that says what to do."""
        try:
            yield
        except OSError as error:
            folder = self.folder
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                size = sum(file.size for file in source.files) if source else 0
                needs = f" {source.title} needs {size / 1e6:.1f} MB." if source else ""
                raise DataError(f"there is no room left for the data in {folder}.{needs} Make room, or set GRADUS_DATA to a "
                                "folder on another disk.") from None  # fmt: skip
            raise DataError(f"the folder for data, {folder}, cannot be used: {error.strerror or error}. Set GRADUS_DATA to a "
                            "folder that you may write to.") from None  # fmt: skip

    def _stand_in(self, source, reason):
        made = source.stand_in
        note = f"This is a stand-in for {source.title}: {made.what} ({reason}). The real data: `{_how(source)}`."
        print(note, flush=True)
        return _value(source, made.make(), made.classes, real=False, note=note)


def offline():
    """Say whether GRADUS_OFFLINE asks for stand-ins."""
    return os.environ.get("GRADUS_OFFLINE", "") not in ("", "0")


def _how(source):
    """Return the command that gets the real data."""
    return f"{COMMAND} fetch {source.name}" if source.files else _by_hand(source)


def _by_hand(source):
    """Return the command that imports a copy that somebody has."""
    return f"{COMMAND} import {source.name} FILE"


def _value(source, parts, classes, *, real, note):
    if source.kind == "images":
        x_train, y_train, x_test, y_test = parts
        return Images(source.name, x_train, y_train, x_test, y_test, classes, real, note)
    train, test = parts
    return Text(source.name, train, test, real, note) if source.kind == "text" else Names(train, test, real, note)


def _sizes(source, parts):
    unit = {"images": "images", "text": "characters", "names": "names"}[source.kind]
    train, test = len(parts[0]), len(parts[len(parts) // 2])
    return f"{train:,} {unit} to train on and {test:,} to test on"


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shows_progress():
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def _pooch():
    try:
        import pooch
    except ImportError:
        raise Unreachable("Pooch, which fetches files, is not installed (`pip install pooch tqdm`)") from None
    return pooch


@contextmanager
def _written_whole(path):
    """Open a temporary file that takes the name ``path`` once it is written; it leaves nothing behind otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix="tmp", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
