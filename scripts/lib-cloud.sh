# A cloud on this machine for the demo: broker, InfluxDB, hearth-cloud; sourced by scripts/demo, never run.
# shellcheck shell=bash disable=SC2154 # variables of the script: directory, programs, cloud_port, influx_port, …

# --- InfluxDB -----------------------------------------------------------------------------------------------------

# A Debian machine has influxd in /usr/bin; its own service on port 8086 is not used.
start_database() {
    local path=$directory/influxdb
    mkdir --parents "$path"
    cat >"$path/influxdb.conf" <<END
reporting-disabled = true
bind-address = "127.0.0.1:$influx_rpc_port"
[meta]
dir = "$path/meta"
[data]
dir = "$path/data"
wal-dir = "$path/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:$influx_port"
log-enabled = false
[logging]
level = "error"
END
    start influxdb influxd -config "$path/influxdb.conf"
    wait_until 30 database_answers || {
        cat "$directory/influxdb.log" >&2
        die "influxd does not answer on port $influx_port"
    }
}

database_answers() { curl --silent --fail --output /dev/null "http://127.0.0.1:$influx_port/ping"; }

# The answer of database $1 to the InfluxQL statement $2, as JSON.
query() {
    curl --silent --show-error --get "http://127.0.0.1:$influx_port/query" --data-urlencode "db=$1" \
        --data-urlencode "q=$2"
}

# The count that statement $2 asks database $1 for; 0 where there is nothing yet.
count_points() {
    local count
    count=$(query "$1" "$2" | sed --quiet 's/.*"values":\[\[[^,]*,\([0-9]*\)\]\].*/\1/p')
    printf '%s\n' "${count:-0}"
}

# Of this run's home: a cluster may bring readings of an earlier one.
raw_count() { count_points raw "SELECT count(value) FROM raw_temperature WHERE home = '$home'"; }
clean_count() { count_points clean "SELECT count(value) FROM temperature_clean WHERE home = '$home'"; }
aggregate_count() { count_points aggregate "SELECT count(avg_temp) FROM home_avg_temperature WHERE home = '$home'"; }
# Commands of the pumps; $1 = true (starts) or false (stops), all without.
command_count() {
    count_points raw "SELECT count(\"on\") FROM heatpump_state WHERE home = '$home'${1:+ AND \"on\" = $1}"
}

# Every point of measurement $2 in database $1 as "room time value", sorted.
points() {
    query "$1" "SELECT value FROM $2 WHERE home = '$home' GROUP BY room" | sed 's/{"name"/\n&/g' | awk '
        match($0, /"tags":\{"room":"[^"]*"\}/) {
            room = substr($0, RSTART + 16, RLENGTH - 18)
            sub(/.*"values":\[\[/, "")
            sub(/\]\].*/, "")
            count = split($0, rows, /\],\[/)
            for (i = 1; i <= count; i++) {
                split(rows[i], cell, ",")
                gsub(/["Z]/, "", cell[1])
                print room, cell[1], cell[2]
            }
        }' | LC_ALL=C sort
}

# --- hearth-cloud -------------------------------------------------------------------------------------------------

# What every service needs to know.
cloud_environment() {
    export MQTT_HOST=127.0.0.1 MQTT_PORT=$cloud_port INFLUX_URL=http://127.0.0.1:$influx_port INFLUX_API=v1
    export EVENT_LOG=$engine JOURNAL_PATH=$directory/events.sqlite HTTP_PORT=0
    [[ $engine == journal ]] || export KAFKA_HOST
}

# Setup once, then all services: one process on the journal engine, one each on Kafka.
start_services() {
    local service
    cloud_environment
    [[ $engine == journal ]] || start_kafka
    EVENT_LOG=$setup_engine "$programs/hearth-cloud" setup >"$directory/setup.log" 2>&1 || {
        cat "$directory/setup.log" >&2
        die "hearth-cloud setup failed"
    }
    if [[ $engine == journal ]]; then
        HTTP_PORT=$http_port start serve "$programs/hearth-cloud" serve
    else
        HTTP_PORT=$http_port start ingest "$programs/hearth-cloud" ingest
        for service in save-raw clean aggregate; do start "$service" "$programs/hearth-cloud" "$service"; done
    fi
    wait_until 30 services_are_ready || {
        cat "$directory"/{serve,ingest}.log >&2 2>/dev/null || true
        die "hearth-cloud is not ready; its log is above"
    }
}

services_are_ready() { curl --silent --fail --output /dev/null "http://127.0.0.1:$http_port/readyz"; }

# What `setup` prepares beside the database: the topics of a real cluster, which the test broker makes by command.
setup_engine=$engine

# With KAFKA_HOST that cluster is used. Without, librdkafka's own test broker, which keeps its data in memory.
start_kafka() {
    [[ -z ${KAFKA_HOST:-} ]] || return 0
    local topic mock=${HEARTH_MOCK_KAFKA:-$programs/mock-kafka}
    [[ -x $mock ]] || die "EVENT_LOG=kafka needs KAFKA_HOST=servers of a cluster, or HEARTH_MOCK_KAFKA=the test broker"
    # It ends with its input, which this script holds open.
    mkfifo "$directory/kafka.commands"
    start_reading "$directory/kafka.commands" kafka "$mock" 1
    exec {kafka_commands}>"$directory/kafka.commands"
    wait_until 10 grep --quiet '^bootstrap ' "$directory/kafka.log" || die "the test broker does not start"
    KAFKA_HOST=$(sed --quiet 's/^bootstrap //p' "$directory/kafka.log")
    for topic in raw_sensor_data clean-data heatpump_state raw_sensor_data.dead-letter raw_sensor_data.held; do
        echo "topic $topic 4 1" >&"$kafka_commands"
    done
    setup_engine=journal
}
