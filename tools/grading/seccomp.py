"""A filter of system calls: what a locked-in process may not ask of the system's kernel.

Namespaces take files, processes and the network away; they leave the calls by which a process reaches other
kinds of sockets, holds memory that is on nobody's account, or makes namespaces of its own. The filter is a
program in the kernel's own small language: each instruction has an operation, where to go on if a test is
true or false (so many instructions further), and a number. It reads one field of the call at a time and
returns what becomes of the call.

Sources: the kernel's ``Documentation/userspace-api/seccomp_filter.rst``, seccomp(2) and bpf's ``filter.h``.
"""

from __future__ import annotations

import errno
import mmap
import platform
import socket
import struct

# Operations, and what they read: the call's number, its machine, the low half of its arguments.
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
NUMBER, MACHINE, ARGUMENTS = 0, 4, [16 + 8 * i for i in range(6)]
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000

MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}  # AUDIT_ARCH_..., column in CALLS
CALLS = {
    "clone": (56, 220),
    "clone3": (435, 435),
    "mmap": (9, 222),
    "socket": (41, 198),
    "socketpair": (53, 199),
    # namespaces of one's own, in which one is root
    "unshare": (272, 97),
    "setns": (308, 268),
    # keys of the user who started the grader
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # memory that is in no process and in no file of a bounded file system
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    # other ways to the same: queues of calls that no filter sees, other processes' memory
    "io_uring_setup": (425, 425),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    # parts of the kernel that no honest notebook needs and that have had holes
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
}
MISSING = {"clone3", "memfd_create", "memfd_secret", "io_uring_setup"}  # callers know kernels that lack these
JUDGED = {"clone", "mmap", "socket", "socketpair"}  # allowed or refused by their arguments
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
NETLINK, NETLINK_ROUTE = 16, 0  # which addresses there are: name look-ups ask it
NAMESPACES = 0x7E020000  # CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID and NET
X32 = 0x40000000  # x86_64's second set of numbers for the same calls

Instruction = tuple[int, int, int, int]


def program(machine: str | None = None) -> bytes:
    """Return the filter for a machine, this one if none is named, as the kernel reads it.

    Raises
    ------
    ValueError : the numbers of this machine's calls are not known here.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        raise ValueError(f"the filter of system calls knows {' and '.join(MACHINES)}, not {machine}")
    code, column = MACHINES[machine]
    number = {name: numbers[column] for name, numbers in CALLS.items()}
    steps = [*_unless(MACHINE, code, [(RETURN, 0, 0, KILL)]), *_when(NUMBER, ANY_BIT, X32, _refuse("ENOSYS"))]
    for name in CALLS.keys() - JUDGED:
        steps += _call(number[name], _refuse("ENOSYS" if name in MISSING else "EPERM"))
    steps += _call(number["clone"], _when(ARGUMENTS[0], ANY_BIT, NAMESPACES, _refuse("EPERM")))
    shared = _when(ARGUMENTS[3], ANY_BIT, mmap.MAP_SHARED, _refuse("EPERM"))
    steps += _call(number["mmap"], _when(ARGUMENTS[3], ANY_BIT, mmap.MAP_ANONYMOUS, shared))
    for name in ("socket", "socketpair"):
        steps += _call(number[name], _families())
    return b"".join(struct.pack("=HBBI", *step) for step in [*steps, (RETURN, 0, 0, ALLOW)])


def _families() -> list[Instruction]:
    """Allow the families that are listed, refuse all others: the kernel has some forty, and gets new ones."""
    allow = [(RETURN, 0, 0, ALLOW)]
    steps = [step for family in FAMILIES for step in _when(ARGUMENTS[0], EQUAL, family, allow)]
    steps += _when(ARGUMENTS[0], EQUAL, NETLINK, _when(ARGUMENTS[2], EQUAL, NETLINK_ROUTE, allow))
    return steps + _refuse("EAFNOSUPPORT")


def _call(number: int, then: list[Instruction]) -> list[Instruction]:
    return _when(NUMBER, EQUAL, number, then)


def _when(field: int, test: int, value: int, then: list[Instruction]) -> list[Instruction]:
    """Carry out ``then`` if a field of the call passes a test; step over it otherwise."""
    return [(LOAD, 0, 0, field), (test, 0, len(then), value), *then]


def _unless(field: int, value: int, then: list[Instruction]) -> list[Instruction]:
    return [(LOAD, 0, 0, field), (EQUAL, len(then), 0, value), *then]


def _refuse(name: str) -> list[Instruction]:
    return [(RETURN, 0, 0, REFUSE | getattr(errno, name))]
