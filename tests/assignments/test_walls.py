"""The walls around a submission hold; where root runs the tests, they run again as an ordinary user."""

import ctypes
import json
import os
import platform
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tests.assignments import ordinary
from tools.grading import sandbox, seccomp
from tools.grading.sandbox import Limits, NoSandboxError

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="bubblewrap is Linux's; elsewhere make grade refuses"
)

LIMITS = Limits(memory=512 << 20, disk=64 << 20, file=48 << 20)
TRIES = """
import errno, json, os
def tried(call, *arguments):
    try:
        return call(*arguments) or "done"
    except OSError as error:
        return errno.errorcode[error.errno]
"""


@pytest.fixture(scope="module", autouse=True)
def walls():
    """Without bubblewrap nothing of this can be tried: a refusal, no silent skip."""
    sandbox.check()


def inside(code, limits=LIMITS, **given):
    """Run code behind the walls; return what it prints, read as JSON."""
    with sandbox.start(
        TRIES + textwrap.dedent(code), given, limits=limits, output=subprocess.PIPE
    ) as process:
        said = process.stdout.read().decode()
    assert said.startswith(("{", "[", '"')), said
    return json.loads(said)


def watched(code, limits=LIMITS):
    """Return what the watcher says of code that prints a line when it holds all that it takes."""
    code = TRIES + textwrap.dedent(code) + "\nprint(flush=True)\nimport time\ntime.sleep(60)"
    with sandbox.start(code, limits=limits, output=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"\n"
        return sandbox.excess(process, limits)


# ---- files


def test_all_that_can_be_written_is_memory_of_a_bounded_size():
    code = """
    mounts = [line.split() for line in open("/proc/self/mounts")]
    folders = [mount for mount in mounts if os.path.isdir(mount[1])]
    places = {place: (kind, options.split(",")) for _, place, kind, options, *_ in folders}
    open_to_all, written = {}, []
    for place, (kind, options) in places.items():
        stat = os.statvfs(place)
        if "rw" in options:
            open_to_all[place] = kind, stat.f_blocks * stat.f_frsize
        tried(os.chmod, place, 0o777)
        if tried(os.mkdir, place + "/mine") == "done":
            written.append(place)
    for folder, folders, _ in os.walk("/"):  # what is no place of its own belongs to the root
        folders[:] = [name for name in folders if os.path.join(folder, name) not in places]
        if tried(os.mkdir, folder + "/mine") == "done":
            written.append(folder)
    print(json.dumps([open_to_all, written]))
    """
    open_to_all, written = inside(code)
    memory = {place: ["tmpfs", LIMITS.disk] for place in ("/tmp", "/home/student", "/dev/shm")}
    assert open_to_all == memory | {"/proc": ["proc", 0], "/dev/pts": ["devpts", 0]}
    assert sorted(written) == sorted(memory)


def test_the_files_in_memory_are_full_before_the_memory_is():
    code = """
    def fill(folder):
        for i in range(1000):
            with open(f"{folder}/{i}", "wb", buffering=0) as file:
                assert file.write(bytes(4 << 20)) == 4 << 20
    print(json.dumps([tried(fill, folder) for folder in given["folders"]]))
    """
    assert inside(code, folders=sandbox.WRITABLE) == ["ENOSPC"] * 3


def test_the_walls_show_nothing_of_assignments_and_of_the_caller(monkeypatch):
    monkeypatch.setenv("SECRET", "caller's")
    code = """
    walks = [walk for top in given["tops"] for walk in os.walk(top)]
    seen = [f"{folder}/{name}" for folder, _, names in walks for name in names]
    print(json.dumps([seen, dict(os.environ)]))
    """
    root = Path(sandbox.__file__).parents[2]
    tops = [str(root / name) for name in ("book", "tests", "tools", ".git")]
    seen, environment = inside(code, tops=tops)
    assert [name for name in seen if "/tools/grading/inside/" not in name] == []
    assert "SECRET" not in environment


def test_a_python_that_lies_in_a_folder_for_temporary_files_is_seen():
    built = sandbox._walls(LIMITS)
    emptied = max(i for i, word in enumerate(built) if word == "--tmpfs")
    assert emptied < built.index(str(Path(sandbox.emvae.__file__).parent))


# ---- memory


def test_there_is_no_memory_that_nobody_counts():
    code = """
    import ctypes, mmap
    libc = ctypes.CDLL(None, use_errno=True)
    def shmget():
        if libc.shmget(0, 1 << 20, 0o1600) < 0:
            raise OSError(ctypes.get_errno(), "shmget")
    def mapped(name):
        with open(name, "r+b") as file:
            mmap.mmap(file.fileno(), 1 << 20, mmap.MAP_SHARED)
    print(json.dumps({
        "memfd": tried(os.memfd_create, "mine"),
        "SysV": tried(shmget),
        "shared by nobody's name": tried(mmap.mmap, -1, 1 << 20),
        "zero": tried(mapped, "/dev/zero"),
        "read": open("/dev/zero", "rb").read(3) == bytes(3),
    }))
    """
    assert inside(code) == {
        "memfd": "ENOSYS",
        "SysV": "EPERM",
        "shared by nobody's name": "EPERM",
        "zero": "ENODEV",
        "read": True,
    }


def test_a_process_has_no_namespace_of_its_own():
    code = """
    import subprocess
    run = lambda *words: subprocess.run(words, capture_output=True).returncode == 0
    print(json.dumps([run("true"), run("unshare", "--user", "--map-root-user", "true")]))
    """
    assert inside(code) == [True, False]


FORKS = """
def fork(n, work):
    import time
    ends = [os.pipe() for _ in range(n)]
    for _, end in ends:
        if os.fork() == 0:
            held = work()
            os.write(end, b"x")
            time.sleep(60)
    for begin, _ in ends:
        os.read(begin, 1)
"""


@pytest.mark.parametrize(
    ("excess", "code"),
    [
        (None, "whole = b'x' * (200 << 20)\nfork(6, lambda: None)"),  # shared: 200 MB in all
        ("memory", "fork(3, lambda: b'x' * (200 << 20))"),
        ("processes", "fork(40, lambda: None)"),
    ],
)
def test_the_watcher_counts_what_processes_hold_together(excess, code):
    assert watched(FORKS + code) == excess


@pytest.mark.parametrize(
    ("files", "size", "excess"), [(10, 4 << 20, None), (45, 4 << 20, "memory"), (90_000, 0, "memory")]
)
def test_the_watcher_counts_files_in_memory(files, size, excess):
    """By their contents, and by their names where there are many."""
    limits = Limits(memory=80 << 20, disk=64 << 20)
    code = f"""
    for i in range({files}):
        with open(("/tmp", "/dev/shm", "/home/student")[i % 3] + f"/{{i}}", "wb") as file:
            file.write(bytes({size}))
    """
    assert watched(code, limits) == excess


def test_the_system_holds_limits_of_its_own():
    code = """
    def write():
        with open("/tmp/long", "wb", buffering=0) as file:
            for _ in range(100):
                file.write(bytes(1 << 20))
    import signal, time
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    held = [tried(write)]
    try:
        bytes(600 << 20)
    except MemoryError:
        held.append("MemoryError")
    def forks():
        for _ in range(1000):
            if os.fork() == 0:
                time.sleep(60)
    held += [tried(forks), open("/proc/self/oom_score_adj").read().strip()]
    print(json.dumps(held), flush=True)
    os.killpg(0, 9)
    """
    assert inside(code) == ["EFBIG", "MemoryError", "EAGAIN", "1000"]


# ---- the system's kernel


def test_sockets_of_four_families_can_be_made_and_no_other():
    """Nothing is connected to anything: a socket of a refused family does not come into being."""
    code = """
    import socket
    def make(how, *arguments):
        def call():
            for end in (lambda s: s if isinstance(s, tuple) else (s,))(how(*arguments)):
                end.close()
        return tried(call)
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)
    made = {f: [make(socket.socket, f, kind) for kind in kinds] for f in range(64)}
    paired = {f: [make(socket.socketpair, f, kind) for kind in kinds] for f in range(64)}
    netlink = [make(socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, n) for n in range(1, 23)]
    print(json.dumps([made, paired, netlink]))
    """
    made, paired, netlink = inside(code)
    families = {socket_family for socket_family, ends in made.items() if "done" in ends}
    assert families == {"1", "2", "10", "16"}  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
    assert {f for f, ends in paired.items() if "done" in ends} == {"1"}
    refused = [end for f in made.keys() - families for end in made[f] + paired[f]]
    assert set(refused) == {"EAFNOSUPPORT"}
    assert set(netlink) == {"EAFNOSUPPORT"}


KEYCTL, ADD_KEY = {"x86_64": (250, 248), "aarch64": (219, 217)}.get(platform.machine(), (0, 0))


def test_the_callers_keys_are_out_of_reach():
    libc = ctypes.CDLL(None, use_errno=True)
    serial = libc.syscall(ADD_KEY, b"user", b"emvae-test", b"secret", ctypes.c_size_t(6), -3)
    assert serial > 0, os.strerror(ctypes.get_errno())
    code = """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    READ, SESSION, JOIN, buffer = 11, 0, 1, ctypes.create_string_buffer(64)
    calls = [(given["keyctl"], READ, given["serial"], buffer, 64), (given["keyctl"], SESSION, -3, 0),
             (given["keyctl"], JOIN, None), (given["add_key"], b"user", b"x", b"y", 1, -3)]
    ends = [errno.errorcode[ctypes.get_errno()] if libc.syscall(*call) < 0 else "done" for call in calls]
    print(json.dumps([ends, tried(open, "/proc/keys")]))
    """
    try:
        ends, listed = inside(code, keyctl=KEYCTL, add_key=ADD_KEY, serial=serial)
    finally:
        libc.syscall(KEYCTL, 3, serial)  # revoked
    assert (ends, listed) == (["EPERM"] * 4, "EACCES")


def test_there_is_no_root_inside():
    code = """
    lines = [line.split() for line in open("/proc/self/status")]
    status = {words[0]: words[1:] for words in lines}
    print(json.dumps([os.getuid(), [status[name][0] for name in ("CapEff:", "NoNewPrivs:", "Seccomp:")]]))
    """
    user, status = inside(code)
    assert user != 0
    assert status == ["0" * 16, "1", "2"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the calls of other machines: x86_64 has two more")
def test_calls_by_another_machines_numbers_are_refused():
    code = """
    import ctypes, mmap
    libc = ctypes.CDLL(None, use_errno=True)
    x32 = libc.syscall(0x40000000 | 39)  # getpid
    child = os.fork()
    if child == 0:  # int 0x80: getpid by the numbers of 32 bits
        page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7)
        page.write(bytes.fromhex("b814000000cd80c3"))
        place = ctypes.addressof(ctypes.c_char.from_buffer(page))
        ctypes.CFUNCTYPE(ctypes.c_int)(place)()
        os._exit(0)
    print(json.dumps([x32, os.WTERMSIG(os.waitpid(child, 0)[1])]))
    """
    x32, ended = inside(code)
    assert x32 == -1
    assert ended in (signal.SIGSYS, signal.SIGSEGV)  # SIGSEGV: a kernel that knows no such calls


def answer(program, machine, number, *arguments):
    """Return what a filter answers to a call: a second reader of the language, beside the kernel's."""
    values = [*arguments, *[0] * (6 - len(arguments))]
    call = struct.pack("<iIQ6Q", number, machine, 0, *values)
    steps, held, place = list(struct.iter_unpack("<HBBI", program)), 0, 0
    while True:
        operation, true, false, number = steps[place]
        place += 1
        if operation == 0x20:
            (held,) = struct.unpack_from("<I", call, number)
        elif operation == 0x15:
            place += true if held == number else false
        elif operation == 0x45:
            place += true if held & number else false
        else:
            return number


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ((63, 0), 0x7FFF0000),  # read
        ((198, 1), 0x7FFF0000),  # socket(AF_UNIX)
        ((198, 40), 0x00050000 + 97),  # socket of another family: EAFNOSUPPORT
        ((198, 16, 3, 0), 0x7FFF0000),
        ((198, 16, 3, 12), 0x00050000 + 97),  # netlink, but not of addresses
        ((199, 40), 0x00050000 + 97),
        ((220, 17), 0x7FFF0000),  # clone, as fork does
        ((220, 0x10000011), 0x00050000 + 1),  # with a user namespace: EPERM
        ((435,), 0x00050000 + 38),  # clone3: ENOSYS
        ((222, 0, 4096, 3, 0x22), 0x7FFF0000),  # mmap, private
        ((222, 0, 4096, 3, 0x21), 0x00050000 + 1),  # shared and anonymous
        ((222, 0, 4096, 3, 0x01), 0x7FFF0000),  # a shared file
        ((279,), 0x00050000 + 38),  # memfd_create
        ((219,), 0x00050000 + 1),  # keyctl
    ],
)
def test_the_filter_of_the_other_machine_says_the_same(call, expected):
    """Numbers from the kernel's asm-generic/unistd.h: CI has no such machine."""
    program = seccomp.program("aarch64")
    assert answer(program, 0xC00000B7, *call) == expected
    assert answer(program, 0x40000028, *call) == 0x80000000  # 32 bits: the process ends


