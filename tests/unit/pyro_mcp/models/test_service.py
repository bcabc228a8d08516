"""What callers say about readiness and ports: read as it is meant, or refused with what would do."""

import pytest

from pyro_mcp.errors import InvalidRequest
from pyro_mcp.models.service import CommandReady, FileReady, HttpReady, PortMapping, ReadinessChoice, TcpReady


@pytest.mark.parametrize(
    ("text", "address", "host_port", "guest_port"),
    [
        ("8080:80", "127.0.0.1", 8080, 80),
        ("0:80", "127.0.0.1", 0, 80),
        ("0.0.0.0:8080:80", "0.0.0.0", 8080, 80),
        ("[::1]:8080:80", "::1", 8080, 80),
        ("::1:8080:80", "::1", 8080, 80),
    ],
)
def test_a_published_port(text: str, address: str, host_port: int, guest_port: int) -> None:
    assert PortMapping.from_text(text) == PortMapping(address, host_port, guest_port)


@pytest.mark.parametrize(
    "text", ["80", "", ":", "8080:", ":80", "8080:0", "70000:80", "-1:80", "host:8080:80", "a:b"]
)
def test_what_is_no_published_port(text: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        PortMapping.from_text(text)
    assert "8080:80" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://localhost:8000/health?deep=1", (8000, "/health?deep=1", "localhost:8000")),
        ("http://127.0.0.1", (80, "/", "127.0.0.1")),
        ("http://[::1]:81/x", (81, "/x", "[::1]:81")),
    ],
)
def test_a_url_of_the_workspace(url: str, parts: tuple[int, str, str]) -> None:
    assert HttpReady(url).parts() == parts


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/",
        "http://example.org/",
        "localhost:8000",
        "http://localhost:99999/",
        "http://localhost/a b",
        "http://localhost/\r\nX: y",
        "",
    ],
)
def test_what_is_no_url_of_the_workspace(url: str) -> None:
    with pytest.raises(InvalidRequest):
        HttpReady(url)


def test_one_way_is_chosen() -> None:
    assert ReadinessChoice(file="/run/pid").chosen() == FileReady("/run/pid")
    assert ReadinessChoice(tcp=80).chosen() == TcpReady(80)
    assert ReadinessChoice(http="http://localhost/").chosen() == HttpReady("http://localhost/")
    assert ReadinessChoice(command="true").chosen() == CommandReady("true")


@pytest.mark.parametrize("choice", [ReadinessChoice(), ReadinessChoice(file="/x", tcp=80)])
def test_none_or_two_ways_are_refused(choice: ReadinessChoice) -> None:
    with pytest.raises(InvalidRequest):
        choice.chosen()


@pytest.mark.parametrize("port", [0, 65536, True])
def test_a_port_that_is_none(port: int) -> None:
    with pytest.raises(InvalidRequest):
        TcpReady(port)


def test_an_empty_path_or_command_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        FileReady("")
    with pytest.raises(InvalidRequest):
        CommandReady(())
