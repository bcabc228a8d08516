from pathlib import Path

import pytest

from pyro_mcp.environments import debian, sandbox
from pyro_mcp.environments.debian import Bootstrap, command, diagnose, newest_date, sources
from pyro_mcp.errors import HostUnfit, InvalidRequest, PyroError
from pyro_mcp.progress import Step, listening, step

WANTED = Bootstrap("bookworm", "minbase", ["git", "curl"], Path("/t"), ["true"])


def test_the_whole_command() -> None:
    signed = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    assert command(WANTED) == [
        *(
            "mmdebstrap",
            "--verbose",
            "--mode=root",
            "--format=directory",
            "--skip=output/dev",
            "--architectures=amd64",
        ),
        *("--variant=minbase", "--include=git,curl"),
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=Acquire::Retries "2"',
        '--aptopt=APT::Install-Recommends "false"',
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/info/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/lintian/*",
        "--dpkgopt=path-exclude=/usr/share/bug/*",
        *("--customize-hook=true", "bookworm", "/t"),
        f"{signed} http://deb.debian.org/debian bookworm main",
        f"{signed} http://deb.debian.org/debian bookworm-updates main",
        f"{signed} http://deb.debian.org/debian-security bookworm-security main",
    ]


def test_another_mirror_is_checked_by_the_same_keys() -> None:
    assert all(
        "signed-by=" in line and " http://m/debian" in line for line in sources("bookworm", "http://m")
    )


def test_extracting_has_a_hook_of_its_own() -> None:
    assert "--extract-hook=true" in command(Bootstrap("bookworm", "extract", [], Path("/t"), ["true"]))


@pytest.mark.parametrize(
    ("words", "error", "brief"),
    [
        ("E: Unable to locate package nosuch", InvalidRequest, "no package nosuch"),
        ("E: Package 'gone' has no installation candidate", InvalidRequest, "no package gone"),
        ("Err:1 x  Could not resolve 'deb.debian.org'", HostUnfit, "http://deb.debian.org cannot be reached"),
        ("Err:1 x  Unable to connect to 127.0.0.1:9:", HostUnfit, "cannot be reached"),
        ("about to fail\npyro-script-0 failed", InvalidRequest, "script failed"),
    ],
)
def test_failures_that_a_person_can_mend(words: str, error: type[PyroError], brief: str) -> None:
    found = diagnose(words)
    assert type(found) is error
    assert brief in found.brief
    assert found.details == words


def test_other_failures_are_not_guessed_at() -> None:
    assert diagnose("E: mmdebstrap failed to run") is None


def test_the_newest_of_the_archives_dates_counts() -> None:
    assert (
        newest_date("Date: Sat, 21 Nov 2026 02:10:00 UTC\nDate: Thu, 01 Jan 1970 00:00:10 UTC\n")
        == 1795227000
    )


class Heard:
    def __init__(self) -> None:
        self.said: list[tuple[int, int | None, str]] = []

    def started(self, step: Step) -> None: ...

    def changed(self, step: Step) -> None:
        self.said.append((step.done, step.total, step.latest))

    def ended(self, step: Step) -> None: ...


def bootstrap(
    wanted: Bootstrap, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[int, int | None, str]]:
    def run(argv: list[str], *, on_line: object, **_options: object) -> None:
        assert callable(on_line)
        for line in lines:
            on_line(line)
        (tmp_path / "dates").write_text("Date: Thu, 01 Jan 1970 00:00:10 UTC\n")

    monkeypatch.setattr(sandbox, "run", run)
    monkeypatch.setattr(sandbox, "require_tools", lambda *names: None)
    monkeypatch.setattr(debian, "_KEYRING", tmp_path)
    heard = Heard()
    with listening(heard), step("building") as building:
        assert debian.bootstrap(wanted, tmp_path, building) == 10
    return heard.said


def test_packages_are_counted_and_the_total_is_told_once_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        "I: running apt-get update...",
        "Get:1 http://deb.debian.org/debian bookworm InRelease [151 kB]",
        "0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.",
        "Get:1 http://deb.debian.org/debian bookworm/main amd64 libc6 amd64 2.36-9 [2759 kB]",
        "Setting up libc6:amd64 (2.36-9) ...",
        "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.",
        "Setting up git (1:2.39) ...",
    ]
    assert bootstrap(WANTED, lines, tmp_path, monkeypatch) == [
        (0, None, "running apt-get update..."),
        (0, None, "downloading package lists"),
        (0, None, "downloading libc6"),
        (1, None, "downloading libc6"),
        (1, None, "setting up libc6:amd64"),
        (1, 3, "setting up libc6:amd64"),
        (2, 3, "setting up libc6:amd64"),
        (2, 3, "setting up git"),
    ]


def test_packages_only_unpacked_are_counted_as_they_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        "0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.",
        "Get:1 http://deb.debian.org/debian bookworm/main amd64 nftables amd64 1.0.6 [1 kB]",
    ]
    said = bootstrap(Bootstrap("bookworm", "extract", [], Path("/t")), lines, tmp_path, monkeypatch)
    assert said[-1] == (1, 2, "downloading nftables")


def test_without_debians_keys_nothing_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "require_tools", lambda *names: None)
    monkeypatch.setattr(debian, "_KEYRING", tmp_path / "absent")
    with step("building") as building, pytest.raises(HostUnfit, match="keys") as caught:
        debian.bootstrap(WANTED, tmp_path, building)
    assert "debian-archive-keyring" in (caught.value.hint or "")
