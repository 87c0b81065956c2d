#!/bin/sh
# What Debian has and the image does not: facts of the packages that visitors ask for, with all that comes with them.
# Run in the root that `cargo xtask image` makes (chroot ROOT sh < catalogue.sh > catalogue.tsv); apt only reads its lists.
#   W  name  packages that come with it, as apt lists them
#   P  name  version  architecture  bytes  installed KiB  path in the archive  section  description
export LC_ALL=C
wanted="nmap masscan zmap hping3 sshpass gcc g++ make build-essential cmake autoconf automake pkg-config python3-pip
 python3-venv python3-dev python-is-python3 nodejs npm tor proxychains4 socat netcat-traditional ncat jq libssl-dev
 libcurl4-openssl-dev zlib1g-dev libhwloc-dev libuv1-dev vim emacs-nox ufw fail2ban iptables-persistent ipset cron apache2
 apache2-utils php-cli php libapache2-mod-php mariadb-server mariadb-client default-mysql-server redis-server redis-tools
 postgresql golang-go default-jre openvpn wireguard wireguard-tools sshfs tcpdump ethtool iperf3 speedtest-cli stress
 stress-ng cpulimit msr-tools neofetch screenfetch p7zip-full p7zip expect hydra john medusa aircrack-ng xinetd squid
 dante-server nfs-common smbclient samba docker.io docker-compose lsof psmisc dos2unix ruby perl-doc tcl lynx links elinks
 w3m axel aria2 mtr-tiny whois fping arping nload iftop iotop sysstat htop glances rkhunter chkrootkit clamav dstat at
 snapd unrar-free bind9 isc-dhcp-server haproxy certbot python3-requests python3-paramiko libpcap-dev libpcap0.8 gdb
 ltrace binutils bsdmainutils finger inetutils-ftp lftp ncftp tftp rsh-client telnet util-linux-extra uuid-runtime zsh fish
 tmux screen curl wget git sudo unzip zip net-tools dnsutils"
all=$(mktemp)
for name in $wanted; do
  lines=$(apt-get install -y --print-uris "$name" 2>/dev/null | sed -n "s/^'\([^']*\)' \([^ ]*\) \([0-9]*\) .*/\2/p")
  [ -n "$lines" ] || continue
  names=$(for file in $lines; do echo "${file%%_*}"; done | sort -u)
  [ "$(echo "$names" | wc -l)" -le 90 ] || continue
  printf 'W\t%s\t%s\n' "$name" "$(echo $names)"
  echo "$names" >> "$all"
done
sort -u "$all" | while read -r name; do
  apt-cache show --no-all-versions "$name" | awk -v OFS='\t' '
    /^Package: / { name = $2 } /^Version: / { version = $2 } /^Architecture: / { arch = $2 }
    /^Size: / { size = $2 } /^Installed-Size: / { installed = $2 } /^Filename: / { path = $2 }
    /^Section: / { section = $2 } /^Description(-en)?: / { sub(/^[^ ]* /, ""); text = $0 }
    END { print "P", name, version, arch, size, installed, path, section, text }'
done
rm "$all"
