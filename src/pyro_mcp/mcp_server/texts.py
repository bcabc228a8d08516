"""How each operation's answer is put into words for a model."""

from collections.abc import Callable, Mapping

from pyro_mcp.mcp_server import file_text, review_text, service_text, text, workspace_text

TEXTS: Mapping[str, Callable[..., str]] = {
    "vm_run": text.run_text,
    "vm_list_environments": text.environments_text,
    "workspace_create": workspace_text.created_text,
    "workspace_list": workspace_text.list_text,
    "workspace_status": workspace_text.status_text,
    "workspace_update": workspace_text.status_text,
    "workspace_exec": workspace_text.exec_text,
    "workspace_exec_wait": workspace_text.exec_text,
    "workspace_output_read": workspace_text.output_text,
    "workspace_sync_push": file_text.push_text,
    "workspace_file_list": file_text.listing_text,
    "workspace_file_read": file_text.content_text,
    "workspace_file_write": file_text.written_text,
    "workspace_file_edit": file_text.edited_text,
    "workspace_file_search": file_text.search_text,
    "workspace_file_remove": file_text.removed_text,
    "workspace_patch_apply": file_text.patch_text,
    "workspace_diff": file_text.diff_text,
    "workspace_summary": review_text.summary_text,
    "workspace_compare": review_text.comparison_text,
    "workspace_export": file_text.export_text,
    "workspace_logs": workspace_text.logs_text,
    "workspace_reset": workspace_text.status_text,
    "workspace_delete": workspace_text.deleted_text,
    "workspace_start": workspace_text.status_text,
    "workspace_stop": workspace_text.status_text,
    "workspace_fork": workspace_text.forks_text,
    "service_start": service_text.service_text,
    "service_list": service_text.services_text,
    "service_status": service_text.service_text,
    "service_logs": service_text.logs_text,
    "service_stop": service_text.service_text,
    "snapshot_create": workspace_text.snapshot_text,
    "snapshot_list": workspace_text.snapshots_text,
    "snapshot_delete": workspace_text.snapshot_text,
}
