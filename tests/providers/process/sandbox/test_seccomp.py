"""The filter of system calls: what it decides, and that what people do in notebooks goes on under it."""

from __future__ import annotations

import errno
import json
import platform
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from amalthea.providers.process.sandbox import seccomp
from tests.providers.process.sandbox.bpf import decide

WORDS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
KILL, ALLOW, REFUSE = 0x80000000, 0x7FFF0000, 0x00050000
NOT_PERMITTED, ABSENT = REFUSE | errno.EPERM, REFUSE | errno.ENOSYS

# Numbers as the kernel's headers have them, on x86_64 and aarch64, written down apart from the filter's own.
ORDINARY = {
    "read": (0, 63),
    "write": (1, 64),
    "openat": (257, 56),
    "execve": (59, 221),
    "mmap": (9, 222),
    "exit_group": (231, 94),
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "inotify_init1": (294, 26),
    "memfd_create": (319, 279),
    "landlock_create_ruleset": (444, 444),
    "file_getattr": (468, 468),
}
REFUSED = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "kexec_load": (246, 104),
    "finit_module": (313, 273),
    "open_by_handle_at": (304, 265),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "vhangup": (153, 58),
    "syslog": (103, 116),
}
MISSING = {
    "clone3": (435, 435),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "fsopen": (430, 430),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "nfsservctl": (180, 42),
    "file_setattr": (469, 469),
    "one that is not made yet": (600, 600),
}
CHECKED = {
    "clone": (56, 220),
    "unshare": (272, 97),
    "personality": (135, 92),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "ioctl": (16, 29),
    "mknodat": (259, 33),
}
BOTH = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


def verdict(machine: str, number: tuple[int, int], *arguments: int) -> int:
    column = list(WORDS).index(machine)
    return decide(seccomp.program(machine), number[column], *arguments, architecture=WORDS[machine])


@BOTH
def test_ordinary_calls_are_allowed(machine: str) -> None:
    assert {name: verdict(machine, number) for name, number in ORDINARY.items()} == dict.fromkeys(ORDINARY, ALLOW)


@BOTH
def test_calls_that_administer_the_machine_are_refused(machine: str) -> None:
    found = {name: verdict(machine, number) for name, number in REFUSED.items()}
    assert found == dict.fromkeys(REFUSED, NOT_PERMITTED)


@BOTH
def test_what_programs_ask_for_before_they_use_it_is_absent(machine: str) -> None:
    assert {name: verdict(machine, number) for name, number in MISSING.items()} == dict.fromkeys(MISSING, ABSENT)


def test_ports_of_hardware_are_refused_where_there_are_any() -> None:
    for number in (172, 173):  # iopl, ioperm
        assert verdict("x86_64", (number, 0)) == NOT_PERMITTED
        assert verdict("aarch64", (0, number)) == ALLOW  # something else has that number there


@BOTH
def test_the_calls_of_another_architecture_end_the_process(machine: str) -> None:
    program = seccomp.program(machine)
    for word in (0x40000003, 0x40000028, *({*WORDS.values()} - {WORDS[machine]})):  # i386, ARM
        assert decide(program, 1, architecture=word) == KILL


def test_numbers_of_x32_are_absent() -> None:
    for number in (0x40000000, 0x40000000 | 165, 512, 0xFFFFFFFF):
        assert verdict("x86_64", (number, 0)) == ABSENT


@BOTH
@pytest.mark.parametrize(
    "flag", [0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000], ids=hex
)
def test_no_namespace_can_be_made(machine: str, flag: int) -> None:
    thread = 0x003D0F00
    assert verdict(machine, CHECKED["clone"], thread) == ALLOW
    assert verdict(machine, CHECKED["clone"], thread | flag) == NOT_PERMITTED
    assert verdict(machine, CHECKED["unshare"], flag) == NOT_PERMITTED
    assert verdict(machine, CHECKED["unshare"], 0x400) == ALLOW  # its own table of files
    assert verdict(machine, CHECKED["unshare"], 0x80) == NOT_PERMITTED  # of time


