"""Examples in the commands' help, by the operation's name."""

from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "vm_list_environments": "pyro env list --json",
    "workspace_create": "pyro workspace create --seed-path . --name fix-123\n"
    "pyro workspace create debian:12-build --label team=web --id-only\n"
    "pyro workspace create debian:12-build --network-policy egress --allow-host pypi.org --allow-host files.pythonhosted.org\n"
    "pyro workspace create --seed-path . --secret NPM_TOKEN --secret-file DEPLOY_KEY=deploy.pem",
    "workspace_status": "pyro workspace status fix-123 --json",
    "workspace_update": "pyro workspace update fix-123 --name fix-124 --clear-label team --idle-stop-seconds 600",
    "workspace_sync_push": "pyro workspace sync push fix-123 . --delete",
    "workspace_file_list": "pyro workspace file list fix-123 src --glob '**/*.py'",
    "workspace_file_search": "pyro workspace file search fix-123 src --pattern 'def main' --context-lines 2",
    "workspace_file_remove": "pyro workspace file remove fix-123 build --recursive\n"
    "pyro workspace file remove fix-123 old.py --to new.py",
    "workspace_diff": "pyro workspace diff fix-123 | git apply\npyro workspace diff fix-123 --path src --format stat\n"
    "pyro workspace diff fix-123 --from tests-green --to refactored",
    "workspace_summary": "pyro workspace summary fix-123 --json",
    "workspace_compare": "pyro workspace compare try-a try-b try-c",
    "workspace_logs": "pyro workspace logs fix-123 --since 2h --kind exec",
    "workspace_reset": "pyro workspace reset fix-123\npyro workspace reset fix-123 tests-green",
    "workspace_start": "pyro workspace start fix-123",
    "workspace_stop": "pyro workspace stop fix-123",
    "service_list": "pyro workspace service list fix-123",
    "service_status": "pyro workspace service status fix-123 web",
    "service_logs": "pyro workspace service logs fix-123 web --tail-lines 50\n"
    "pyro workspace service logs fix-123 web --grep 'error|warn'",
    "service_stop": "pyro workspace service stop fix-123 web",
    "shell_open": "pyro workspace shell open fix-123\npyro workspace shell open fix-123 --cwd src -e DEBUG=1 --id-only\n"
    "pyro workspace shell open fix-123 --secret-env NPM_TOKEN",
    "shell_write": "pyro workspace shell write fix-123 sh-1 --input 'make test'\n"
    "pyro workspace shell write fix-123 sh-1 --input ':wq' --key enter\n"
    "pyro workspace shell write fix-123 sh-1 --key ctrl-c",
    "shell_signal": "pyro workspace shell signal fix-123 sh-1\npyro workspace shell signal fix-123 sh-1 --signal TERM",
    "shell_resize": "pyro workspace shell resize fix-123 sh-1 --cols 80 --rows 24",
    "shell_close": "pyro workspace shell close fix-123 sh-1",
    "shell_list": "pyro workspace shell list fix-123",
    "workspace_disk_list": "pyro workspace disk list fix-123 /var/log",
    "workspace_disk_read": "pyro workspace disk read fix-123 /etc/hosts",
    "workspace_disk_export": "pyro workspace disk export fix-123 --output fix-123.tar\n"
    "pyro workspace disk export fix-123 --output fix-123.qcow2 --format qcow2\n\n"
    "A tar has all files: the environment's, the seed's and what changed. qcow2 and raw have the workspace's own disk as one\n"
    "ext4 filesystem: what changed, in root/upper and workspace/upper, neither environment nor seed.",
    "snapshot_create": "pyro workspace snapshot create fix-123 tests-green",
    "snapshot_list": "pyro workspace snapshot list fix-123",
    "snapshot_delete": "pyro workspace snapshot delete fix-123 tests-green",
}

# What is usually done with a noun, in its order.
OF_NOUNS: Mapping[str, str] = {
    "workspace": "pyro workspace create --seed-path . --name fix-123\n"
    "pyro workspace exec fix-123 -- python3 -m unittest\n"
    "pyro workspace file edit fix-123 src/app.py --edit 'a - b' 'a + b'\n"
    "pyro workspace diff fix-123\n"
    "pyro workspace export fix-123 --format patch --output fix.patch\n"
    "pyro workspace delete fix-123",
    "workspace.output": "pyro workspace output read fix-123 out-4h7k2m9qxz --tail-lines 50",
    "workspace.sync": "pyro workspace sync push fix-123 .",
    "workspace.file": "pyro workspace file search fix-123 src --pattern 'def main'\n"
    "pyro workspace file read fix-123 src/app.py --start-line 10 --end-line 40\n"
    "pyro workspace file edit fix-123 src/app.py --edit 'a - b' 'a + b'",
    "workspace.patch": "git diff | pyro workspace patch apply fix-123 --patch-file -",
    "workspace.service": "pyro workspace service start fix-123 web --ready-tcp 8000 -- python3 -m http.server 8000\n"
    "pyro workspace service logs fix-123 web\n"
    "pyro workspace service stop fix-123 web",
    "workspace.disk": "pyro workspace disk list fix-123 /var/log\n"
    "pyro workspace disk export fix-123 --output fix-123.tar",
    "workspace.snapshot": "pyro workspace snapshot create fix-123 tests-green\n"
    "pyro workspace reset fix-123 tests-green",
    "workspace.shell": "pyro workspace shell open fix-123\n"
    "pyro workspace shell write fix-123 sh-1 --input 'python3'\n"
    "pyro workspace shell read fix-123 sh-1 --wait-for-idle-ms 500",
}
