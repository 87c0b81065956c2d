set -eu
root=$1 work=$2 script=$3
mount --make-rprivate /
mount -t tmpfs -o size=128m layer "$work"
mkdir "$work/upper" "$work/work" "$work/new"
mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/work" overlay "$work/new"
mount -t proc proc "$work/new/proc"
mount -o bind,ro "$work/new/proc/sys" "$work/new/proc/sys"
mount -t tmpfs -o size=1m,mode=755 udev "$work/new/dev"
mknod -m 666 "$work/new/dev/null" c 1 3
mknod -m 666 "$work/new/dev/zero" c 1 5
mknod -m 666 "$work/new/dev/urandom" c 1 9
cp "$script" "$work/new/root/ask.py"
hostname web01
exec setpriv --bounding-set=-all,+chown,+dac_override,+fowner,+setgid,+setuid,+sys_chroot \
    prlimit --fsize=33554432 --as=2147483648 --core=0 chroot "$work/new" /usr/bin/python3 /root/ask.py
