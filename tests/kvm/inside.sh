#!/bin/sh
# The first program of the emulated host: make a writable root, load KVM, run pyro, say how that went.
# The payload (/dev/vdb) holds pyro, its cache, and `where`: the paths at which both lie on the real host, for the cache
# knows recipes by their path.
set -u
finish() { sync; echo 1 > /proc/sys/kernel/sysrq; echo o > /proc/sysrq-trigger; sleep 60; }

enter_writable_root() {
    mount -t proc proc /proc
    mount -t tmpfs tmpfs /run
    modprobe -a overlay squashfs
    mkdir /run/upper /run/work /run/root
    mount -t overlay overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work /run/root
    cd /run/root
    mkdir -p old payload
    mount -t squashfs -o ro /dev/vdb payload
    # pivot_root and not chroot alone: in a chroot nobody may make a user namespace.
    pivot_root . old
    exec chroot . /bin/sh /payload/inside.sh host
}

be_a_host() {
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    mkdir -p /dev/shm /dev/pts
    mount -t tmpfs tmpfs /dev/shm
    mount -t tmpfs tmpfs /tmp
    chmod 1777 /tmp /dev/shm
    modprobe -a irqbypass kvm ccp kvm-amd
    # What udev does on a running Debian.
    groupadd --system --force kvm
    chgrp kvm /dev/kvm
    chmod 660 /dev/kvm
    . /payload/where
    mkdir -p "$SOURCE" /tmp/cache/upper /tmp/cache/work /root/home/cache
    mount --bind /payload/src "$SOURCE"
    mount -t overlay overlay -o lowerdir=/payload/cache,upperdir=/tmp/cache/upper,workdir=/tmp/cache/work /root/home/cache
    export HOME=/root PYRO_HOME=/root/home PYTHONPATH="$SOURCE:/payload/site" PYTHONDONTWRITEBYTECODE=1
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    said doctor pyro doctor --json
    said run pyro run --json --mem-mib 512 --require-isolation hardware debian:12 -- git --version
    said again pyro run --json --mem-mib 512 debian:12 -- uname -r
}

pyro() { python3 -c 'from pyro_mcp.cli.main import main; main()' "$@"; }

# One line on the console for each answer; what was said beside it comes before.
said() {
    name=$1
    shift
    answer=$("$@" </dev/null)
    status=$?
    echo
    printf "pyro-smoke %s %s %s\n" "$name" "$status" "$answer"
}

if [ "${1:-}" = host ]; then
    be_a_host
    finish
fi
enter_writable_root
