# The home inside the container: its sensors, heat pumps and cloud; sourced by scripts/test-systemd.
# shellcheck shell=bash disable=SC2154 # container, tree: container.sh

readonly configuration=/etc/hearth/hearthd.toml

# Points are shell functions that fail with a message. Runs one and prints a line for it.
passed=0
failed=0
point() {
    local name=$1 begun=$SECONDS status
    shift
    set +e
    (set -e && "$@") >"$container/point.log" 2>&1
    status=$?
    set -e
    if [[ $status -eq 0 ]]; then
        passed=$((passed + 1))
        printf 'PASS  %-66s %3d s  %s\n' "$name" $((SECONDS - begun)) "$(sed -n 's/^figure: //p' "$container/point.log" | paste --serial --delimiters '|' | sed 's/|/ | /g')"
    else
        failed=$((failed + 1))
        printf 'FAIL  %-66s %3d s\n' "$name" $((SECONDS - begun))
        sed 's/^/        /' "$container/point.log" | tail -n 25
        # What hearthd itself had to say is often the answer.
        [[ -z $leader ]] || inside journalctl --unit hearthd --no-pager --lines 15 --output cat 2>&1 | sed 's/^/      | /'
    fi
}

# Ends a point.
wrong() {
    echo "$*"
    exit 1
}

# A number or finding to show beside PASS.
figure() { echo "figure: $*"; }

contains() { grep --quiet --fixed-strings -- "$1"; }

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# --- Sensors and heat pumps ---------------------------------------------------------------------------------------

# The room's sensor publishes value $2, at QoS 1: the home broker has taken it when this returns.
reading() {
    inside mosquitto_pub --qos 1 --topic "$1/temperature" \
        --message "{\"timestamp\": \"$(date --utc +%Y-%m-%dT%H:%M:%S.%6N)\", \"value\": $2}"
}

# Publishes readings with the values $2 to $3, all of them between the limits of the thermostat, in one go.
readings() {
    seq "$2" "$3" | sed 's/.*/{"timestamp": "2026-11-23T10:00:00", "value": 22.&}/' |
        inside mosquitto_pub --qos 1 --topic "$1/temperature" --stdin-line
}

# Record, in files of the container, the commands that heat pumps get, and what arrives in the cloud.
record_pumps() { recorder pumps --port 1883 --qos 0 --topic +/heatpump; }
record_cloud() { recorder cloud --port 1884 --qos 1 --topic 'home1/#' --id collector --disable-clean-session; }

recorder() {
    : >>"$tree/srv/$1.log"
    inside systemd-run --quiet --unit="$1-recorder" --property=Restart=always --property=RestartSec=100ms \
        --property=StartLimitIntervalSec=0 --property=StandardOutput="append:/srv/$1.log" \
        mosquitto_sub --verbose "${@:2}"
    # Its socket's other end shows that the broker has it; a message before that would be missed.
    wait_until 10 is_subscribed "$3"
}

# Whether mosquitto_sub's connection to local port $1 is established.
is_subscribed() {
    awk -v port="$(printf ':%04X' "$1")" '$3 ~ port "$" && $4 == "01" { found = 1 } END { exit !found }' \
        "/proc/$leader/net/tcp"
}

# Whether the room's pump was told $2 (1 or 0) after line $3 of the record.
pump_was_told() { tail --lines "+$(($3 + 1))" "$tree/srv/pumps.log" | contains "$1/heatpump {\"status\": \"$2\"}"; }

commands_so_far() { wc --lines <"$tree/srv/pumps.log"; }

# Lets the room's sensor send value $2, after one that has the opposite effect, until its pump is told $3, for up to $4
# seconds. Prints the milliseconds it took.
pump_answers() {
    local before begun opposite=26.5
    [[ $3 == 1 ]] || opposite=18.5
    before=$(commands_so_far)
    begun=$(milliseconds)
    until pump_was_told "$1" "$3" "$before"; do
        [[ $(milliseconds) -lt $((begun + ${4:-10} * 1000)) ]] ||
            wrong "no command {\"status\": \"$3\"} for $1 within ${4:-10} s"
        reading "$1" "$opposite"
        reading "$1" "$2"
        wait_briefly pump_was_told "$1" "$3" "$before"
    done
    echo $(($(milliseconds) - begun))
}

