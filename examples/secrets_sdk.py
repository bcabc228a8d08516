"""Secrets from Python: a key as a file, a token as a variable, and what a leak of either looks like."""

import tempfile
from pathlib import Path

from pyro_mcp import PolicyDenied, Pyro

TOKEN = "tok-3f9a77c2e1"  # noqa: S105 - an example of one
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----\n"


def main() -> None:
    """Give a workspace two secrets, and let its commands be careless with them."""
    with tempfile.TemporaryDirectory() as directory, Pyro() as pyro:
        key = Path(directory, "key.pem")
        key.write_text(KEY)
        with pyro.workspace.create(secrets={"TOKEN": TOKEN}, secret_files={"KEY": key}) as ws:
            print("names:", *ws.status().secrets)
            print(ws.exec("wc -l < /run/pyro-secrets/KEY").stdout.strip(), "lines of a key")

            careless = "import os, urllib.parse as u; print(u.quote('key=' + os.environ['TOKEN']))"
            print(ws.exec(["python3", "-c", careless], secret_env={"TOKEN": "TOKEN"}).stdout, end="")

            ws.exec("cp /run/pyro-secrets/KEY key.pem; echo done > result.txt")
            print(ws.file.read("key.pem").content.strip())
            out = Path(directory, "out")
            try:
                ws.export(output_path=out)
            except PolicyDenied as error:
                print(f"{error.code}: {error.details}")
            ws.export("result.txt", output_path=out)
            print("exported:", out.read_text(), end="")


if __name__ == "__main__":
    main()
