"""Container images as environments, on real machines: archives made here, imported, run, worked in, replaced, dropped."""

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests import saved_images as saved
from tests.broken import cut
from tests.ladder import DEBIAN, PyroProgram
from tests.remains import remains
from tests.saved_images import Entry, directory, file, hard_link, layer, link

from pyro_mcp import Pyro
from pyro_mcp.environments.cache import Cache
from pyro_mcp.environments.kit_store import KitStore
from pyro_mcp.environments.store import EnvironmentStore
from pyro_mcp.environments.values import Environment
from pyro_mcp.errors import NotFound
from pyro_mcp.host.paths import Paths
from pyro_mcp.host.waiting import wait_until

pytestmark = pytest.mark.timeout(60)
NAME = "team-app:1"
_SHOW = "cd /srv; for i in $(busybox find . | busybox sort); do busybox stat -c '%A %u:%g %n %N' $i; done"


Import = Callable[[Path], str]


@pytest.fixture
def brought(home: Path) -> Iterator[Import]:
    """Imports by a name of the test's own into the cache that all tests share, and takes it out again."""
    store, cache = EnvironmentStore(Paths.from_environment()), Cache(Paths.from_environment().cache)
    name = f"vm-test-{os.getpid()}"
    digests: set[str] = set()

    def bring(archive: Path) -> str:
        digests.add(store.import_image(name, archive).digest or "")
        return name

    yield bring
    with suppress(NotFound):
        store.forget(name)
    for digest in digests:
        cache.throw_away(digest)


