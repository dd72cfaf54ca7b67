# A small Debian in a container that its own systemd boots; sourced by scripts/test-systemd.
# shellcheck shell=bash

# Where trees are kept between runs, and this run's copy.
readonly tree_cache=$root_directory/.build-systemd
# What the tests install in the container beside the package itself, and what that depends on.
readonly tree_packages=(mosquitto mosquitto-clients libmosquitto1 libsqlite3-0 libstdc++6)
container=    # the directory of this run: tree, logs
tree=         # the container's root directory
nspawn=       # process id of systemd-nspawn
leader=       # process id of the container's init

# Why this machine cannot run the tests, or nothing.
reason_to_skip() {
    [[ $(id -u) -eq 0 ]] || { echo "needs root"; return; }
    command -v apt-get >/dev/null || { echo "needs Debian"; return; }
    unshare --mount --pid --net --fork true 2>/dev/null || echo "this machine allows no new namespaces"
}

# --- The tree -----------------------------------------------------------------------------------------------------

# The mirror this machine is configured with; nothing if apt does not know, which leaves the choice to debootstrap.
configured_mirror() {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' "Codename: $1" | head -n 1
}

# Makes or reuses the tree of this machine's Debian release, with all packages that tests install in a repository of
# its own (the container has no network), and copies it to $tree.
prepare_tree() {
    local suite base
    # shellcheck source=/dev/null
    suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
    base=$tree_cache/$suite-$(dpkg --print-architecture)
    if [[ ! -e $base.complete ]]; then
        say "Making a Debian $suite for the container (once)"
        rm -rf "$base"
        mkdir -p "$base"
        debootstrap --variant=minbase --include=systemd-sysv,dbus,openssl "$suite" "$base" \
            "$(configured_mirror "$suite")" >"$base.log" || die "debootstrap failed, see $base.log"
        # A machine's lists may be older than what the mirror still has, or missing.
        download_packages "$base" "${tree_packages[@]}" || {
            apt-get --quiet --quiet update
            download_packages "$base" "${tree_packages[@]}" || die "the packages for the container cannot be downloaded"
        }
        touch "$base.complete"
    fi
    container=$(mktemp --directory "$tree_cache/run.XXXXXX")
    tree=$container/tree
    cp --archive --reflink=auto "$base" "$tree"
    echo hearth-box >"$tree/etc/hostname"
    printf '127.0.0.1 localhost hearth-box\n' >"$tree/etc/hosts"
    : >"$tree/etc/resolv.conf"
    # Documentation is part of what is tested; some images leave it out.
    rm -f "$tree/etc/apt/apt.conf.d/docker"* "$tree/etc/dpkg/dpkg.cfg.d/"*
}

# Downloads packages and what they depend on, as seen from tree $1, with this machine's apt.
download_packages() {
    local base=$1
    shift
    mkdir -p "$base/srv/packages/partial"
    apt-get --quiet --quiet --option Dir::State::status="$base/var/lib/dpkg/status" \
        --option Dir::Cache::archives="$base/srv/packages" --option APT::Keep-Downloaded-Packages=true \
        --option Debug::NoLocking=true --yes --no-install-recommends --download-only install "$@" >/dev/null
    (cd "$base/srv/packages" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)
    rm -f "$base"/etc/apt/sources.list.d/*
    echo 'deb [trusted=yes] file:/srv/packages ./' >"$base/etc/apt/sources.list"
}

# --- Running ------------------------------------------------------------------------------------------------------

# Boots the container and waits until systemd has started everything.
boot() {
    # On a machine systemd may raise a service's limits (LimitNICE=).
    systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --link-journal=no \
        --capability=CAP_SYS_RESOURCE --directory="$tree" </dev/null >>"$container/console.log" 2>&1 &
    nspawn=$!
    wait_until 60 is_booted || die "the container does not boot: $(tail -n 5 "$container/console.log")"
}

is_booted() {
    leader=$(pgrep --parent "$nspawn" | head -n 1)
    [[ -n $leader ]] && [[ $(inside systemctl is-system-running 2>/dev/null) =~ ^(running|degraded)$ ]]
}

# systemd-nspawn leaves a reboot to its service manager (exit code 133); here that is us.
reboot_container() {
    inside systemctl reboot
    wait "$nspawn" || [[ $? -eq 133 ]] || die "the container did not reboot"
    boot
}

shut_down() {
    [[ -n $nspawn ]] || return 0
    # SIGRTMIN+4 asks systemd to power off; the tree is thrown away, so a kill after that does no harm.
    [[ -z $leader ]] || kill -s RTMIN+4 "$leader" 2>/dev/null || true
    wait_until 10 has_ended || kill -KILL "$nspawn" 2>/dev/null || true
    wait "$nspawn" 2>/dev/null || true
    nspawn=
}

has_ended() { ! kill -0 "$nspawn" 2>/dev/null; }

# Runs a command in the container.
inside() {
    nsenter --target "$leader" --mount --uts --ipc --net --pid --root --wdns=/ \
        env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# Runs a command of this machine in the container's network.
in_network() { nsenter --target "$leader" --net "$@"; }

# This machine's process ids of the container's hearthd: the heating, and the recording side.
daemon_on_host() { process_on_host hearthd; }
recorder_on_host() { process_on_host hearthd-forward; }

process_on_host() {
    local process space
    space=$(readlink "/proc/$leader/ns/pid")
    for process in $(pgrep --exact "$1"); do
        [[ $(readlink "/proc/$process/ns/pid") == "$space" ]] && echo "$process" && return
    done
    return 1
}
