"""The machine the rows run on: processors, priorities, processor time, memory, the disk."""

import os
import resource
import socket
import statistics
import subprocess
import time
from pathlib import Path

TICK_US = 1e6 / os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
SLOW_DISK_MS = 1.0


def take_top_priority():
    Path("/proc/self/autogroup").write_text("-20")
    os.setpriority(os.PRIO_PROCESS, 0, -20)


def top_priority_refused():
    try:
        subprocess.run(["true"], preexec_fn=take_top_priority, start_new_session=True, check=True)
    except (OSError, subprocess.SubprocessError):
        return True
    return False


def at_top_priority(processor=None):
    """Runs in the child before exec: its own scheduling group, top priority, and one processor if told."""
    def prepare():
        os.setsid()
        if processor is not None and processor < os.cpu_count():
            os.sched_setaffinity(0, {processor})
        try:
            take_top_priority()
        except OSError:
            pass  # refused, which is said above the table: the figures are noisier, the ratio still holds
    return prepare


def allow_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def cpu_us(pid):
    """Of all threads, those that ended too; in nanoseconds where the kernel says so, else in its ticks."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue  # it just ended
    if total:
        return total / 1e3
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK_US


def resident_kib(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 1024


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def durable_call(directory):
    """What a log there commits with: Belfry asks the file system the same way."""
    with open(directory / "probe", "wb", buffering=0) as file:
        try:
            os.pwritev(file.fileno(), [bytes(4096)], 0, os.RWF_DSYNC)
        except OSError:
            return "fdatasync"
    return "RWF_DSYNC"


def sync_us(directory, count=200):
    """The median of writing 4 KiB into space that was written before, and fdatasync."""
    with open(directory / "probe", "wb", buffering=0) as file:
        file.write(bytes(1 << 20))
        os.fsync(file.fileno())
        times = []
        for i in range(count):
            begin = time.perf_counter()
            os.pwrite(file.fileno(), bytes(4096), i % 256 * 4096)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begin) * 1e6)
    return statistics.median(times)
