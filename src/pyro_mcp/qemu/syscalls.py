"""The system calls that a QEMU has no use for and a taken-over one would: a seccomp filter, compiled here.

Classic BPF, x86-64 only. bubblewrap lays it for `full` confinement, our own launcher for `partial`.
"""

from __future__ import annotations

import struct

# Namespaces shut in neither unix sockets nor what a process of the same uid may do to another; without namespaces there is
# also the System V and POSIX message world. QEMU holds every socket and file it needs before the filter is laid.
_SOCKETS = {
    "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "socketpair": 53, "accept4": 288,
}  # fmt: skip
_OTHER_PROCESSES = {
    "fork": 57, "vfork": 58, "kill": 62, "ptrace": 101, "rt_sigqueueinfo": 129, "setpriority": 141,
    "sched_setparam": 142, "sched_setscheduler": 144, "tkill": 200, "sched_setaffinity": 203, "ioprio_set": 251,
    "migrate_pages": 256, "move_pages": 279, "rt_tgsigqueueinfo": 297, "process_vm_readv": 310,
    "process_vm_writev": 311, "kcmp": 312, "sched_setattr": 314, "pidfd_send_signal": 424, "pidfd_open": 434,
    "pidfd_getfd": 438, "process_madvise": 440, "process_mrelease": 448,
}  # fmt: skip
_SHARED_MEMORY = {
    "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65, "semctl": 66, "msgget": 68, "msgsnd": 69,
    "msgrcv": 70, "msgctl": 71, "semtimedop": 220, "mq_open": 240, "mq_unlink": 241,
    "memfd_create": 319, "memfd_secret": 447,  # memory that no limit of the process counts
}  # fmt: skip
_KERNEL = {
    "create_module": 174, "init_module": 175, "delete_module": 176, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "perf_event_open": 298, "finit_module": 313, "kexec_file_load": 320,
    "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
}  # fmt: skip
_MOUNTS = {
    "pivot_root": 155, "chroot": 161, "mount": 165, "umount2": 166, "unshare": 272, "open_by_handle_at": 304,
    "setns": 308, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "fspick": 433, "mount_setattr": 442,
}  # fmt: skip
# A file that machines share is handed over for reading and has no write permission; its owner could give it back.
_PERMISSIONS = {
    "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "setxattr": 188, "fsetxattr": 190,
    "fchownat": 260, "fchmodat": 268, "fchmodat2": 452, "setxattrat": 463,
}  # fmt: skip
DENIED = _SOCKETS | _OTHER_PROCESSES | _SHARED_MEMORY | _KERNEL | _MOUNTS | _PERMISSIONS
# execve stays: bubblewrap makes one after the filter is laid, and QEMU's own -sandbox denies it from then on.

_CLONE, _TGKILL, _PRLIMIT, _CLONE3 = 56, 234, 302, 435
_CLONE_THREAD = 0x00010000

_LOAD, _RETURN = 0x20, 0x06
_JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_IF_BITS = 0x15, 0x35, 0x45
_ALLOW, _DENY_EPERM, _DENY_ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_ARCH_X86_64, _X32_BIT = 0xC000003E, 0x40000000
# struct seccomp_data: the number, the architecture, and the low half of the first argument.
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16


def system_call_filter() -> bytes:
    """Compile the filter that holds for any QEMU."""
    program = [
        _instruction(_LOAD, value=_ARCH),
        _instruction(_JUMP_EQUAL, value=_ARCH_X86_64, if_true=1),
        _instruction(_RETURN, value=_KILL),
        _instruction(_LOAD, value=_NUMBER),
        _instruction(_JUMP_AT_LEAST, value=_X32_BIT, if_false=1),
        _instruction(_RETURN, value=_KILL),
        # clone3 hides its flags from us behind a pointer: without it the C library falls back on clone.
        _instruction(_JUMP_EQUAL, value=_CLONE3, if_false=1),
        _instruction(_RETURN, value=_DENY_ENOSYS),
        # Threads are all that QEMU makes: no process, no namespace.
        _instruction(_JUMP_EQUAL, value=_CLONE, if_false=4),
        _instruction(_LOAD, value=_FIRST_ARGUMENT),
        _instruction(_JUMP_IF_BITS, value=_CLONE_THREAD, if_true=1),
        _instruction(_RETURN, value=_DENY_EPERM),
        _instruction(_RETURN, value=_ALLOW),
    ]
    for number in sorted(DENIED.values()):
        program.append(_instruction(_JUMP_EQUAL, value=number, if_false=1))
        program.append(_instruction(_RETURN, value=_DENY_EPERM))
    program.append(_instruction(_RETURN, value=_ALLOW))
    return b"".join(program)


def own_process_filter(pid: int) -> bytes:
    """Compile the filter that keeps signals and limits to the process itself, where no PID namespace does."""
    program = [_instruction(_LOAD, value=_NUMBER)]
    for number, others in ((_TGKILL, (pid,)), (_PRLIMIT, (0, pid))):
        checks = [_instruction(_LOAD, value=_FIRST_ARGUMENT)]
        for left, allowed in zip(range(len(others), 0, -1), others, strict=True):
            checks.append(_instruction(_JUMP_EQUAL, value=allowed, if_true=left))
        checks += [_instruction(_RETURN, value=_DENY_EPERM), _instruction(_RETURN, value=_ALLOW)]
        program += [_instruction(_JUMP_EQUAL, value=number, if_false=len(checks)), *checks]
    return b"".join([*program, _instruction(_RETURN, value=_ALLOW)])


def _instruction(code: int, *, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