def test_a_machine_whose_calls_nobody_wrote_down_is_refused():
    with pytest.raises(ValueError, match="knows x86_64 and aarch64, not riscv64"):
        seccomp.program("riscv64")


# ---- what has to work


def test_honest_work_goes_on_behind_the_walls():
    code = """
    import asyncio, multiprocessing, socket, subprocess, sys, tempfile, threading
    from multiprocessing import shared_memory
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt, numpy as np, torch
    done = []
    torch.set_num_threads(2)
    done.append(float((torch.ones(300, 300) @ torch.ones(300, 300)).sum()) == 300**3)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        done.append(pool.map(abs, [-1, 2]) == [1, 2])
    block = shared_memory.SharedMemory(create=True, size=1000)
    block.close(), block.unlink()
    shared = multiprocessing.get_context("fork").Array("d", 3)
    done.append(list(shared) == [0, 0, 0])
    tensor = torch.zeros(3).share_memory_()
    done.append(tensor.is_shared())
    plt.plot([1, 2]), plt.title("$x^2$"), plt.savefig("/tmp/figure.png")
    done.append(os.path.getsize("/tmp/figure.png") > 1000)
    async def echo():
        process = await asyncio.create_subprocess_exec("echo", "hello", stdout=subprocess.PIPE)
        return (await process.communicate())[0] == b"hello\\n"
    done.append(asyncio.run(echo()))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: listener.accept()[0].send(b"hi"))
    thread.start()
    done.append(socket.create_connection(listener.getsockname()).recv(2) == b"hi")
    with tempfile.NamedTemporaryFile() as file:
        table = np.memmap(file, float, shape=10)
        table[:] = 1
        done.append(float(table.sum()) == 10)
    print(json.dumps(done))
    """
    assert inside(code, Limits()) == [True] * 8