# Shows that the room is heated: a cold reading starts its pump and a warm one stops it, each within $2 seconds.
heats() {
    pump_answers "$1" 18.5 1 "${2:-10}"
    pump_answers "$1" 26.5 0 "${2:-10}"
}

# Waits for the command to succeed, up to 300 ms.
wait_briefly() {
    local deadline=$(($(milliseconds) + 300))
    until "$@" || [[ $(milliseconds) -gt $deadline ]]; do sleep 0.02; done
}

# --- The cloud ----------------------------------------------------------------------------------------------------

# The cloud's broker, on port 1884, which keeps what its collector has not read yet.
write_cloud() {
    mkdir -p "$tree/srv/cloud"
    cat >"$tree/srv/cloud/mosquitto.conf" <<-END
		listener 1884 127.0.0.1
		allow_anonymous true
		max_queued_messages 0
		persistence true
		persistence_location /srv/cloud/
	END
    cat >"$tree/etc/systemd/system/cloud-broker.service" <<-END
		[Service]
		ExecStartPre=/bin/chown --recursive mosquitto /srv/cloud
		ExecStart=/usr/sbin/mosquitto -c /srv/cloud/mosquitto.conf
	END
    inside systemctl daemon-reload
}

cloud_up() { inside systemctl start cloud-broker; }
cloud_down() { inside systemctl stop cloud-broker; }

# Waits until the collector has each of the values $2 to $3 of room $1 at least once.
all_in_cloud() {
    wait_until "${4:-60}" has_all "$1" "$2" "$3" ||
        wrong "$(missing_in_cloud "$@" | wc -l) of $(($3 - $2 + 1)) readings did not arrive, such as:" \
            "$(missing_in_cloud "$@" | head -n 3)"
    figure "$(($3 - $2 + 1)) readings, $(($(arrivals "$1" | grep --count .) - $(arrivals "$1" | sort -u | wc -l))) twice"
}

arrivals() { sed -n "s:^home1/$1/temperature .*\"value\"\: 22\.\([0-9]*\)}:\1:p" "$tree/srv/cloud.log"; }
missing_in_cloud() { comm -13 <(arrivals "$1" | sort -u) <(seq "$2" "$3" | sort -u); }
has_all() { [[ -z $(missing_in_cloud "$@") ]]; }

# --- The daemon ---------------------------------------------------------------------------------------------------

property() { inside systemctl show --property="$1" --value hearthd; }
status_line() { property StatusText; }
main_pid() { property MainPID; }
backlog() { inside hearth status --json | sed 's/.*"backlog":\([0-9]*\).*/\1/'; }

status_says() { wait_until "${2:-15}" status_has "$1" || wrong "systemctl status says \"$(status_line)\", not \"$1\""; }
status_has() { status_line | contains "$1"; }

log_says() { wait_until 10 log_has "$1" || wrong "the log does not say: $1"; }
log_has() { inside journalctl --unit hearthd --no-pager --boot --output cat | contains "$1"; }

is_running_again() {
    local now
    now=$(main_pid)
    [[ $now != 0 && $now != "$1" && $(property ActiveState) == active ]]
}

# Waits for a new process in the place of process $1.
comes_back() { wait_until "$2" is_running_again "$1" || wrong "hearthd is not back within $2 s: $(property ActiveState)"; }

# Adds settings to the unit.
drop_in() {
    mkdir -p "$tree/etc/systemd/system/hearthd.service.d"
    printf '%s\n' '[Service]' "${@:2}" >"$tree/etc/systemd/system/hearthd.service.d/$1.conf"
    inside systemctl daemon-reload
}

drop_out() {
    rm -f "$tree/etc/systemd/system/hearthd.service.d/$1.conf"
    inside systemctl daemon-reload
}

configure() { cat >"$tree$configuration"; }
