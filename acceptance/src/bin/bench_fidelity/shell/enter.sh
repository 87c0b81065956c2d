#!/bin/sh
# Runs inside namespaces of its own (mount, process ids, network, host name, IPC): lays a throw-away layer over the
# Debian root and becomes an sshd for one connection on standard input. Nothing that is written outlives it.
set -eu
root=$1 host=$2 work=$3
mount --make-rprivate /
mount -t tmpfs -o size=128m,mode=755 layer "$work"
mkdir "$work/upper" "$work/work" "$work/new"
new=$work/new
mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" overlay "$new"

# Devices: only harmless ones.
mount -t tmpfs -o size=1m,mode=755 udev "$new/dev"
mknod -m 666 "$new/dev/null" c 1 3
mknod -m 666 "$new/dev/zero" c 1 5
mknod -m 666 "$new/dev/full" c 1 7
mknod -m 666 "$new/dev/random" c 1 8
mknod -m 666 "$new/dev/urandom" c 1 9
mknod -m 666 "$new/dev/tty" c 5 0
mkdir "$new/dev/pts" "$new/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$new/dev/pts"
mount -t tmpfs -o size=16m tmpfs "$new/dev/shm"
ln -s pts/ptmx "$new/dev/ptmx"
ln -s /proc/self/fd "$new/dev/fd"
ln -s fd/0 "$new/dev/stdin"
ln -s fd/1 "$new/dev/stdout"
ln -s fd/2 "$new/dev/stderr"

# The kernel's switches can be read, not turned.
mount -t proc -o nosuid,nodev,noexec proc "$new/proc"
for switch in sys irq bus fs sysrq-trigger; do
    if [ -e "$new/proc/$switch" ]; then
        mount --bind "$new/proc/$switch" "$new/proc/$switch"
        mount -o remount,bind,ro "$new/proc/$switch"
    fi
done
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$new/sys"
mount -t tmpfs -o size=4m,mode=755 tmpfs "$new/run"
mkdir -p "$new/run/sshd" "$new/run/lock"

# What makes it this host.
hostname "$host"
echo "$host" > "$new/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$host" > "$new/etc/hosts"
echo 'LANG=C.UTF-8' > "$new/etc/default/locale"
cp "$work.password" "$new/etc/shadow"
chmod 640 "$new/etc/shadow"
ip link set lo up

cd "$new"
mkdir -p mnt
pivot_root . mnt
umount -l /mnt
cd /
exec prlimit --nofile=1024 --fsize=33554432 --cpu=20 --as=2147483648 --core=0 \
    setpriv --bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+sys_chroot,+audit_write,+net_bind_service \
    /usr/sbin/sshd -i -o PermitRootLogin=yes -o PasswordAuthentication=yes -o StrictModes=no -o HostKey=/etc/ssh/ssh_host_ed25519_key
