"""Keep one workload running: all that a keeper process is.

One keeper stands over each workload, so it has to be small: this file is a script of its own, run as
`python -I -S keeper.py`, imports little of the standard library and nothing of amalthea. It is told everything
on its command line, `name=value ... -- program argument ...`, and hands its own environment on to the child.

The child runs in a process group of its own. When it dies it is started again, after a pause that doubles
from 0.2 s to 30 s and goes back to the beginning once a child has run for 10 s. On SIGTERM, or when nobody
holds the other end of the lifeline any more, the group is told to end and, after the grace, killed. As a
*subreaper* the keeper becomes the parent of whatever the child leaves behind, so that nothing gets away.

A keeper that is killed takes its child with it (the kernel sends the child SIGKILL), unless the child is
meant to outlive it: then the next keeper adopts it, watches it through a pidfd, and starts it anew when it dies.
(A program may still ask the kernel for the same by itself, as Envoy does unless its hot restart is disabled.)
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Iterator

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
HEALTHY_AFTER = 10.0
TICK = 1.0
MARK = " keeper: "
"""Between the time and the text of each line that a keeper writes to the log."""
LIVES = ("begins", "started", "adopted")
"""How those lines begin that tell of a program that lives."""

GOOD = "ok"
"""What a keeper reports once its program runs; anything else says why it does not."""

_SET_PDEATHSIG = 1
_SET_CHILD_SUBREAPER = 36
_IGNORED_BY_KEEPER = (signal.SIGHUP, signal.SIGPIPE)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def stat_of(pid: int) -> list[str]:
    """The fields of `/proc/PID/stat` behind the name: state, parent, group, session, ...; born is the 20th."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].decode().split()


