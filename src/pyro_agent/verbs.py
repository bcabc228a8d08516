"""Which verb is answered by what, and which of them is a worker's job."""

from __future__ import annotations

from collections.abc import Mapping

from pyro_agent.commands.exec import Exec
from pyro_agent.commands.pty import Pty
from pyro_agent.files.changes import list_changes
from pyro_agent.files.listing import list_contents, list_tree, read_tree
from pyro_agent.files.read import FileRead, FileStat, read_file
from pyro_agent.files.search import SearchTree, search_tree
from pyro_agent.lifecycle.attach import Attach, Prepare, Rehearse
from pyro_agent.lifecycle.questions import Detach, Freeze, Ping, Settle, Sync, Thaw
from pyro_agent.lifecycle.secrets import PutSecret
from pyro_agent.network.connect import Connect
from pyro_agent.requests.delegated import Work
from pyro_agent.requests.request import Request
from pyro_agent.transactions.apply import ApplyTree, apply_tree
from pyro_agent.workers.desk import Job

# One file per verb group. Of a plain `Work` all is in the job.
VERBS: Mapping[str, type[Request]] = {
    "prepare": Prepare,
    "rehearse": Rehearse,
    "settle": Settle,
    "attach": Attach,
    "exec": Exec,
    "connect": Connect,
    "pty": Pty,
    "ping": Ping,
    "sync": Sync,
    "freeze": Freeze,
    "thaw": Thaw,
    "detach": Detach,
    "secret.put": PutSecret,
    "file.stat": FileStat,
    "file.read": FileRead,
    "tree.list": Work,
    "tree.manifest": Work,
    "tree.read": Work,
    "tree.search": SearchTree,
    "tree.changes": Work,
    "tree.apply": ApplyTree,
}

JOBS: dict[str, Job] = {
    "file.read": read_file,
    "tree.list": list_tree,
    "tree.manifest": list_contents,
    "tree.read": read_tree,
    "tree.search": search_tree,
    "tree.changes": list_changes,
    "tree.apply": apply_tree,
}
