"""The cache of real data: fetched from a publisher on loopback, whatever goes wrong, and the command line."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT, free_port
from data_home import PROSE, Publisher, contents, digits_parts, sources

from course_lib import data
from course_lib.data.__main__ import main
from course_lib.data.sources import SOURCES
from course_lib.data.store import LEFT_OVER, Store

KINDS = {"digits": "images", "prose": "text", "licensed": "text", "names": "names"}


@pytest.fixture(autouse=True)
def online(monkeypatch):
    """These tests say themselves when there is no network; none leaves this machine."""
    monkeypatch.delenv("GRADUS_OFFLINE", raising=False)
    monkeypatch.delenv("GRADUS_DATA", raising=False)


@pytest.fixture
def publisher():
    with Publisher() as publisher:
        yield publisher


@pytest.fixture
def store(publisher, tmp_path):
    return Store(tmp_path / "cache", sources(publisher.address), timeout=(1, 1))


def load(store, name):
    return store.load(name, KINDS[name])


def files_in(store):
    """Return the names of all files in the cache, temporary ones included."""
    return sorted(path.name for path in store.folder.rglob("*") if path.is_file())


def test_the_real_set_is_fetched_once(store, publisher):
    """The first use fetches each file, later ones ask nobody."""
    for _ in range(2):
        images = load(store, "digits")
        assert images.real
        for got, wanted in zip(
            (images.x_train, images.y_train, images.x_test, images.y_test), digits_parts(), strict=True
        ):
            assert got.dtype == wanted.dtype
            assert np.array_equal(got, wanted)
    assert publisher.asked == ["train-x.gz", "train-y.gz", "test-x.gz", "test-y.gz"]
    assert images.note == "Digits, fetched from 127.0.0.1: 40 images to train on and 10 to test on."


def test_texts_and_names(store):
    """A text is cut 90/10; names are mixed, in lower case, the same in every process."""
    text, names = load(store, "prose"), load(store, "names")
    assert text.train + text.test == PROSE
    assert len(text.train) == int(0.9 * len(PROSE))
    assert sorted(names.train + names.test) == ["emma"] * 50 + ["olivia"] * 50
    assert len(names.test) == 10
    assert names.train[:10] != ["emma", "olivia"] * 5
    assert names == load(store, "names")


def test_offline_means_the_stand_in(store, monkeypatch, capsys):
    """GRADUS_OFFLINE gives the stand-in even when the real set is there, and one line says so."""
    load(store, "digits")
    capsys.readouterr()
    monkeypatch.setenv("GRADUS_OFFLINE", "1")
    images = load(store, "digits")
    assert not images.real
    assert not images.x_train.any()
    assert capsys.readouterr().out == images.note + "\n"
    assert images.note == ("This is a stand-in for Digits: black squares (GRADUS_OFFLINE is set). "
                           "The real data: `python -m course_lib.data fetch digits`.")  # fmt: skip
    with pytest.raises(data.DataError, match="GRADUS_OFFLINE is set; unset it"):
        store.fetch("digits")
    monkeypatch.setenv("GRADUS_OFFLINE", "0")
    assert load(store, "digits").real


@pytest.mark.parametrize(
    ("mood", "reason"), [("missing", "404"), ("cut", "broke off"), ("silent", "cannot be reached, or broke off")]
)
def test_what_cannot_be_had_is_stood_in_for(store, publisher, mood, reason):
    """No such file, a broken connection, silence: the stand-in says why, `fetch` raises, and nothing half is left."""
    publisher.moods["train-y.gz"] = [mood]
    store.timeout = (1, 0.2)
    images = load(store, "digits")
    assert not images.real
    assert reason in images.note
    assert files_in(store) == ["train-x.gz"]
    with pytest.raises(data.DataError, match=reason):
        store.fetch("digits")
    publisher.moods.clear()
    assert load(store, "digits").real


def test_nobody_answers(tmp_path):
    """A connection that is refused, as without a network, gives the stand-in."""
    store = Store(tmp_path, sources(f"http://127.0.0.1:{free_port()}"), timeout=(1, 1))
    images = load(store, "digits")
    assert not images.real
    assert "127.0.0.1 cannot be reached" in images.note


def test_a_slow_publisher_is_waited_for(store, publisher):
    """An answer in many small pieces is whole in the end."""
    publisher.moods = {"train-x.gz": ["slow"]}
    assert load(store, "digits").real


def test_wrong_content_twice_is_an_error(store, publisher):
    """A stand-in would hide that somebody changes files: it stops, and says what to do."""
    publisher.moods["train-x.gz"] = ["corrupt"]
    with pytest.raises(data.DataError, match=r"wrong content twice.*import digits FILE"):
        load(store, "digits")
    assert publisher.asked == ["train-x.gz"] * 2
    assert files_in(store) == []


def test_wrong_content_once_is_forgiven(store, publisher):
    """The second try may be right."""
    publisher.moods["train-x.gz"] = ["corrupt", "fine"]
    assert load(store, "digits").real


def test_a_damaged_file_is_fetched_again(store, publisher, capsys):
    """A file in the cache with the wrong checksum is replaced, and alone."""
    load(store, "digits")
    damaged = store.folder / "digits" / "test-x.gz"
    damaged.write_bytes(damaged.read_bytes()[:-5])
    assert dict((name, state) for name, state, _ in store.status())["digits"] == "damaged"
    publisher.asked.clear()
    assert load(store, "digits").real
    assert publisher.asked == ["test-x.gz"]
    assert "test-x.gz of Digits is damaged in the cache" in capsys.readouterr().out


def test_a_damaged_file_without_a_network(store, publisher):
    """It is never used: the stand-in is."""
    load(store, "digits")
    (store.folder / "digits" / "test-x.gz").write_bytes(b"damaged")
    publisher.moods["test-x.gz"] = ["missing"]
    assert not load(store, "digits").real
    publisher.moods.clear()
    assert load(store, "digits").real


def in_another_process(folder, address, results):
    """Load the images and report whether they are the real ones."""
    images = load(Store(folder, sources(address)), "digits")
    results.put((images.real, int(images.x_train.sum())))


def spawn(store, publisher, count):
    """Start processes that load the images; return them and the queue of their answers."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    arguments = (store.folder, publisher.address, results)
    processes = [context.Process(target=in_another_process, args=arguments) for _ in range(count)]
    for process in processes:
        process.start()
    return processes, results