def test_a_notebook_server_can_have_its_kernel_there():
    """Over sockets of the file system, with a thread for each channel and the inline figures."""
    code = """
    import sys
    from jupyter_client.manager import KernelManager
    manager = KernelManager(transport="ipc", ip="/tmp/kernel")
    manager.kernel_spec.argv[0] = sys.executable
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    shown = []
    cell = "%matplotlib inline\\nimport matplotlib.pyplot as plt\\nplt.plot([1, 2]); plt.show(); print('hi')"
    client.execute_interactive(cell, output_hook=lambda m: shown.append(m["msg_type"]), timeout=60)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    print(json.dumps(sorted(set(shown) & {"stream", "display_data", "error"})))
    """
    assert inside(code, Limits()) == ["display_data", "stream"]


# ---- the end


DAEMON = """
import subprocess, sys, time
sleeper = [sys.executable, "-c", "import time; time.sleep(600)", given["mark"]]
subprocess.Popen(sleeper, start_new_session=True)
print("here", flush=True)
time.sleep(600)
"""


def marked(mark):
    """Return the processes that have a mark among their words."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if mark in (process.info["cmdline"] or []):
            found.append(process)
    return found


def all_gone(mark):
    deadline = time.monotonic() + 10
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.05)
    return marked(mark) == []


def test_the_end_of_a_process_is_the_end_of_all_that_it_started(tmp_path):
    with sandbox.start(DAEMON, {"mark": str(tmp_path)}, limits=LIMITS, output=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"here\n"
        assert len(marked(str(tmp_path))) == 1
    assert all_gone(str(tmp_path))


def test_a_grader_that_is_killed_leaves_nothing_behind(tmp_path, monkeypatch):
    """Neither processes nor files: all that the inside has is memory."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    grader = """
    import subprocess, sys
    from tools.grading import sandbox
    how = {"limits": sandbox.Limits(), "output": subprocess.PIPE}
    with sandbox.start(sys.argv[1], {"mark": sys.argv[2]}, **how) as process:
        print(process.stdout.readline().decode(), end="", flush=True)
        process.stdout.read()
    """
    words = [sys.executable, "-c", textwrap.dedent(grader), DAEMON, str(tmp_path)]
    with subprocess.Popen(words, cwd=ordinary.HERE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"here\n"
        process.kill()
    assert all_gone(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


# ---- refusals


def test_without_bubblewrap_the_refusal_says_what_to_do(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NoSandboxError, match=r"apt-get install bubblewrap.*TRUST=1"):
        sandbox.check.__wrapped__()


def test_with_bubblewrap_that_may_do_nothing_the_refusal_says_so(monkeypatch):
    monkeypatch.setattr(sandbox, "_walls", lambda _: ["sh", "-c", "echo no namespaces >&2; exit 1"])
    with pytest.raises(NoSandboxError, match=r"does not work here.*no namespaces"):
        sandbox.check.__wrapped__()


@pytest.mark.skipif(os.geteuid() != 0, reason="all of the above ran as an ordinary user")
def test_all_of_this_holds_for_an_ordinary_user(tmp_path):
    """And submissions are graded as root's are: one that is right, and some that are hostile."""
    faults = ("nothing-wrong", "a-slow-memory-bomb", "forks-forever", "opens-a-network-connection")
    graded = [f"tests/assignments/test_faults.py::test_a_fault_ends_in_its_status[{name}]" for name in faults]
    ran = ordinary.run("-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, *graded, home=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert int(ran.stdout.split(" passed")[0].split()[-1]) > 35
    assert "1 skipped" in ran.stdout  # this test
