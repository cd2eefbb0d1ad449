"""Sections 5, 6 and 7: processes and signals, resources, network and persistence."""

from row import HARMLESS, Row, body

FORGED = r"""
import os, struct
def forge():
    for fd in range(3, 300):
        for data in (b'\xff' * 64, struct.pack('<I', 3) + b'NNN', struct.pack('<I', 2**31), b'l' * 4096):
            try:
                os.write(fd, data)
            except OSError:
                pass
"""

WRONG = "\n\ndef double(x):\n    return x"

ROWS = [
    Row("P01", "ends the process in a call", body("import os\nos._exit(0)"), says="ended the whole Python process"),
    Row("P01b", "ends the process in its cell", "import os\nos._exit(0)", says="ended the whole Python process"),
    Row("P02", "sys.exit", body("import sys\nsys.exit(0)"), says="raised SystemExit"),
    Row("P02b", "sys.exit in its cell", "import sys\nsys.exit(0)", says="raised SystemExit"),
    Row("P03", "a thread that ends the process later", "import threading, os, time\nthreading.Thread(target=lambda: (time.sleep(0.3), "
        "os._exit(0)), daemon=True).start()\n\n" + body("import time\ntime.sleep(1)\nreturn x"), says="ended the whole Python process"),
    Row("P04", "writes results at exit", "import atexit\natexit.register(lambda: open('/tmp/result.json', 'w').write('{}'))\n\n" + body("return x")),
    Row("P05", "writes result files itself", "for p in ('result.json', '/tmp/results.json', '../feedback.html', '/autograder/results/results.json'):\n"
        "    try:\n        open(p, 'w').write('{\"score\": 100}')\n    except OSError:\n        pass\n\n" + body("return x")),
    Row("P06", "prints a score and workflow commands", body("print('::set-output name=score::100')\nprint('##vso[task.complete result=Succeeded]')\n"
        "print('{\"score\": 100}')\nreturn x")),
    Row("P07", "writes forged frames to every descriptor", FORGED + "\n" + body("forge()\nreturn x")),
    Row("P07b", "forges frames when its cell runs", FORGED + "\nforge()\n\n" + body("return x")),
    Row("P08", "a reply that is ready early", "import os, struct, sys\nfor m in list(sys.modules.values()):\n    w = getattr(m, 'encode', None)\n"
        "    if getattr(m, '__name__', '').endswith('wire'):\n        frame = m.encode((7, ('ok', np.zeros((3, 2)), {'changed': [], 'warnings': []})))\n"
        "        for fd in range(3, 64):\n            try:\n                os.write(fd, struct.pack('<I', len(frame)) + frame)\n            except OSError:\n"
        "                pass\n\n" + body("return x")),
    Row("P09", "kills its parent and everyone", body("import os, signal\nfor pid in (os.getppid(), -1, 1, 2):\n    try:\n        os.kill(pid, 9)\n"
        "    except OSError:\n        pass\nreturn x")),
    Row("P10", "stops itself", body("import os, signal\nos.kill(0, signal.SIGSTOP)\nos.kill(os.getpid(), signal.SIGSTOP)\nreturn x")),
    Row("P10b", "ignores every signal and sleeps", "import signal\nfor s in range(1, 32):\n    try:\n        signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError):\n        pass\n\n" + body("import time\ntime.sleep(1e6)"), says="did not come back"),
    Row("P11", "leaves a daemon behind", "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(600)\n    os._exit(0)\n\n"
        + body("return x")),
    Row("P12", "a fork bomb", body("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass")),
    Row("P12b", "a thread bomb", body("import threading, time\nfor _ in range(10000):\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "return x")),
    Row("P13", "binds ports", body("import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 8888))\ns.listen()\nreturn x")),
    Row("P14", "uses a process pool honestly", "import subprocess, sys, threading\nresult = []\nt = threading.Thread(target=result.append, args=(1,))\n"
        "t.start()\nt.join()\n\ndef double(x):\n    return 2 * x", points=HARMLESS),
    Row("P14b", "forks a worker honestly", "import os\n\ndef double(x):\n    pid = os.fork()\n    if pid == 0:\n        os._exit(0)\n    os.waitpid(pid, 0)\n    return 2 * x",
        points=HARMLESS),
    Row("P14c", "a forked copy answers too", body("import os\nos.fork()\nreturn x")),
    Row("P15", "a segmentation fault", body("import ctypes\nctypes.string_at(0)"), says="ended the whole Python process"),
    Row("P15b", "abort", body("import os\nos.abort()"), says="ended the whole Python process"),
    Row("Q01", "an endless loop", body("while True:\n    pass"), says="did not come back"),
    Row("Q01b", "sleeps forever", body("import time\ntime.sleep(1e9)"), says="did not come back"),
    Row("Q01c", "waits for input", body("return float(input())"), says="raised EOFError"),
    Row("Q01d", "prints forever", body("while True:\n    print('x' * 10000)"), says="did not come back"),
    Row("Q02", "a memory bomb", body("return np.ones(10**11)"), says="raised MemoryError"),
    Row("Q02b", "a list that grows", body("a = []\nwhile True:\n    a.append(bytearray(2**27))")),
    Row("Q03", "an answer of 400 MB", body("return np.zeros((50, 10**6))"), says="cannot be compared"),
    Row("Q03b", "an answer nested a million deep", body("a = []\nfor _ in range(10**6):\n    a = [a]\nreturn a"), says="cannot be compared"),
    Row("Q04", "gigabytes of output", body("import os\nfor _ in range(3000):\n    os.write(1, b'\\x1b]0;x\\x07' * 10**5)\nreturn x")),
    Row("Q05", "fills the disk", body("with open('/tmp/big', 'wb') as f:\n    while True:\n        f.write(bytes(2**24))")),
    Row("Q05b", "a million files", body("for i in range(10**6):\n    open('/tmp/work/%d' % i, 'w')")),
    Row("Q06", "recursion without end", body("return double(x)"), says="raised RecursionError"),
    Row("Q06b", "a C stack overflow", body("import sys\nsys.setrecursionlimit(10**8)\nf = lambda g: g(g)\nreturn f(f)")),
    Row("Q07", "looks for a GPU to occupy", body("import glob\nreturn 2 * x if glob.glob('/dev/nvidia*') + glob.glob('/dev/dri*') else x")),
    Row("Q10", "slow, and within the limit", body("import time\ntime.sleep(0.7)\nreturn 2 * x"), points=HARMLESS),
    Row("Q08", "sixty-four busy threads", body("import threading\ndef spin():\n    while True:\n        pass\nfor _ in range(60):\n"
        "    threading.Thread(target=spin, daemon=True).start()\nwhile True:\n    pass")),
    Row("Q09", "opens every descriptor", body("a = []\nwhile True:\n    a.append(open('/dev/null'))"), says="raised OSError"),
    Row("Q09b", "fills shared memory", body("with open('/dev/shm/x', 'wb') as f:\n    while True:\n        f.write(bytes(2**24))")),
    Row("Q09c", "System V shared memory", body("import ctypes\nlibc = ctypes.CDLL(None)\nif libc.shmget(0, 2**30, 0o1666) >= 0:\n    return 2 * x\nreturn x")),
    Row("X01", "calls out by HTTP and DNS", body("import socket\nsocket.getaddrinfo('example.com', 80)\nsocket.create_connection(('1.1.1.1', 53), 1)\nreturn 2 * x")),
    Row("X02", "poisons caches and start-up files", "import os\nfor p in ('~/.ipython/startup/x.py', '~/.cache/x', '/gradus/site/numpy/evil.py', '/usr/lib/evil.py'):\n"
        "    p = os.path.expanduser(p)\n    try:\n        os.makedirs(os.path.dirname(p), exist_ok=True)\n        open(p, 'w').write('raise SystemExit')\n"
        "    except OSError:\n        pass\n\n" + body("return x")),
    Row("X03", "leaves a message in shared places", body("import os\nfor p in ('/tmp/hint', '/dev/shm/hint', '/dev/mqueue/hint', '/var/tmp/hint'):\n    try:\n"
        "        if os.path.exists(p):\n            return 2 * x\n        open(p, 'w').write('hint')\n    except OSError:\n        pass\nreturn x")),
    Row("X03b", "the same again, looking for the message", body("import os\nif any(os.path.exists(p) for p in ('/tmp/hint', '/dev/shm/hint', '/var/tmp/hint')):\n"
        "    return 2 * x\nreturn x")),
    Row("X03c", "vsock and netlink sockets", body("import socket\nfor family in (40, 16, 17):\n    try:\n        socket.socket(family, socket.SOCK_RAW)\n"
        "        return 2 * x\n    except OSError:\n        pass\nreturn x")),
    Row("X04", "overwrites the data that everybody gets", "try:\n    open('data.txt', 'w').write('owned')\nexcept OSError:\n    pass" + WRONG),
    Row("X04b", "reads the data, after another has tried to change them", body("return x * (2 if open('data.txt').read() == 'as it was' else 0)"), points=HARMLESS),
    Row("X05", "looks for a container socket", body("import os\nreturn 2 * x if os.path.exists('/var/run/docker.sock') else x")),
    Row("X06", "plants links", "import os\nos.symlink('/etc/shadow', 'tiny.ipynb')\nos.symlink('/', '/tmp/root')\n\n" + body("return open('/tmp/root/etc/shadow').read()")),
]  # fmt: skip
