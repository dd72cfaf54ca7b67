# Installing, configuring, running and failing; sourced by scripts/test-systemd.
# shellcheck shell=bash disable=SC2154 # variables of the other files

home_configuration() {
    cat <<-END
		home = "home1"
		[uplink]
		confirm = "broker"
		[thermostat]
		on_below = ${1:-20.0}
	END
}

apt_install() {
    inside apt-get --quiet --yes --option Dpkg::Use-Pty=0 --option Dpkg::Options::=--force-confdef \
        --option Dpkg::Options::=--force-confold --option Dpkg::Options::=--force-unsafe-io \
        --allow-downgrades install "/srv/$1"
}

installs() {
    local size
    inside apt-get --quiet update
    apt_install hearth.deb
    inside apt-get --quiet --yes --no-install-recommends install mosquitto-clients
    [[ $(inside systemctl is-enabled hearthd || true) == disabled ]] || wrong "installing enabled the service"
    [[ $(property ActiveState) == inactive ]] || wrong "installing started the service"
    inside getent passwd hearth
    inside systemctl --quiet is-active mosquitto || wrong "the home's Mosquitto does not run"
    inside journalctl --unit mosquitto --no-pager --output cat | contains 'file /etc/mosquitto/conf.d/hearth.conf' ||
        wrong "Mosquitto was not restarted with the drop-in"
    size=$(inside dpkg-query --show --showformat='${Installed-Size}' hearth)
    [[ $size -le 40960 ]] || wrong "the package takes $size KiB"
    figure "$size KiB"
}

refuses_to_run_unconfigured() {
    if inside systemctl start hearthd; then wrong "it started without a home"; fi
    log_says "$configuration: home: is missing"
    [[ $(property ExecMainStatus) == 78 ]] || wrong "the exit status is $(property ExecMainStatus)"
    sleep 1
    [[ $(property NRestarts) == 0 ]] || wrong "it is started again and again"
}

starts_after_edit() {
    local others
    home_configuration | configure
    inside hearthd --check-config
    inside systemctl enable --now hearthd
    [[ $(property ActiveState) == active ]] || wrong "$(property ActiveState)"
    cloud_up
    record_pumps
    record_cloud
    status_says "cloud connected"
    # Lines of libraries would have another beginning. LimitNICE= cannot work where root may not raise limits.
    others=$(inside journalctl _SYSTEMD_INVOCATION_ID="$(property InvocationID)" _COMM=hearthd --no-pager --output cat |
        grep --invert-match '^hearthd: ' || true)
    prlimit --nice=24:24 true 2>/dev/null || others=$(grep --invert-match 'set thread priority' <<<"$others" || true)
    [[ -z $others ]] || wrong "the log has lines that are not hearthd's: $others"
}

status_is_a_page() {
    local page
    heats office
    heats bathroom
    status_says "bathroom 26.5° off, office 26.5° off; cloud connected, backlog 0"
    page=$(inside systemctl status --no-pager --lines 0 hearthd)
    contains 'Status: "bathroom 26.5' <<<"$page" || wrong "$page"
    figure "$(status_line)"
}

readings_flow() {
    readings hall 1 500
    all_in_cloud hall 1 500
}

unit_is_clean() {
    local said
    said=$(inside systemd-analyze verify --man=no hearthd.service 2>&1) || wrong "$said"
    [[ -z $said ]] || wrong "$said"
}

