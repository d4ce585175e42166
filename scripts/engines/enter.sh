#!/bin/sh
# enter.sh ROOT STATE COMMAND...: become the first process of a machine whose / is ROOT and whose /engine is STATE.
# Runs in fresh mount, pid, ipc and uts namespaces, so that everything here ends with this process.
set -eu
root=$1 state=$2
shift 2
mount --make-rprivate /
mount --bind "$root" "$root" # runc's pivot_root wants / to be a mount point
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" # this network namespace's
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mkdir -p "$root/engine" "$root/etc/docker"
for fresh in run tmp etc/docker; do mount -t tmpfs tmpfs "$root/$fresh"; done
mkdir -p "$root/run/lock"
mount --bind "$state" "$root/engine"
touch "$root/etc/hosts"
mount --bind "$state/hosts" "$root/etc/hosts"
cd "$root"
pivot_root . .
umount -l .
cd /
basename "$state" >/proc/sys/kernel/hostname
# No exec: the first process of a pid namespace has to reap the orphans of all others.
# Where a test wants the engine to die and come back, it says so with the file /engine/immortal.
while :; do
    "$@" &
    wait $! || [ -e /engine/immortal ] || exit
    [ -e /engine/immortal ] || break
    sleep 0.2
done