@BOTH
def test_sockets_are_those_of_the_network_and_of_the_own_machine(machine: str) -> None:
    refused = REFUSE | errno.EAFNOSUPPORT
    for call in (CHECKED["socket"], CHECKED["socketpair"]):
        assert [verdict(machine, call, family, 1, 0) for family in (1, 2, 10, 16)] == [ALLOW] * 4
        assert {verdict(machine, call, family, 1, 0) for family in (0, 3, 9, 17, 21, 29, 38, 40, 44)} == {refused}
        assert verdict(machine, call, 16, 3, 12) == refused  # packet filters
    assert [verdict(machine, CHECKED["socket"], 2, 1, one) for one in (6, 17)] == [ALLOW] * 2
    assert verdict(machine, CHECKED["socket"], 2, 1, 132) == REFUSE | errno.EPROTONOSUPPORT  # SCTP
    assert verdict(machine, CHECKED["socket"], 10, 3, 255) == REFUSE | errno.EPROTONOSUPPORT


@BOTH
def test_a_high_half_of_an_argument_hides_nothing(machine: str) -> None:
    high = 1 << 32
    assert verdict(machine, CHECKED["socket"], high | 17, 3, 0) == REFUSE | errno.EAFNOSUPPORT
    assert verdict(machine, CHECKED["ioctl"], 0, high | 0x5412) == NOT_PERMITTED
    assert verdict(machine, CHECKED["unshare"], high | 0x10000000) == NOT_PERMITTED


@BOTH
def test_terminals_work_but_nothing_is_typed_into_them(machine: str) -> None:
    for command in (0x5401, 0x5413, 0x5421, 0x541B):
        assert verdict(machine, CHECKED["ioctl"], 0, command) == ALLOW
    for command in (0x5412, 0x541C):
        assert verdict(machine, CHECKED["ioctl"], 0, command) == NOT_PERMITTED


@BOTH
def test_pipes_can_be_made_and_devices_not(machine: str) -> None:
    assert verdict(machine, CHECKED["mknodat"], 0, 0, 0o010644) == ALLOW
    for kind in (0o020644, 0o060644):
        assert verdict(machine, CHECKED["mknodat"], 0, 0, kind) == NOT_PERMITTED
    assert verdict("x86_64", (133, 0), 0, 0o060644) == NOT_PERMITTED  # mknod


@BOTH
def test_a_debugger_may_fix_addresses_and_nothing_odder_is_let_through(machine: str) -> None:
    for kind in (0, 0x40000, 0xFFFFFFFF):
        assert verdict(machine, CHECKED["personality"], kind) == ALLOW
    for kind in (0x400000, 0x100000, 0x3):
        assert verdict(machine, CHECKED["personality"], kind) == NOT_PERMITTED


def test_another_machine_has_no_filter() -> None:
    with pytest.raises(ValueError, match="riscv64"):
        seccomp.program("riscv64")


SCRIPT = """
import ctypes, importlib.util, json, sys
spec = importlib.util.spec_from_file_location("filter", sys.argv[1])
filter = importlib.util.module_from_spec(spec)
spec.loader.exec_module(filter)
filter.install()
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    ctypes.set_errno(0)
    return 0 if libc.syscall(*map(ctypes.c_long, words)) != -1 else ctypes.get_errno()
"""


