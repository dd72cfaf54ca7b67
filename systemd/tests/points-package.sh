# Reboot, upgrade, downgrade, removal; sourced by scripts/test-systemd.
# shellcheck shell=bash disable=SC2154 # variables of the other files

# Makes package $1 from hearth.deb with version $2, after command $3… changed what is in it.
repack() {
    local work=$container/repack
    rm -rf "$work"
    dpkg-deb --raw-extract "$tree/srv/hearth.deb" "$work"
    sed -i "s/^Version: .*/Version: $2/" "$work/DEBIAN/control"
    (cd "$work" && "${@:3}")
    dpkg-deb --root-owner-group -Znone --build "$work" "$tree/srv/$1" >/dev/null
}

# The script itself reboots after this: a point runs in a process of its own.
prepare_reboot() {
    home_configuration | configure
    inside systemctl restart hearthd
    cloud_down
    readings hall 701 800
    wait_until 10 backlog_of 100 || wrong "$(status_line)"
    backlog >"$container/backlog"
}

heats_after_reboot() {
    local before
    before=$(cat "$container/backlog")
    [[ $(property ActiveState) == active ]] || wrong "hearthd is $(property ActiveState)"
    [[ $(sed -n '3,$s/ *\(.*\):.*/\1/p' "/proc/$leader/net/dev") == lo ]] || wrong "there is a network"
    if inside systemctl --quiet is-active network-online.target; then wrong "it waited for network-online.target"; fi
    wait_until 10 log_has recording || wrong "the home broker is not there"
    record_pumps
    heats office
    [[ $(backlog) -ge $before ]] || wrong "the backlog was $before and is $(backlog)"
    cloud_up
    record_cloud
    all_in_cloud hall 701 800
}

# A new version is installed while 20 000 readings wait and the daemon is killed again and again.
upgrades_with_backlog() {
    local epoch killer
    cloud_down
    readings hall 1001 21000
    wait_until 60 backlog_of 20000 || wrong "$(status_line)"
    epoch=$(inside hearth status --json | sed 's/.*"epoch":"\([^"]*\)".*/\1/')
    md5sum "$tree$configuration" >"$container/configuration.md5"
    repack newer.deb "$(version)+1" sed -i '1s/.*/# A new comment in the packaged file./' etc/hearth/hearthd.toml
    (while sleep 0.4; do
        if process=$(daemon_on_host); then kill -KILL "$process" 2>/dev/null || true; fi
    done) &
    killer=$!
    apt_install newer.deb || { kill "$killer"; wrong "the upgrade failed"; }
    kill "$killer"
    wait "$killer" 2>/dev/null || true
    wait_until 10 is_running_again 0 || wrong "$(property ActiveState)"
    wait_until 10 backlog_of 20000 || wrong "$(status_line)"
    [[ $(inside hearth status --json | sed 's/.*"epoch":"\([^"]*\)".*/\1/') == "$epoch" ]] || wrong "a new journal was begun"
    md5sum --check --quiet "$container/configuration.md5" || wrong "the edited configuration was changed"
    heats office
    cloud_up
    all_in_cloud hall 1001 21000 120
}

version() { inside dpkg-query --show --showformat='${Version}' hearth | sed 's/+.*//'; }

keeps_old_daemon_when_settings_are_refused() {
    local process said
    process=$(main_pid)
    repack strict.deb "$(version)+2" install -m 755 /dev/stdin usr/sbin/hearthd <<-END
		#!/bin/sh
		echo "$configuration:1: home: is not good enough any more" >&2
		exit 78
	END
    said=$(apt_install strict.deb 2>&1) || wrong "$said"
    contains 'is not good enough any more' <<<"$said" || wrong "nothing was said: $said"
    [[ $(main_pid) == "$process" ]] || wrong "the running daemon was ended"
    heats office
    apt_install newer.deb
    wait_until 10 is_running_again "$process" || wrong "the good version was not started"
    heats office
}

# As if a later version had written the journal.
refuses_newer_journal() {
    local journal=$tree/var/lib/hearth/journal.sqlite before said
    inside systemctl stop hearthd
    set_schema 99
    before=$(md5sum <"$journal")
    if said=$(apt_install hearth.deb 2>&1); then wrong "the older package was installed"; fi
    contains 'was written by another version (schema 99' <<<"$said" || wrong "$said"
    [[ $(inside dpkg-query --show --showformat='${db:Status-Status}' hearth) == installed ]] || wrong "dpkg is not clean"
    inside systemctl start hearthd
    heats office
    status_says another
    figure "$(status_line | sed 's/.*alarm[s]*: //')"
    inside systemctl stop hearthd
    [[ $(md5sum <"$journal") == "$before" ]] || wrong "the file was changed"
    [[ -z $(find "$tree/var/lib/hearth" -name 'journal.sqlite?*' -size +0) ]] || wrong "$(ls -l "$tree/var/lib/hearth")"
    set_schema 1
    inside systemctl start hearthd
    heats office
}

set_schema() {
    python3 - "$tree/var/lib/hearth/journal.sqlite" "$1" <<-'END'
		import sqlite3, sys
		journal = sqlite3.connect(sys.argv[1])
		journal.execute(f"PRAGMA user_version={int(sys.argv[2])}")
		journal.execute("PRAGMA wal_checkpoint(TRUNCATE)")
	END
}

downgrades_on_same_schema() {
    apt_install hearth.deb
    wait_until 10 is_running_again 0 || wrong "$(property ActiveState)"
    heats office
}

purge_keeps_state() {
    inside systemctl stop pumps-recorder cloud-recorder
    inside apt-get --quiet --yes purge hearth
    [[ -z $(pgrep --exact hearthd --nslist pid --ns "$leader") ]] || wrong "hearthd still runs"
    [[ ! -e $tree$configuration && ! -e $tree/etc/mosquitto/conf.d/hearth.conf ]] || wrong "configuration is left"
    [[ ! -e $tree/etc/systemd/system/multi-user.target.wants/hearthd.service ]] || wrong "it is still enabled"
    [[ -z $(find "$tree/etc/systemd" "$tree/var/lib/systemd/deb-systemd-helper-"* -name '*hearthd*' ! -name '*.d') ]] ||
        wrong "$(find "$tree/etc/systemd" "$tree/var/lib/systemd" -name '*hearthd*')"
    [[ -s $tree/var/lib/hearth/journal.sqlite ]] || wrong "the journal was removed unasked"
    inside systemctl --quiet is-active mosquitto || wrong "Mosquitto was stopped"
}

purge_removes_state_when_asked() {
    apt_install hearth.deb
    home_configuration | configure
    inside systemctl start hearthd
    wait_until 15 log_has recording || wrong "reinstalled, it does not record"
    # Certificates that a person put there are that person's.
    rm -f "$tree"/etc/hearth/tls/*
    inside env HEARTH_PURGE_STATE=yes apt-get --quiet --yes purge hearth
    [[ ! -e $tree/var/lib/hearth ]] || wrong "state is left: $(ls "$tree/var/lib/hearth")"
    [[ ! -e $tree/etc/hearth ]] || wrong "left: $(find "$tree/etc/hearth")"
}
