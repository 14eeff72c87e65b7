# Copyright (c) The palier.aws authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The machine images that every region offers, and the public parameters that name the newest of each.

C{python -m tests.emulator.ami} writes amis.json anew. Names, owners and root devices are those that the publishers use;
the serials are made up, and an id is drawn from region and name, so that, as on AWS, none is the same in two regions.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from pathlib import Path

PATH = Path(__file__).with_name("amis.json")

CANONICAL = "099720109477"
DEBIAN = "136693071363"
AMAZON = "137112412989"

#: An older and the newest serial of each, so that "the most recent" means something.
_UBUNTU_SERIALS = ("20260618", "20260917")
_DEBIAN_SERIALS = ("20260609-2504", "20260914-2601")
_AMAZON_VERSIONS = ("2023.11.20260601.0", "2023.12.20260930.0")
_UBUNTU = {
    # version: (code name, folder, volume type in the public parameter's name)
    "22.04": ("jammy", "hvm-ssd", "ebs-gp2"),
    "24.04": ("noble", "hvm-ssd-gp3", "ebs-gp3"),
}
_DEBIAN = ("12", "13")
_AMAZON_KERNELS = ("6.1", "6.12", "6.18")
#: How each publisher writes the two architectures.
_DEBIAN_ARCHITECTURES = {"amd64": "x86_64", "arm64": "arm64"}
_AMAZON_ARCHITECTURES = {"x86_64": "x86_64", "arm64": "arm64"}


def identifier(region: str, name: str) -> str:
    """The id of an image in one region."""
    return f"ami-0{hashlib.sha256(f'{region}/{name}'.encode()).hexdigest()[:16]}"


def images() -> list[dict[str, t.Any]]:
    """Every image, as moto's C{MOTO_AMIS_PATH} wants it; the id is that of no region."""
    return [*_ubuntu(), *_debian(), *_amazon()]


def parameters() -> dict[str, str]:
    """The public Systems Manager parameters: name to the name of the image."""
    return {**_ubuntu_parameters(), **_debian_parameters(), **_amazon_parameters()}


def _ubuntu() -> t.Iterator[dict[str, t.Any]]:
    for version, (code, folder, _volume) in _UBUNTU.items():
        for arch, machine in _DEBIAN_ARCHITECTURES.items():
            for serial in _UBUNTU_SERIALS:
                name = _ubuntu_name(version, code, folder, arch, serial)
                yield _image(name, CANONICAL, machine, "/dev/sda1", serial, f"Canonical, Ubuntu, {version}, {arch}")


def _ubuntu_name(version: str, code: str, folder: str, arch: str, serial: str) -> str:
    return f"ubuntu/images/{folder}/ubuntu-{code}-{version}-{arch}-server-{serial}"


def _ubuntu_parameters() -> dict[str, str]:
    newest = _UBUNTU_SERIALS[-1]
    return {
        f"/aws/service/canonical/ubuntu/server/{version}/stable/{at}/{arch}/hvm/{volume}/ami-id": _ubuntu_name(
            version, code, folder, arch, newest
        )
        for version, (code, folder, volume) in _UBUNTU.items()
        for arch in _DEBIAN_ARCHITECTURES
        for at in ("current", newest)
    }


def _debian() -> t.Iterator[dict[str, t.Any]]:
    for version in _DEBIAN:
        for arch, machine in _DEBIAN_ARCHITECTURES.items():
            for serial in _DEBIAN_SERIALS:
                name = f"debian-{version}-{arch}-{serial}"
                yield _image(name, DEBIAN, machine, "/dev/xvda", serial[:8], f"Debian {version} ({serial})")


def _debian_parameters() -> dict[str, str]:
    newest = _DEBIAN_SERIALS[-1]
    return {
        f"/aws/service/debian/release/{version}/{at}/{arch}": f"debian-{version}-{arch}-{newest}"
        for version in _DEBIAN
        for arch in _DEBIAN_ARCHITECTURES
        for at in ("latest", newest)
    }


def _amazon() -> t.Iterator[dict[str, t.Any]]:
    for kernel in _AMAZON_KERNELS:
        for arch, machine in _AMAZON_ARCHITECTURES.items():
            for version in _AMAZON_VERSIONS:
                name = f"al2023-ami-{version}-kernel-{kernel}-{arch}"
                about = f"Amazon Linux 2023 AMI {version} {arch} HVM kernel-{kernel}"
                yield _image(name, AMAZON, machine, "/dev/xvda", version.split(".")[2], about)


def _amazon_parameters() -> dict[str, str]:
    newest = _AMAZON_VERSIONS[-1]
    kernels = {**{kernel: kernel for kernel in _AMAZON_KERNELS}, "default": _AMAZON_KERNELS[-1]}
    return {
        f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-{label}-{arch}": (
            f"al2023-ami-{newest}-kernel-{kernel}-{arch}"
        )
        for label, kernel in kernels.items()
        for arch in _AMAZON_ARCHITECTURES
    }


def _image(name: str, owner: str, machine: str, root: str, day: str, about: str) -> dict[str, t.Any]:
    return {
        "ami_id": identifier("", name),
        "name": name,
        "description": about,
        "owner_id": owner,
        "image_location": f"{owner}/{name}",
        "architecture": machine,
        "root_device_name": root,
        "root_device_type": "ebs",
        "virtualization_type": "hvm",
        "hypervisor": "xen",
        "image_type": "machine",
        "state": "available",
        "public": True,
        "sriov": "simple",
        "boot_mode": "uefi" if machine == "arm64" else "uefi-preferred",
        "creation_date": f"{day[:4]}-{day[4:6]}-{day[6:]}T00:00:00.000Z",
    }


def main() -> None:
    """Write amis.json."""
    PATH.write_text(json.dumps(images(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
