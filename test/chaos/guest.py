"""A virtual machine whose power can be cut: a kernel of Debian, a root file system made of busybox and the hub, and an
ext4 disk. Everything that was written in the guest and not synced is gone when QEMU is killed."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from faults import checked
from hub import Hub
from scenario import Unavailable

PACKAGES = ("qemu-system-x86", "busybox-static", "kmod", "cpio", "e2fsprogs")
KERNEL = "linux-image-cloud-amd64"
MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "ext4")
PORT = 8420

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in {modules}; do modprobe $module; done
ip link set lo up
ip link set eth0 up
ip address add 10.0.2.15/24 dev eth0
mount -t ext4 /dev/vda /disk || echo "guest: the disk cannot be mounted"
{environment} /belfry serve --listen 0.0.0.0:{port} --insecure --data /disk/data {settings}
echo "guest: the hub ended with $?"
poweroff -f
"""


def installed(package):
    status = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
                            capture_output=True, text=True, check=False)
    return status.stdout == "installed"


def need_packages():
    if missing := [package for package in PACKAGES if not installed(package)]:
        raise Unavailable(f"this needs the Debian packages {' '.join(missing)}, which ./dev test installs")


def unpack_kernel(place):
    """Debian's kernel, unpacked and not installed: (image, the folder that holds lib/modules)."""
    root = place / "kernel"
    if not list(root.glob("boot/vmlinuz-*")):
        depends = subprocess.run(["apt-cache", "depends", KERNEL], capture_output=True, text=True, check=False).stdout
        package = re.search(r"Depends: (linux-image-\S+)", depends)
        if not package:
            raise Unavailable(f"apt-cache knows no {KERNEL}; apt-get update")
        place.mkdir(parents=True, exist_ok=True)
        fetched = subprocess.run(["apt-get", "download", "-qq", package.group(1)], cwd=place, capture_output=True,
                                 text=True, check=False)
        if fetched.returncode != 0:
            raise Unavailable(f"the kernel cannot be had: {fetched.stderr.strip()}")
        checked("dpkg-deb", "-x", next(place.glob("linux-image-*.deb")), root)
    image = next(root.glob("boot/vmlinuz-*"))
    release = image.name.removeprefix("vmlinuz-")
    if not (root / "lib/modules" / release / "modules.dep").exists():
        checked("depmod", "-b", root, release)
    return image, root / "lib/modules" / release


def needed_modules(folder):
    """Paths of MODULES and of what they depend on."""
    depends = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        depends[path] = others.split()
    names = {Path(path).name.split(".")[0].replace("-", "_"): path for path in depends}
    found = set()
    for module in MODULES:
        if module in names:  # else it is part of the kernel
            found |= {names[module], *depends[names[module]]}
    return found


def copy_program(program, root, name):
    shutil.copy(program, root / name)
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"(/\S+\.so\S*) \(", listed):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)


class Guest(Hub):
    """A hub in a machine of its own; kill() is a power cut."""

    ready_within = 420
    look_every = 0.2

    def __init__(self, run, settings):
        super().__init__(run.binary, run.directory, None, settings)
        need_packages()
        self.image, self.modules = unpack_kernel(run.build.parent / "power_cut")
        self.run = run
        self.disk = run.directory / "disk.img"
        with open(self.disk, "wb") as file:
            file.truncate(512 << 20)
        checked("mkfs.ext4", "-q", self.disk)
        self.initrd = run.directory / "initrd"

    def build_root(self):
        root = self.directory / "root"
        shutil.rmtree(root, ignore_errors=True)
        for folder in ("bin", "proc", "sys", "dev", "disk", "tmp"):
            (root / folder).mkdir(parents=True)
        shutil.copy("/bin/busybox", root / "bin/busybox")
        copy_program(self.binary, root, "belfry")
        if "LD_PRELOAD" in self.environment:
            copy_program(self.run.build / "failing_disk.so", root, "failing_disk.so")
        target = root / "lib/modules" / self.modules.name
        for path in needed_modules(self.modules):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.modules / path, target / path)
        for name in ("modules.dep", "modules.alias", "modules.builtin", "modules.order"):
            shutil.copy(self.modules / name, target / name)
        init = root / "init"
        init.write_text(INIT.format(
            modules=" ".join(MODULES), port=PORT,
            environment=" ".join(f"{name}={value}" for name, value in self.environment.items()),
            settings=" ".join(f"--set {key}={value}" for key, value in self.settings.items()),
        ))
        init.chmod(0o755)
        with open(self.initrd, "wb") as out:
            names = subprocess.run(["find", ".", "-print0"], cwd=root, capture_output=True, check=True).stdout
            subprocess.run(["cpio", "--null", "-o", "--format=newc", "--quiet"], cwd=root, input=names, stdout=out,
                           check=True)

    def launch(self):
        self.build_root()
        with open(self.directory / "hub.out", "ab") as output:
            self.process = subprocess.Popen([
                "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "768", "-nographic", "-no-reboot",
                "-kernel", self.image, "-initrd", self.initrd,
                "-append", "console=ttyS0 quiet panic=-1 random.trust_cpu=on",
                "-drive", f"file={self.disk},if=virtio,format=raw,cache=writeback",
                "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-10.0.2.15:{PORT}",
                "-device", "virtio-net-pci,netdev=net",
            ], stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def verify_intact(self):
        """On the host: the disk is mounted and looked at there."""
        if os.geteuid() != 0:
            return []
        place = self.directory / "looked_at"
        place.mkdir(exist_ok=True)
        checked("mount", "-o", "loop", self.disk, place)
        try:
            looked_at = Hub(self.binary, self.directory, place / "data")
            return looked_at.verify_intact()
        finally:
            checked("umount", place)

    def cut_power(self):
        self.kill(signal.SIGKILL)