@pytest.fixture
def own_cache(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of the test's own, for what starts no machine; debian:12's image and the kit are there by other names."""
    shared = Paths.from_environment().cache.resolve()
    with TemporaryDirectory(prefix="pyro-vm-", dir="/tmp") as name:
        cache = Path(name) / "cache"
        cache.mkdir(mode=0o700)
        for part in ("kits", "ramdisks", "environments/keys", f"environments/{environment.digest}"):
            shutil.copytree(shared / part, cache / part, copy_function=_linked)
        monkeypatch.setenv("PYRO_HOME", name)
        yield cache
        left = remains(Path(name))
    assert not left, "left behind:\n" + "\n".join(left)


def _linked(source: str, to: str) -> None:
    try:
        os.link(source, to)
    except OSError:  # another disk
        shutil.copy2(source, to)


@pytest.fixture(scope="module")
def busybox(environment: Environment) -> bytes:
    """The kit's busybox: one static program."""
    return KitStore(Cache(Paths.from_environment().cache)).busybox().read_bytes()


def layers_of(busybox: bytes) -> list[bytes]:
    """Three layers, of which each takes away, replaces and adds."""
    first: list[Entry] = [
        *(directory("bin"), file("bin/busybox", busybox, 0o755), link("bin/sh", "busybox")),
        *(directory("srv"), file("srv/kept", b"kept\n"), file("srv/gone", b"x"), file("srv/file", b"x")),
        *(directory("srv/dir"), file("srv/dir/x"), directory("srv/opaque"), file("srv/opaque/old")),
        *(
            directory("etc"),
            file("etc/passwd", b"root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/srv:/bin/sh\n"),
        ),
        file("etc/group", b"root:x:0:\napp:x:1000:\nteam:x:50:app\n"),
    ]
    second: list[Entry] = [
        *(file("srv/.wh.gone"), file("srv/opaque/.wh..wh..opq"), file("srv/opaque/new", b"new\n")),
        *(directory("srv/file"), file("srv/file/inside", b"in\n"), file("srv/dir", b"now a file\n")),
        *(
            file("srv/su", b"x", 0o4755, uid=7, gid=8),
            hard_link("srv/su2", "srv/su"),
            link("srv/out", "/etc/passwd"),
        ),
    ]
    third: list[Entry] = [
        file("srv/.wh.su"),
        file("srv/kept", b"kept twice\n"),
        directory("srv/own", 0o700, uid=1000),
    ]
    return [layer(*first), layer(*second), layer(*third)]


_TREE = """\
drwxr-xr-x 0:0 . .
-rw-r--r-- 0:0 ./dir ./dir
drwxr-xr-x 0:0 ./file ./file
-rw-r--r-- 0:0 ./file/inside ./file/inside
-rw-r--r-- 0:0 ./kept ./kept
drwxr-xr-x 0:0 ./opaque ./opaque
-rw-r--r-- 0:0 ./opaque/new ./opaque/new
lrwxrwxrwx 0:0 ./out ./out -> /etc/passwd
drwx------ 1000:0 ./own ./own
drwxr-xr-x 0:0 ./own/work ./own/work
-rwsr-xr-x 7:8 ./su2 ./su2
"""


def _saved(place: Path, form: str, layers: Sequence[bytes], defaults: Mapping[str, object]) -> Path:
    config = saved.config(layers, {"Env": ["PATH=/bin", "STAGE=test"], **defaults})
    if form == "docker":
        return saved.docker_archive(place / "image.tar", layers, config)
    files = saved.layout_files(layers, config, platform=saved.AMD64)
    if form == "directory":
        return saved.write_layout(place / "layout", files)
    path = saved.write_archive(place / "image.tgz", files)
    path.write_bytes(gzip.compress(path.read_bytes(), 1))
    return path


@pytest.mark.parametrize("form", ["docker", "directory", "archive in gzip"])
def test_every_form_gives_the_tree_and_the_defaults(
    pyro: PyroProgram, brought: Import, busybox: bytes, tmp_path: Path, form: str
) -> None:
    defaults = {"User": "app:team", "WorkingDir": "/srv/own/work"}
    name = brought(_saved(tmp_path, form, layers_of(busybox), defaults))
    script = (
        "busybox id -u; busybox id -g; busybox pwd; echo $STAGE $HOME; busybox touch /srv/x || echo denied"
    )
    done = pyro("run", name, "--", "sh", "-c", script)
    assert done.stdout == b"1000\n50\n/srv/own/work\ntest /srv\ndenied\n", done.stderr
    with Pyro().workspace.create(name) as workspace:
        assert workspace.exec(_SHOW).stdout.replace("'", "") == _TREE
        assert (
            workspace.exec("busybox cat /srv/kept /srv/dir; busybox id -u").stdout
            == "kept twice\nnow a file\n0\n"
        )


def test_a_program_alone_is_enough(
    pyro: PyroProgram, brought: Import, busybox: bytes, tmp_path: Path
) -> None:
    layers = [layer(file("busybox", busybox, 0o755))]
    name = brought(saved.docker_archive(tmp_path / "i.tar", layers, saved.config(layers)))
    done = pyro(
        "run",
        name,
        "--",
        "/busybox",
        "sh",
        "-c",
        "echo x > /tmp/x && echo y > /dev/null && exec /busybox ls /",
    )
    assert set(done.stdout.decode().split()) >= {"busybox", "dev", "proc", "sys", "tmp", "workspace"}, (
        done.stderr
    )


def test_what_debians_tar_writes_is_read(pyro: PyroProgram, brought: Import, tmp_path: Path) -> None:
    """GNU's tar and dynamic programs, as people's layers have them."""
    needed = "$(ldd usr/bin/id usr/bin/dash | grep -o '/lib[^ ]*' | sort -u)"
    libraries = f"$(for l in {needed}; do echo usr$l; readlink -f usr$l; done | sort -u)"
    wanted = f"bin lib lib64 usr/bin/sh usr/bin/dash usr/bin/cat usr/bin/id {libraries}"
    made = pyro("run", DEBIAN, "--", "sh", "-c", f"cd /; tar -c {wanted}")
    assert made.returncode == 0, made.stderr
    layers = [made.stdout, layer(file("usr/bin/.wh.cat"))]
    name = brought(saved.docker_archive(tmp_path / "i.tar", layers, saved.config(layers, {"User": "33:33"})))
    done = pyro("run", name, "--", "sh", "-c", "id -u; cat /etc/hostname")
    assert (done.stdout, done.returncode) == (b"33\n", 127), done.stderr


def test_a_workspace_keeps_the_image_it_was_made_with(
    pyro: PyroProgram, brought: Import, busybox: bytes, tmp_path: Path
) -> None:
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed/code").write_text("a\n")
    base = layer(file("bin/busybox", busybox, 0o755), link("bin/sh", "busybox"))
    archives = []
    for version in ("1", "2"):
        layers = [base, layer(file("version", version.encode()))]
        config = saved.config(layers, {"Env": ["PATH=/bin", f"V={version}"], "User": "1000"})
        archives.append(saved.docker_archive(tmp_path / version, layers, config))
    name = brought(archives[0])
    with Pyro().workspace.create(name, seed_path=str(tmp_path / "seed")) as workspace:
        assert (
            workspace.exec("busybox cat /version; echo $V; busybox pwd; echo b >> code").stdout
            == "11\n/workspace\n"
        )
        workspace.stop()
        brought(archives[1])
        assert workspace.exec("busybox cat /version; echo $V; busybox cat code").stdout == "11\na\nb\n"
        assert pyro("run", name, "--", "sh", "-c", "busybox cat /version; echo $V").stdout == b"22\n"
        workspace.stop()
        assert pyro("env", "forget", name).returncode == 0
        assert workspace.exec("busybox cat /version; echo $V").stdout == "11\n"
        assert "+b" in (workspace.diff().patch or "")


def test_list_inspect_prune_and_forget(
    pyro: PyroProgram, own_cache: Path, busybox: bytes, tmp_path: Path
) -> None:
    path = _saved(tmp_path, "docker", layers_of(busybox), {"WorkingDir": "/srv"})
    told = json.loads(pyro("env", "import", NAME, str(path), "--json").stdout)
    listed = {item.name: item for item in Pyro().environments()}
    assert (listed[NAME].state, listed[NAME].digest) == ("available", told["digest"])
    shown = json.loads(pyro("env", "inspect", NAME, "--verify", "--json").stdout)
    assert (shown["imported_from"], shown["defaults"]["workdir"]) == (str(path), "/srv")
    image = Path(shown["image"])
    pyro("env", "prune")
    assert image.exists()
    cut(image)
    done = pyro("run", NAME, "--", "busybox", "true")
    assert (done.returncode, f"pyro env import {NAME} {path}" in done.stderr.decode()) == (125, True)
    assert pyro("env", "import", NAME, str(path)).returncode == 0
    assert json.loads(pyro("env", "inspect", NAME, "--verify", "--json").stdout)["digest"] == told["digest"]
    assert pyro("env", "forget", NAME).stdout == f"{NAME} forgotten\n".encode()
    assert b"1 image," in pyro("env", "prune").stdout
    assert not image.exists()
    assert NAME not in {item.name for item in Pyro().environments()}


def _with_capability(content: bytes) -> bytes:
    value = b"\1\0\0\2\0\x20\0\0" + bytes(12)  # cap_net_raw, permitted and effective
    pax = {"SCHILY.xattr.security.capability": value.decode("utf-8", "surrogateescape")}
    return layer(file("ping", content, 0o755, pax_headers=pax))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may write such an attribute")
def test_capabilities_of_files_are_kept(pyro: PyroProgram, own_cache: Path, tmp_path: Path) -> None:
    layers = [_with_capability(b"x")]
    path = saved.docker_archive(tmp_path / "i.tar", layers, saved.config(layers))
    image = json.loads(pyro("env", "import", "capable", str(path), "--json").stdout)["image"]
    unpacked = tmp_path / "unpacked"
    subprocess.run(["unsquashfs", "-n", "-q", "-d", unpacked, image], check=True, capture_output=True)
    assert os.getxattr(unpacked / "ping", "security.capability")[:6] == b"\1\0\0\2\0\x20"


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([file("../../../../tmp/pyro-escaped", b"x")], "leads upwards"),
        ([link("out", "/tmp"), file("out/pyro-escaped", b"x")], "is a link"),
        ([hard_link("shadow", "/etc/shadow")], "no file of the image"),
        ([file("x", b"1"), file("x/y", b"1")], "is no directory"),
    ],
)
def test_a_hostile_archive_writes_nothing(
    pyro: PyroProgram, own_cache: Path, tmp_path: Path, entries: list[Entry], says: str
) -> None:
    path = saved.docker_archive(tmp_path / "i.tar", [layer(*entries)])
    before = set(own_cache.rglob("*"))
    done = pyro("env", "import", "hostile", str(path))
    assert (done.returncode, says in done.stderr.decode()) == (2, True), done.stderr
    assert set(own_cache.rglob("*")) - before == {own_cache / "lock", own_cache / "staging"}
    assert not Path("/tmp/pyro-escaped").exists()