def pause(failures: int) -> float:
    """Seconds before the next try after `failures` short lives in a row, spread so that not all wake together."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 16))
    return longest * (0.75 + os.urandom(1)[0] / 255 / 4)


def ending_of(status: int) -> str:
    """How a process ended, from what `waitpid` says."""
    code = os.waitstatus_to_exitcode(status)
    return f"exited with code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


class Order:
    """What the command line says. File descriptors are those that the starting process left open."""

    def __init__(self, words: list[str]) -> None:
        split = words.index("--")
        said = dict(word.split("=", 1) for word in words[:split])
        self.argv = words[split + 1 :]
        self.grace = float(said["grace"])
        self.log = said["log"]
        self.log_limit = int(said["limit"])
        self.report = int(said["report"])
        self.lifeline = int(said.get("lifeline", "-1"))
        self.outlives = said["outlives"] == "yes"
        self.adopt = tuple(int(part) for part in said["adopt"].split(":")) if "adopt" in said else None
        self.held = [int(part) for part in said.get("hold", "").split(",") if part]


class Keeper:
    """One keeper and its child. `child` is 0 while there is none."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.child = 0
        self.adopted = -1
        self.ending = False
        self.died = ""
        self._poll = select.poll()
        self._signals, wake = os.pipe()
        for end in (self._signals, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._poll.register(self._signals, select.POLLIN)
        if order.lifeline >= 0:
            self._poll.register(order.lifeline, 0)
        for number in (order.report, order.lifeline, *order.held):
            if number >= 0:
                os.set_inheritable(number, False)

    # What is said: to the log, and once to whoever started the keeper.

    def say(self, text: str) -> None:
        """One line to the log. A full disk does not end the keeper."""
        try:
            self._write(text)
        except OSError:
            return

    def _write(self, text: str) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        os.write(1, f"{now}{MARK}{text}\n".encode())

    def report(self, text: str) -> None:
        """Tell the starting process how the first start went; with nobody to tell, all ends.

        After bad news the pipe is closed by this process's end, so that whoever hears it knows that nothing is left.
        """
        try:
            os.write(self.order.report, text.encode())
        except OSError:
            self.say("whoever started this keeper is gone")
            self.ending = True
        if text == GOOD:
            os.close(self.order.report)

    # The child's life.

    def begin(self) -> bool:
        """The first start, or the adoption of a living child. False when there is nothing to keep."""
        try:
            self._write(f"begins to keep {' '.join(self.order.argv)}")
        except OSError as error:
            self.report(f"cannot write the log: {error.strerror}")
            return False
        if self.order.adopt and self._adopt(*self.order.adopt):
            self.say(f"adopted process {self.child}")
            self.report(GOOD)
            return True
        problem = self.start()
        self.say(problem or f"started process {self.child}")
        self.report(problem or GOOD)
        return not problem

    def _adopt(self, pid: int, born: int) -> bool:
        """Watch a living process: the one born then, not another that got its number."""
        try:
            handle = os.pidfd_open(pid)
        except OSError:
            return False
        try:
            same = int(stat_of(pid)[19]) == born
        except OSError:
            same = False
        if not same:
            os.close(handle)
            return False
        self.child, self.adopted = pid, handle
        self._poll.register(handle, select.POLLIN)
        return True

    def start(self) -> str:
        """Start the program. Returns what went wrong, or nothing."""
        failed, fail = os.pipe()
        keeper = os.getpid()
        try:
            pid = os.fork()
            if pid == 0:
                self._become(keeper, fail)
            os.close(fail)
            problem = os.read(failed, 4096).decode()
        except OSError as error:
            return f"cannot start a process: {error.strerror}"
        finally:
            os.close(failed)
        if problem:
            os.waitpid(pid, 0)
        else:
            self.child, self.died = pid, ""
        return problem

    def _become(self, keeper: int, fail: int) -> None:
        """In the new process: turn into the program. The pipe closes by itself when that works."""
        try:
            os.setpgid(0, 0)
            if not self.order.outlives:
                _prctl(_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != keeper:
                    os._exit(0)
            signal.set_wakeup_fd(-1)
            for number in (*_IGNORED_BY_KEEPER, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            own = {b"AMALTHEA_ROLE": b"child", b"AMALTHEA_EXEC_PID": str(os.getpid()).encode()}
            os.execvpe(self.order.argv[0], self.order.argv, {**os.environb, **own})  # noqa: S606
        except OSError as error:
            os.write(fail, f"cannot run {self.order.argv[0]}: {error.strerror}".encode())
        finally:
            os._exit(127)

    def keep(self) -> None:
        """Watch the child, and start it again when it dies, until told to end."""
        failures, since = 0, time.monotonic()
        while not self.ending:
            self.wait(TICK)
            self.rotate()
            if not self.child and not self.ending:
                lived = time.monotonic() - since
                failures = 1 if lived >= HEALTHY_AFTER else failures + 1
                self._again(lived, pause(failures))
                since = time.monotonic()

    def _again(self, lived: float, seconds: float) -> None:
        self.say(f"{self.died} after {lived:.1f} s, next try in {seconds:.1f} s")
        until = time.monotonic() + seconds
        while not self.ending and (left := until - time.monotonic()) > 0:
            self.wait(min(left, TICK))
            self.rotate()
        if self.ending:
            return
        self.died = self.start()
        if self.child:
            self.say(f"started again as process {self.child}")

    # What happens meanwhile.

    def wait(self, seconds: float) -> None:
        """Sleep until a signal, the end of the lifeline or of an adopted child, or until the time is up."""
        for number, _ in self._poll.poll(max(seconds, 0) * 1000):
            if number == self._signals:
                os.read(self._signals, 512)
            elif number == self.adopted:
                self._adopted_died()
            else:
                self._poll.unregister(number)
                self.ending = True
        while self._reap():
            pass

    def _adopted_died(self) -> None:
        self._poll.unregister(self.adopted)
        os.close(self.adopted)
        if not self.ending:
            self.tell(signal.SIGKILL)
        self.child, self.adopted, self.died = 0, -1, "the adopted process ended"

    def _reap(self) -> bool:
        """Collect one dead process. What is left of the child's group dies while its number is still taken."""
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        if found is None:
            return False
        if found.si_pid == self.child and not self.ending:
            self.tell(signal.SIGKILL)
        _, status = os.waitpid(found.si_pid, 0)
        if found.si_pid == self.child:
            self.child, self.died = 0, ending_of(status)
        return True

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to the child's whole group."""
        try:
            os.killpg(self.child, number)
        except (ProcessLookupError, PermissionError):
            return

    def rotate(self) -> None:
        """Above the limit, keep the log as `.1` and begin it again. Without room for a copy, there is none."""
        if os.fstat(1).st_size <= self.order.log_limit:
            return
        try:
            self._copy_log()
        except OSError as error:
            self.say(f"the log was cut off and not kept: {error.strerror}")
        os.ftruncate(1, 0)

    def _copy_log(self) -> None:
        source = os.open("/proc/self/fd/1", os.O_RDONLY)
        try:
            target = os.open(self.order.log + ".1", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            try:
                while os.sendfile(target, source, None, 1 << 20):
                    pass
            finally:
                os.close(target)
        finally:
            os.close(source)

    # The end.

    def end(self) -> None:
        """Ask the child and all it left behind to end; after the grace, make them."""
        self.say("stops")
        deadline = time.monotonic() + self.order.grace
        told = {self.child}
        self._ask(self.child, group=True)
        while self.child or self._has_children():
            late = time.monotonic() >= deadline
            if late and self.child:
                self.tell(signal.SIGKILL)
            for pid in self._strays():
                if late:
                    os.kill(pid, signal.SIGKILL)
                elif pid not in told:
                    told.add(pid)
                    self._ask(pid, group=False)
            self.wait(min(0.1, max(0.01, deadline - time.monotonic())))

    def _ask(self, pid: int, *, group: bool) -> None:
        """A frozen process hears SIGTERM only once it goes on."""
        for number in (signal.SIGTERM, signal.SIGCONT):
            if group and pid:
                self.tell(number)
            elif pid:
                os.kill(pid, number)

    def _has_children(self) -> bool:
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def _strays(self) -> Iterator[int]:
        """Children of this process other than the program: not collected yet, so their numbers are theirs."""
        me = str(os.getpid())
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == self.child:
                continue
            try:
                parent = stat_of(int(name))[1]
            except OSError:
                continue
            if parent == me:
                yield int(name)


def main() -> None:
    """Leave the starting process, then keep the workload until told to end."""
    if os.fork():
        os._exit(0)
    os.setsid()
    for number in _IGNORED_BY_KEEPER:
        signal.signal(number, signal.SIG_IGN)
    keeper = Keeper(Order(sys.argv[1:]))

    def told_to_end(*_: object) -> None:
        keeper.ending = True

    signal.signal(signal.SIGTERM, told_to_end)
    signal.signal(signal.SIGINT, told_to_end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _prctl(_SET_CHILD_SUBREAPER, 1)
    if keeper.begin():
        keeper.keep()
        keeper.end()


if __name__ == "__main__":
    main()
