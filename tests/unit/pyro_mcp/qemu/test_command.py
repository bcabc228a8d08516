"""The whole command line is one value: what QEMU is told shows here, and a change of it shows as a diff."""

from dataclasses import replace

from pyro_mcp.qemu.command import Drive, Layer, Machine, arguments, escaped

MACHINE = Machine(
    name="ws-1",
    binary="/usr/bin/qemu-system-x86_64",
    accelerator="tcg",
    cpu="max",
    vcpu_count=2,
    mem_mib=512,
    memory_path="/proc/self/fd/9",
    memory_shared=False,
    kernel="/proc/self/fd/3",
    initrd="/proc/self/fd/4",
    kernel_arguments=("console=ttyS0", "quiet"),
    drives=(Drive("kit", (Layer(5),)), Drive("disk", (Layer(6), Layer(7, "qcow2")), writable=True)),
    monitor_fd=10,
    agent_fd=11,
    console_fd=12,
    incoming=True,
)


def test_the_whole_command_line() -> None:
    assert arguments(MACHINE) == [
        "/usr/bin/qemu-system-x86_64",
        *("-name", "ws-1,process=qemu-pyro"),
        *("-M", "microvm,acpi=on,rtc=on,pit=off,pic=off,auto-kernel-cmdline=off,memory-backend=ram"),
        *("-accel", "tcg,tb-size=128", "-cpu", "max", "-smp", "2", "-m", "512"),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        "-object",
        "memory-backend-file,id=ram,size=512M,mem-path=/proc/self/fd/9,share=off,prealloc=off",
        *("-kernel", "/proc/self/fd/3", "-initrd", "/proc/self/fd/4", "-append", "console=ttyS0 quiet"),
        *("-chardev", "socket,id=monitor,fd=10", "-mon", "chardev=monitor,mode=control"),
        *("-chardev", "socket,id=console,fd=12", "-serial", "chardev:console"),
        *("-chardev", "socket,id=agent,fd=11", "-device", "virtio-serial-device,max_ports=2"),
        *("-device", "virtserialport,chardev=agent,name=org.pyro.agent"),
        *("-add-fd", "fd=5,set=1", "-blockdev"),
        "driver=file,filename=/dev/fdset/1,node-name=kit-file,locking=off,read-only=on,discard=unmap",
        *("-blockdev", "driver=raw,file=kit-file,node-name=kit,read-only=on,discard=unmap"),
        *("-device", "virtio-blk-device,drive=kit"),
        *("-add-fd", "fd=6,set=101", "-blockdev"),
        "driver=file,filename=/dev/fdset/101,node-name=disk-0-file,locking=off,read-only=on,discard=unmap",
        *("-blockdev", "driver=raw,file=disk-0-file,node-name=disk-0,read-only=on,discard=unmap"),
        *("-add-fd", "fd=7,set=102", "-blockdev"),
        "driver=file,filename=/dev/fdset/102,node-name=disk-file,locking=on,read-only=off,discard=unmap",
        "-blockdev",
        "driver=qcow2,file=disk-file,node-name=disk,read-only=off,discard=unmap,backing=disk-0,detect-zeroes=unmap",
        *("-device", "virtio-blk-device,drive=disk"),
        *("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"),
        *("-incoming", "defer"),
    ]


def test_a_machine_that_boots_waits_for_no_state() -> None:
    assert "-incoming" not in arguments(replace(MACHINE, incoming=False))


def test_a_template_shares_its_memory() -> None:
    (memory,) = [
        word for word in arguments(replace(MACHINE, memory_shared=True)) if "memory-backend-file" in word
    ]
    assert "share=on" in memory


def test_hardware_is_used_where_it_works() -> None:
    words = arguments(replace(MACHINE, accelerator="kvm", cpu="host"))
    assert words[words.index("-accel") + 1] == "kvm"
    assert words[words.index("-cpu") + 1] == "host"


def test_commas_in_a_value_do_not_end_it() -> None:
    assert escaped("a,b") == "a,,b"
