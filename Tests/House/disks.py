"""File systems on loop devices, which forget what was not synced when their power goes (FS_IOC_GOINGDOWN without flushing the
log)."""

import ctypes
import fcntl
import os
import struct
import subprocess

from House.checks import CannotRun
from House.processes import wait_for

GOING_DOWN = 0x8004587D  # linux/fs.h FS_IOC_SHUTDOWN, the same number as XFS_IOC_GOINGDOWN
WITHOUT_FLUSHING = 2
SIZES = {"ext4": 48 << 20, "xfs": 320 << 20}  # the smallest xfs is 300 MB


class Disk:
    """A file system of its own in a file."""

    def __init__(self, directory, kind="ext4", size=None, inodes=None):
        self.image, self.path, self.kind = f"{directory}/{kind}.img", f"{directory}/{kind}", kind
        os.makedirs(self.path)
        with open(self.image, "wb") as f:
            f.truncate(size or SIZES[kind])
        quiet = ["-q"] if kind == "xfs" else ["-q", "-F", *(["-N", str(inodes)] if inodes else [])]
        try:
            subprocess.run([f"mkfs.{kind}", *quiet, self.image], check=True, capture_output=True)
            self.mount()
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotRun(f"{kind} on a loop device: {getattr(error, 'stderr', error)}") from None

    def mount(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True, capture_output=True)

    def unmount(self):
        """A recording side ends a moment after the gateway that was killed, and keeps its journal open so long."""
        def done():
            return subprocess.run(["umount", self.path], check=False, capture_output=True).returncode == 0
        wait_for(done, 10, f"nobody uses {self.path} any more")

    def written(self):
        """Bytes that have reached the device, when everything has that was written."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(descriptor):
                raise OSError(ctypes.get_errno(), "syncfs")
            device = os.fstat(descriptor).st_dev
        finally:
            os.close(descriptor)
        with open(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat") as f:
            return int(f.read().split()[6]) * 512  # Documentation/block/stat.rst: sectors written

    def cut(self):
        """The power goes: from now on nothing reaches the disk, and what was not synced never did."""
        directory = os.open(self.path, os.O_RDONLY)
        fcntl.ioctl(directory, GOING_DOWN, struct.pack("I", WITHOUT_FLUSHING))
        os.close(directory)

    def remove(self):
        ctypes.CDLL(None).umount2(self.path.encode(), 2)
