"""A server in a workspace, through the SDK: readiness, a published port, logs, and the truth after a reset."""

from urllib.request import urlopen

from pyro_mcp import GuestFailed, HttpReady, Pyro, TcpReady

with Pyro().workspace.create(network_policy="egress+published-ports") as ws:
    ws.file.write("hello.txt", "hello from inside\n")
    started = ws.service.start(
        "web",
        ["python3", "-u", "-m", "http.server", "8000"],
        readiness=HttpReady("http://localhost:8000/hello.txt"),
        ready_timeout_seconds=60,
        published_ports=["0:8000"],
    )
    (port,) = started.published_ports
    print(started.state, urlopen(f"http://{port.address}:{port.host_port}/hello.txt").read().decode(), end="")

    page = ws.service.logs("web", grep="GET /hello.txt")
    print("asked", page.matches, "times")

    try:
        ws.service.start("bad", "echo 'no database' >&2; exit 1", readiness=TcpReady(5432))
    except GuestFailed as error:
        print(f"{error.brief}\n{error.details}")

    ws.reset()
    for service in ws.service.list():
        print(f"{service.service}: {service.state} ({service.reason})")