def test_refusals_have_their_exit_statuses(pyro: PyroProgram, own_cache: Path, tmp_path: Path) -> None:
    path = saved.docker_archive(tmp_path / "i.tar", [layer(file("x", b"1"))])
    (tmp_path / "zstd").write_bytes(b"\x28\xb5\x2f\xfd")
    for arguments, status, words in (
        ((DEBIAN, str(path)), 4, "another name"),
        (("new", str(tmp_path / "nowhere")), 3, "is not there"),
        (("new", str(tmp_path / "zstd")), 2, "dest-compress-format gzip"),
        (("No", str(path)), 2, "no name"),
    ):
        done = pyro("env", "import", *arguments)
        assert (done.returncode, words in done.stderr.decode()) == (status, True), done.stderr


def test_a_killed_import_leaves_nothing(pyro: PyroProgram, own_cache: Path, tmp_path: Path) -> None:
    layers = [layer(file("noise", os.urandom(64 << 20)))]
    path = saved.docker_archive(tmp_path / "i.tar", layers)
    staging = own_cache / "staging"
    with pyro.start("env", "import", "killed", str(path)) as process:
        wait_until(lambda: list(staging.glob("*/out/*")), what="the image to grow", timeout=30)
        process.kill()
        process.communicate()
    listed = pyro("env", "list")
    assert b"killed" not in listed.stdout
    wait_until(
        lambda: not list(staging.iterdir()) or not pyro("env", "inspect", DEBIAN), what="no rest", timeout=20
    )
    assert pyro("env", "import", "killed", str(path)).returncode == 0
