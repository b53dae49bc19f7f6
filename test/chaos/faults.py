"""Small disks for the fault tests, and how to fill them."""

import errno
import os
import subprocess

from hub import Broken

STEP = 1 << 16


def checked(*command):
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise Broken(f"{' '.join(map(str, command))}: {ran.stderr.strip() or ran.returncode}; this test mounts file "
                     "systems, which needs root (and in a container the right to mount)")


def mount_point(run):
    place = run.directory / f"disk{len(run.cleanups)}"
    place.mkdir()
    return place


def unmount_at_end(run, place):
    # Lazily, so that a hub that still ends does not keep it.
    run.at_end(lambda: subprocess.run(["umount", "--lazy", place], capture_output=True, check=False))


def mount_tmpfs(run, size):
    place = mount_point(run)
    checked("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place)
    unmount_at_end(run, place)
    return place


def mount_ext4(run, mebibytes):
    place = mount_point(run)
    image = place.with_suffix(".img")
    with open(image, "wb") as file:
        file.truncate(mebibytes << 20)
    checked("mkfs.ext4", "-q", "-m", "0", image)
    checked("mount", "-o", "loop", image, place)
    unmount_at_end(run, place)
    return place


def fill_up(ballast):
    """Takes what is free on its disk; how many bytes that were."""
    taken = 0
    descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        step = STEP
        while step >= 512:
            try:
                taken += os.write(descriptor, bytes(step))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                step //= 2
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    finally:
        os.close(descriptor)
    return taken
