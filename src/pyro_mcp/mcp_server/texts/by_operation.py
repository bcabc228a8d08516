"""How each operation's answer is put into words for a model."""

from collections.abc import Callable, Mapping
from functools import partial

from pyro_mcp.mcp_server.bounds import MOST_TEXT
from pyro_mcp.mcp_server.texts import (
    answers,
    diff,
    disk,
    file,
    review,
    service,
    shell,
    workspace,
)

TEXTS: Mapping[str, Callable[..., str]] = {
    "vm_run": answers.run_text,
    "vm_list_environments": answers.environments_text,
    "workspace_create": workspace.created_text,
    "workspace_list": workspace.list_text,
    "workspace_status": workspace.status_text,
    "workspace_update": workspace.status_text,
    "workspace_exec": workspace.exec_text,
    "workspace_exec_wait": workspace.exec_text,
    "workspace_output_read": workspace.output_text,
    "workspace_sync_push": file.push_text,
    "workspace_file_list": file.listing_text,
    "workspace_file_read": partial(file.content_text, most=MOST_TEXT),
    "workspace_file_write": file.written_text,
    "workspace_file_edit": file.edited_text,
    "workspace_file_search": file.search_text,
    "workspace_file_remove": file.removed_text,
    "workspace_patch_apply": file.patch_text,
    "workspace_diff": partial(diff.diff_text, most=MOST_TEXT),
    "workspace_summary": review.summary_text,
    "workspace_compare": review.comparison_text,
    "workspace_export": file.export_text,
    "workspace_logs": workspace.logs_text,
    "workspace_reset": workspace.reset_text,
    "workspace_delete": workspace.deleted_text,
    "workspace_start": workspace.status_text,
    "workspace_stop": workspace.status_text,
    "workspace_fork": workspace.forks_text,
    "service_start": service.service_text,
    "service_list": service.services_text,
    "service_status": service.service_text,
    "service_logs": service.logs_text,
    "service_stop": service.service_text,
    "workspace_disk_list": file.listing_text,
    "workspace_disk_read": disk.read_text,
    "workspace_disk_export": disk.export_text,
    "snapshot_create": workspace.snapshot_text,
    "snapshot_list": workspace.snapshots_text,
    "snapshot_delete": workspace.snapshot_gone_text,
    "shell_open": shell.shell_opened_text,
    "shell_write": shell.shell_written_text,
    "shell_read": shell.shell_read_text,
    "shell_signal": shell.shell_text,
    "shell_resize": shell.shell_text,
    "shell_close": shell.shell_text,
    "shell_list": shell.shells_text,
}

# Those that keep within the bound by themselves, and say how to go on: nothing is to be added about what was cut.
BOUNDED = frozenset({"workspace_diff", "workspace_file_read"})
# Those that send a reader on to operations that not every profile has, or tell of what only the widest has.
_DIFFER = frozenset({"vm_run", "workspace_exec", "workspace_exec_wait", "workspace_summary"})


def text_of(operation: str, answer: object, *, wide: bool) -> str:
    """An operation's answer in words; `wide`: the reader has every operation."""
    text = TEXTS[operation]
    return text(answer, wide=wide) if operation in _DIFFER else text(answer)