unit_is_tight() {
    local exposure
    exposure=$(inside systemd-analyze security --no-pager hearthd | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
    awk -v exposure="$exposure" 'BEGIN { exit !(exposure != "" && exposure <= 1.5) }' || wrong "exposure $exposure"
    figure "exposure $exposure"
}

sandbox_holds() {
    local process
    process=$(daemon_on_host)
    grep --quiet '^Seccomp:.*2' "/proc/$process/status" || wrong "no system call filter"
    grep --quiet '^CapEff:.*0000000000000000' "/proc/$process/status" || wrong "it has capabilities"
    grep --quiet '^NoNewPrivs:.*1' "/proc/$process/status" || wrong "it may gain privileges"
    # The recording side has its own limit, below the unit's, and goes first when memory runs out.
    process=$(recorder_on_host)
    grep --quiet --extended-regexp '^Max data size +234881024 +234881024' "/proc/$process/limits" || wrong "no limit of memory"
    [[ $(<"/proc/$process/oom_score_adj") == 500 ]] || wrong "the recording side does not go first"
    grep --quiet '^Seccomp:.*2' "/proc/$process/status" || wrong "no system call filter on the recording side"
    [[ $(inside stat --format '%U:%G %a' /run/hearth/hearthd.sock) == "hearth:hearth 660" ]] || wrong "socket mode"
    [[ $(inside stat --format '%U %a' /var/lib/hearth/journal.sqlite) == "hearth 600" ]] || wrong "journal mode"
}

people_of_the_group_may_steer() {
    inside useradd alice
    if inside runuser --user alice -- hearth status; then wrong "anybody may see the house"; fi
    inside usermod --append --groups hearth alice
    inside runuser --user alice -- hearth status
    inside runuser --user alice -- hearth override office on --for 1m
    wait_until 5 log_has 'somebody asked for' || wrong "the override was not taken"
    inside runuser --user alice -- hearth override office auto
    if inside runuser --user alice -- cat /var/lib/hearth/journal.sqlite; then wrong "the journal is open"; fi
}

heats_without_cloud() {
    cloud_down
    status_says "no cloud"
    heats office
    readings hall 501 600
    wait_until 10 backlog_of 100 || wrong "$(status_line)"
    status_says "no cloud, backlog"
    cloud_up
    all_in_cloud hall 1 600
    status_says "cloud connected, backlog 0" 90
}

backlog_of() { [[ $(backlog) -ge $1 ]]; }

# While readings arrive 40 ms apart, the process is killed; the pump of another room is the clock.
survives_kill() {
    local old back
    old=$(main_pid)
    (for value in $(seq 601 700); do
        echo "{\"timestamp\": \"2026-11-23T10:00:00\", \"value\": 22.$value}"
        sleep 0.04
    done | inside mosquitto_pub --qos 1 --topic hall/temperature --stdin-line) &
    sleep 1
    kill -KILL "$(daemon_on_host)"
    back=$(pump_answers office 18.1 1)
    [[ $(main_pid) != "$old" ]] || wrong "it was not killed"
    wait
    all_in_cloud hall 601 700
    [[ $back -le 2000 ]] || wrong "it took $back ms until it heated again"
    figure "heats again after $back ms"
}

# The recording side is killed and frozen; the heating does not end and says so.
recording_side_dies() {
    local process
    process=$(main_pid)
    kill -KILL "$(recorder_on_host)"
    status_says "the recording side was ended by signal 9" 6
    heats office
    kill -STOP "$(recorder_on_host)"
    status_says "the recording side has not answered" 6
    heats office
    status_says "the recording side said nothing for" 25
    wait_until 20 recorder_on_host || wrong "the recording side is not back"
    readings hall 801 850
    all_in_cloud hall 801 850
    [[ $(main_pid) == "$process" ]] || wrong "the heating was restarted"
}

watchdog_ends_freeze() {
    local old
    drop_in watchdog WatchdogSec=4
    inside systemctl restart hearthd
    status_says "cloud connected"
    old=$(main_pid)
    kill -STOP "$(daemon_on_host)"
    comes_back "$old" 20
    log_says "Watchdog timeout"
    heats office
}

watchdog_ends_block() {
    local old holder
    status_says "cloud connected"
    old=$(main_pid)
    python3 "$root_directory/systemd/tests/hold-thread.py" "$(daemon_on_host)" control &
    holder=$!
    if ! wait_until 40 is_running_again "$old"; then
        kill "$holder"
        wrong "the control lane was held for 40 s and nobody noticed"
    fi
    wait "$holder" || true
    heats office
}

# A lane of the recording side stands still: after a minute the heating ends that side, and starts it again.
heating_ends_block() {
    local process recorder holder
    status_says "cloud connected"
    process=$(main_pid)
    recorder=$(recorder_on_host)
    python3 "$root_directory/systemd/tests/hold-thread.py" "$recorder" "$1" &
    holder=$!
    if ! wait_until 80 is_replaced "$recorder"; then
        kill "$holder"
        wrong "the $1 lane was held for 80 s and nobody noticed"
    fi
    wait "$holder" || true
    log_says "stood still for"
    [[ $(main_pid) == "$process" ]] || wrong "the heating was restarted"
    heats office
}

is_replaced() {
    local now
    now=$(recorder_on_host) && [[ $now != "$1" ]]
}

keeps_settings_when_broken() {
    local process
    drop_out watchdog
    process=$(main_pid)
    { home_configuration 99.0 && echo 'min_of = "5m"'; } | configure
    if inside systemctl reload hearthd; then wrong "reload says that all is well"; fi
    status_says "$configuration:6: thermostat.min_of: is not a known key; did you mean"
    log_says "$configuration:6: thermostat.min_of: is not a known key"
    [[ $(main_pid) == "$process" && $(property ActiveState) == active ]] || wrong "it was restarted"
    heats office
    figure "$(status_line | sed 's/.*alarm: //')"
}

takes_mended_settings() {
    local process
    process=$(main_pid)
    home_configuration 24.0 | configure
    inside systemctl reload hearthd
    pump_answers office 23.0 1
    wait_until 15 status_lacks "kept the old settings" || wrong "$(status_line)"
    [[ $(main_pid) == "$process" ]] || wrong "it was restarted"
    home_configuration | configure
    inside systemctl reload hearthd
}

status_lacks() { ! status_has "$1"; }

stops_in_time() {
    local begun took
    begun=$(milliseconds)
    inside systemctl stop hearthd
    took=$(($(milliseconds) - begun))
    [[ $(property Result) == success && $(property ExecMainStatus) == 0 ]] || wrong "$(property Result)"
    inside systemctl start hearthd
    [[ $took -le 5000 ]] || wrong "it took $took ms"
    figure "$took ms"
}