def under_it(code: str, *, directory: Path, timeout: float = 60) -> Any:
    """What a script prints as JSON, run under the filter, which it loads as a file of its own."""
    if reason := seccomp.supported():
        pytest.skip(reason)
    command = [sys.executable, "-c", SCRIPT + textwrap.dedent(code), str(seccomp.__file__)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=directory, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_the_kernel_says_that_the_filter_is_on(tmp_path: Path) -> None:
    status = under_it(
        "print(json.dumps(dict(line.split(':\\t') for line in open('/proc/self/status').read().splitlines())))",
        directory=tmp_path,
    )
    assert status["Seccomp"] == "2"
    assert status["NoNewPrivs"] == "1"


def test_the_kernel_refuses_what_the_filter_refuses(tmp_path: Path) -> None:
    """Each call is one that the kernel would answer in another way."""
    column = list(WORDS).index(platform.machine())
    wanted = {
        **{
            name: (numbers[column], errno.EPERM)
            for name, numbers in REFUSED.items()
            if name not in ("vhangup", "reboot")
        },
        **{name: (numbers[column], errno.ENOSYS) for name, numbers in MISSING.items()},
    }
    numbers = {name: number for name, (number, _) in wanted.items()}
    code = f"print(json.dumps({{name: call(number, -1, -1, -1, -1, -1) for name, number in {numbers!r}.items()}}))"
    assert under_it(code, directory=tmp_path) == {name: error for name, (_, error) in wanted.items()}


def test_it_holds_for_threads_that_run_already_and_for_programs_started_later(tmp_path: Path) -> None:
    code = """
    import subprocess, threading
    with open('/proc/thread-self/status') as file:
        pass
    inside = subprocess.run([sys.executable, '-c', 'import os; print(open("/proc/self/status").read())'],
                            capture_output=True, text=True).stdout
    found = []
    thread = threading.Thread(target=lambda: found.append(open('/proc/thread-self/status').read()))
    thread.start(); thread.join()
    print(json.dumps(['Seccomp:\\t2' in text for text in (inside, *found)]))
    """
    assert under_it(code, directory=tmp_path) == [True, True]


def test_the_calls_of_32_bits_end_the_process(tmp_path: Path) -> None:
    if platform.machine() != "x86_64":
        pytest.skip("there is no such call on this machine")
    code = """
    import mmap, os, signal
    if (pid := os.fork()) == 0:
        page = mmap.mmap(-1, 4096, prot=7)
        page.write(bytes([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]))  # getpid, by the gate of 32 bits
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        os._exit(0)
    print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGSYS))
    """
    assert under_it(code, directory=tmp_path) is True


def test_processes_threads_pipes_and_terminals_work(tmp_path: Path) -> None:
    code = """
    import asyncio, concurrent.futures, multiprocessing, os, pty, subprocess, tempfile
    context = multiprocessing.get_context('fork')
    with context.Pool(2) as pool:
        pooled = pool.map(abs, [-1, -2])
    with concurrent.futures.ThreadPoolExecutor() as threads:
        threaded = list(threads.map(abs, [-3]))
    said = subprocess.run('echo yes | cat', shell=True, capture_output=True, text=True).stdout
    async def ask():
        one = await asyncio.create_subprocess_exec('echo', 'async', stdout=-1)
        return (await one.communicate())[0].decode()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp('stty', ['stty', 'size'])
    size = os.read(terminal, 100).decode()
    os.mkfifo('pipe')
    print(json.dumps([pooled, threaded, said, asyncio.run(ask()), size.split()]))
    """
    assert under_it(code, directory=tmp_path) == [[1, 2], [3], "yes\n", "async\n", ["0", "0"]]


def test_multiprocessing_works_in_its_other_ways(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(
        "import multiprocessing as m\n"
        "def main(kind):\n"
        "    with m.get_context(kind).Pool(1) as pool:\n"
        "        return pool.map(abs, [-1])\n"
    )
    code = """
    sys.path.insert(0, '.')
    import work
    print(json.dumps([work.main('spawn'), work.main('forkserver')]))
    """
    assert under_it(code, directory=tmp_path) == [[1], [1]]


def test_git_and_pip_work(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "pyproject.toml").write_text("")
    code = """
    import subprocess
    def run(*words):
        return subprocess.run(words, capture_output=True, text=True)
    made = [run('git', 'init', '-q', 'r'), run('git', '-C', 'r', '-c', 'user.name=a', '-c', 'user.email=a@b',
            'commit', '-q', '--allow-empty', '-m', 'one'), run('git', 'clone', '-q', 'r', 's'),
            run(sys.executable, '-m', 'pip', '--disable-pip-version-check', 'list')]
    print(json.dumps([one.stderr for one in made if one.returncode]))
    """
    assert under_it(code, directory=tmp_path) == []


def test_a_debugger_may_look_at_a_process_of_the_same_session(tmp_path: Path) -> None:
    code = """
    import os, signal
    child = os.fork()
    if child == 0:
        signal.pause()
    attached = libc.ptrace(16, child, None, None)
    os.waitpid(child, 0)
    os.kill(child, signal.SIGKILL)
    print(json.dumps(attached))
    """
    assert under_it(code, directory=tmp_path) == 0


KERNEL = """
import asyncio, os
os.environ.update(HOME='.', JUPYTER_RUNTIME_DIR='run', IPYTHONDIR='ipython', PYDEVD_DISABLE_FILE_VALIDATION='1')
from jupyter_client import AsyncKernelManager
async def main():
    manager = AsyncKernelManager(kernel_name='python3', transport='ipc')
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=40)
    said = []
    await client.execute_interactive('print(6 * 7)', timeout=40, output_hook=lambda m: said.append(m['content']))
    client.stop_channels()
    await manager.shutdown_kernel(now=True)
    return [one['text'] for one in said if 'text' in one]
print(json.dumps(asyncio.run(main())))
"""


def test_a_kernel_runs_a_cell(tmp_path: Path) -> None:
    pytest.importorskip("ipykernel")
    assert under_it(KERNEL, directory=tmp_path) == ["42\n"]
