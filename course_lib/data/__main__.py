"""The command line of the data cache.

python -m course_lib.data status            what is in the cache, and where it is
python -m course_lib.data fetch NAME…       download, with checksums
python -m course_lib.data import NAME FILE  put a file that you have into the cache
"""

import argparse
import sys
from functools import partial

from .sources import SOURCES
from .store import Store
from .values import DataError


def main(arguments=None, store=None):
    """Run one command; return the exit code: 0 done, 1 a DataError, which goes to standard error."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.data", description="The real data on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("status", help="what is in the cache, and where it is")
    fetch = commands.add_parser("fetch", help="download sets into the cache")
    fetch.add_argument("names", nargs="+", metavar="NAME", help=", ".join(SOURCES))
    add = commands.add_parser("import", help="put a file that you have into the cache")
    add.add_argument("name", metavar="NAME", help=", ".join(SOURCES))
    add.add_argument("files", nargs="+", metavar="FILE", help="for a text also two: to train on, to test on")
    options = parser.parse_args(arguments)
    store = store or Store()
    if options.command == "status":
        steps = [partial(table, store)]
    elif options.command == "fetch":
        steps = [partial(store.fetch, name) for name in options.names]
    else:
        steps = [partial(store.add, options.name, options.files)]
    return max([_done(step) for step in steps])


def table(store):
    """Return what is in the cache as text, a line per set."""
    lines = [f"{name:16} {state:9} {f'{size / 1e6:8.1f} MB' if size else ''}" for name, state, size in store.status()]
    return "\n".join([f"The cache is {store.folder} (GRADUS_DATA moves it).", *map(str.rstrip, lines)])


def _done(step):
    """Print what ``step`` returns, or its DataError; return 0 or 1."""
    try:
        print(step(), flush=True)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
