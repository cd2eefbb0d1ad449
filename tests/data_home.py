"""A publisher of data on loopback, with moods, and the small made-up sets that it publishes."""

import gzip
import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from course_lib.data import readers
from course_lib.data.sources import File, Source, StandIn

CLASSES = ("round", "square")
PROSE = "".join(f"line {i} of a text that nobody wrote\n" for i in range(200))


def idx_bytes(array):
    """Return a uint8 array as the bytes of an IDX file."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return head + array.tobytes()


def digits_parts():
    """Return the parts of a made-up set of images 28x28 in two classes."""
    rng = np.random.default_rng(7)
    x, y = rng.integers(0, 256, size=(50, 28, 28), dtype=np.uint8), rng.integers(0, 2, size=50)
    return x[:40], y[:40], x[40:], y[40:]


def made_up_parts():
    """Return the parts of the stand-in: all black."""
    return np.zeros((4, 28, 28), np.uint8), np.arange(4) % 2, np.zeros((2, 28, 28), np.uint8), np.arange(2)


def made_up_text():
    """Return the parts of the stand-in of the text."""
    return "made", "up"


def made_up_names():
    """Return the parts of the stand-in of the names."""
    return ["ada"], ["bob"]


def contents():
    """Return {file name: bytes} of everything published."""
    x_train, y_train, x_test, y_test = digits_parts()
    arrays = {
        "train-x": x_train,
        "train-y": y_train.astype(np.uint8),
        "test-x": x_test,
        "test-y": y_test.astype(np.uint8),
    }
    files = {f"{name}.gz": gzip.compress(idx_bytes(array), mtime=0) for name, array in arrays.items()}
    return {**files, "prose.txt": PROSE.encode(), "names.txt": "\n".join(["emma", "Olivia"] * 50).encode()}


def sources(address):
    """Return the made-up sets, published at ``address``."""

    def file(name):
        return File(name, f"{address}/{name}", hashlib.sha256(contents()[name]).hexdigest(), len(contents()[name]))

    images = tuple(map(file, ("train-x.gz", "train-y.gz", "test-x.gz", "test-y.gz")))
    made = (
        Source("digits", "Digits", "images", images, readers.idx_parts, StandIn(made_up_parts, "black squares", CLASSES),
               CLASSES, (28, 28)),
        Source("prose", "Prose", "text", (file("prose.txt"),), readers.text_parts, StandIn(made_up_text, "two words")),
        Source("licensed", "Licensed", "text", (), readers.text_parts, StandIn(made_up_text, "two words")),
        Source("names", "Names", "names", (file("names.txt"),), readers.names_parts, StandIn(made_up_names, "two names")),
    )  # fmt: skip
    return {source.name: source for source in made}


class Publisher(ThreadingHTTPServer):
    """Serves ``contents()`` on loopback.

    Attributes:
        moods: {file name: list of moods}; each request takes the first, the last one stays. "fine", "corrupt" (right size,
            wrong bytes), "missing" (404), "cut" (the connection ends early), "slow" (in pieces), "silent" (half, then
            nothing until the test ends), "together" (no answer before a second request is there).
        asked: names of the files asked for.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.moods, self.asked = {}, []
        self.ended, self.half_way, self.pair = threading.Event(), threading.Event(), threading.Barrier(2)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        """A client that went away is part of the tests."""


class Answer(BaseHTTPRequestHandler):
    """One answer of the publisher."""

    def log_message(self, *_):
        """Stay quiet."""

    def do_GET(self):
        server, name = self.server, self.path.removeprefix("/")
        server.asked.append(name)
        moods = server.moods.get(name, ["fine"])
        mood = moods.pop(0) if len(moods) > 1 else moods[0]
        if mood == "missing":
            return self.send_error(404)
        content = contents()[name]
        if mood == "corrupt":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if mood == "together":
            server.pair.wait(timeout=30)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        if mood == "slow":
            for piece in range(0, len(content), 1000):
                self.wfile.write(content[piece : piece + 1000])
                self.wfile.flush()
                time.sleep(0.01)
        elif mood in ("cut", "silent"):
            self.wfile.write(content[:half])
            self.wfile.flush()
            server.half_way.set()
            if mood == "silent":
                server.ended.wait(timeout=60)
            self.close_connection = True
        else:
            self.wfile.write(content)