def test_two_processes_at_once(store, publisher):
    """Both fetch the first file at the same time, and both get the whole set."""
    publisher.moods["train-x.gz"] = ["together"]
    processes, results = spawn(store, publisher, 2)
    assert [results.get(timeout=60) for _ in processes] == [(True, int(digits_parts()[0].sum()))] * 2
    for process in processes:
        process.join()
    assert publisher.asked.count("train-x.gz") == 2
    assert files_in(store) == ["test-x.gz", "test-y.gz", "train-x.gz", "train-y.gz"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_download_leaves_a_good_cache(store, publisher, how):
    """Control-C leaves nothing; kill -9 leaves a file that nobody reads and that goes away in time."""
    publisher.moods["train-x.gz"] = ["silent"]
    (process,), _ = spawn(store, publisher, 1)
    assert publisher.half_way.wait(timeout=60)
    os.kill(process.pid, how)
    process.join()
    left = files_in(store)
    assert left == [] if how == signal.SIGINT else [name[:3] for name in left] == ["tmp"]

    publisher.moods.clear()
    assert load(store, "digits").real
    assert set(files_in(store)) == {"test-x.gz", "test-y.gz", "train-x.gz", "train-y.gz", *left}
    old = time.time() - 2 * LEFT_OVER
    for name in left:
        os.utime(store.folder / "digits" / name, (old, old))
    (store.folder / "digits" / "test-x.gz").unlink()
    load(store, "digits")
    assert files_in(store) == ["test-x.gz", "test-y.gz", "train-x.gz", "train-y.gz"]


FULL = """
import sys
sys.path.insert(0, "tests")
from data_home import sources
from course_lib.data.store import Store
store = Store(sys.argv[1], sources(sys.argv[2]))
try:
    store.load("digits", "images") if sys.argv[3] == "fetch" else store.add("prose", [sys.argv[3]])
except Exception as error:
    print(type(error).__name__, error)
print("left", [path.name for path in store.folder.rglob("*") if path.is_file()])
"""


@pytest.mark.parametrize("what", ["fetch", "import"])
def test_a_full_disk(publisher, tmp_path, what):
    """No room is an error that says so, not a stand-in, and leaves no halves."""
    big = tmp_path / "big.txt"
    big.write_text(PROSE * 20)
    (tmp_path / "full.py").write_text(FULL)
    (tmp_path / "disk").mkdir()
    inside = (f"mount -t tmpfs -o size=16k none {tmp_path}/disk && "
              f"{sys.executable} {tmp_path}/full.py {tmp_path}/disk {publisher.address} {'fetch' if what == 'fetch' else big}")  # fmt: skip
    wall = ["unshare", "--map-root-user", "--user", "--mount", "sh", "-c"]
    try:
        subprocess.run([*wall, f"mount -t tmpfs none {tmp_path}/disk"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there are no user namespaces here")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*wall, inside], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert "DataError there is no room left for the data in" in done.stdout, done.stdout + done.stderr
    assert "set GRADUS_DATA to a folder on another disk" in done.stdout
    assert done.stdout.endswith("left []\n")


def test_a_file_too_large_for_the_limits(store, publisher, tmp_path, monkeypatch):
    """A quota or a limit on the size of a file is told like a full disk."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(data.DataError, match=r"no room left .* Digits needs 0\.0 MB"):
            load(store, "digits")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert files_in(store) == []


def test_a_folder_that_cannot_be_used(publisher, tmp_path):
    """A cache folder that is a file, or may not be written: an error that names GRADUS_DATA."""
    (tmp_path / "file").write_text("not a folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", "/proc/nowhere"):
        with pytest.raises(data.DataError, match=r"cannot be used: .*Set GRADUS_DATA"):
            load(Store(folder, sources(publisher.address)), "digits")


def test_an_import_counts_until_the_next_fetch(store, publisher, tmp_path):
    """What a teacher imports takes the place of the published set; asking for the published one brings it back."""
    load(store, "prose")
    store.add("prose", [_written(tmp_path / "mine.txt", b"my own words " * 30)])
    assert load(store, "prose").train.startswith("my own words")
    assert store.fetch("prose").startswith("Prose, fetched from 127.0.0.1")
    assert load(store, "prose").train.startswith("line 0")
    assert publisher.asked == ["prose.txt"]


def test_licensed_text_is_never_fetched(store):
    """Without a copy of one's own it is a stand-in that says how to give one."""
    text = load(store, "licensed")
    assert not text.real
    assert "python -m course_lib.data import licensed FILE" in text.note
    with pytest.raises(data.DataError, match="licensed text"):
        store.fetch("licensed")


def test_names_that_there_are_not(store):
    """An unknown name is told which there are."""
    with pytest.raises(data.DataError, match="'digits' is not among the text here: prose, licensed"):
        store.load("digits", "text")
    with pytest.raises(data.DataError, match="'imagenet' is not among the images here: mnist, fashion_mnist, cifar10"):
        data.images("imagenet")


def test_where_the_cache_is(monkeypatch, tmp_path):
    """GRADUS_DATA moves it; the default is the platform's."""
    import pooch

    assert Store().folder == pooch.os_cache("gradus")
    monkeypatch.setenv("GRADUS_DATA", "~/of-the-course")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Store().folder == tmp_path / "of-the-course"


def test_what_is_published_has_an_address_and_a_checksum():
    """Every file of the real sets has what is needed to fetch and check it."""
    for source in SOURCES.values():
        assert source.files or source.name == "ptb"
        for file in source.files:
            assert file.url.startswith("https://")
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.size > 1000


def test_the_command_line(store, publisher, tmp_path, capsys):
    """status, fetch and import; an error is one sentence and exit code 1."""
    assert main(["fetch", "licensed", "prose"], store) == 1
    out, err = capsys.readouterr()
    cut = int(0.9 * len(PROSE))
    assert out.endswith(
        f"Prose, fetched from 127.0.0.1: {cut:,} characters to train on and {len(PROSE) - cut:,} to test on.\n"
    )
    assert "Licensed was not fetched" in err
    (tmp_path / "mine.txt").write_text(PROSE)
    assert main(["import", "licensed", str(tmp_path / "mine.txt")], store) == 0
    capsys.readouterr()
    assert main(["status"], store) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"The cache is {store.folder} (GRADUS_DATA moves it)."
    assert [line.split()[:2] for line in lines[1:]] == [
        ["digits", "not"], ["prose", "fetched"], ["licensed", "imported"], ["names", "not"],
    ]  # fmt: skip
    assert main(["import", "prose", str(tmp_path / "nowhere.txt")], store) == 1
    assert "nowhere.txt cannot be read: No such file" in capsys.readouterr().err


def python(code, **environment):
    """Run ``code`` in a fresh interpreter from the repository; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_it_is_light():
    """A setup cell pays for NumPy only."""
    heavy = "{'pooch', 'requests', 'sklearn', 'PIL', 'tqdm', 'torch', 'matplotlib', 'scipy'}"
    assert python(f"import sys; from course_lib import data; print({heavy} & set(sys.modules))") == "set()\n"


def test_without_pooch(tmp_path):
    """Nothing can be fetched, so there is the stand-in; what is in the cache can still be read."""
    bare = "import sys; sys.modules['pooch'] = None\nfrom course_lib import data\n"
    assert "Pooch, which fetches files, is not installed" in python(bare + "assert not data.names().real")
    Store(tmp_path).add("names", [_written(tmp_path / "mine.txt", contents()["names.txt"])])
    code = bare + "assert data.names().real; assert not data.text().real"
    assert python(code, GRADUS_DATA=str(tmp_path)).count("stand-in") == 1


def test_without_scikit_learn():
    """The stand-in of MNIST says what it needs."""
    bare = "import sys; sys.modules['sklearn.datasets'] = None\nfrom course_lib import data\n"
    code = bare + "try: data.images('mnist')\nexcept data.DataError as error: print(error)"
    assert "pip install scikit-learn" in python(code, GRADUS_OFFLINE="1")


def _written(path, content):
    path.write_bytes(content)
    return path
