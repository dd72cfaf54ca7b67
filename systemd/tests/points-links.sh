# Identity and hostile peers; sourced by scripts/test-systemd.
# shellcheck shell=bash disable=SC2154 # variables of the other files

readonly examples=/usr/share/doc/hearth/examples
readonly certificates=/srv/certificates

issue() { inside "$examples/cloud-broker/issue-certificate" "$certificates" "$@"; }

# The cloud broker as the packaged example has it, with homes home1 and home2.
cloud_with_identities() {
    issue authority
    issue server localhost 127.0.0.1
    issue client home1
    issue client home2
    issue client hearth-cloud
    mkdir -p "$tree/etc/mosquitto/hearth"
    cp "$tree$certificates"/{ca.crt,server.crt,server.key} "$tree$examples/cloud-broker/hearth-cloud.acl" \
        "$tree/etc/mosquitto/hearth/"
    {
        cat "$tree$examples/cloud-broker/hearth-cloud.conf"
        echo 'log_dest file /srv/cloud/identities.log'
    } >"$tree/srv/cloud/identities.conf"
    cat >"$tree/etc/systemd/system/cloud-identities.service" <<-END
		[Service]
		ExecStartPre=/bin/chown --recursive mosquitto /etc/mosquitto/hearth /srv/cloud
		ExecStart=/usr/sbin/mosquitto -c /srv/cloud/identities.conf
	END
    inside systemctl daemon-reload
    inside systemctl start cloud-identities
    wait_until 5 is_open 8883 || wrong "the broker does not start: $(cat "$tree/srv/cloud/identities.log")"
}

is_open() { in_network bash -c "exec 3<>/dev/tcp/127.0.0.1/$1" 2>/dev/null; }

# Runs mosquitto_pub or _sub as the owner of certificate $2.
as_home() {
    inside "$1" --host localhost --port 8883 --protocol-version 5 --cafile "$certificates/ca.crt" \
        --cert "$certificates/$2.crt" --key "$certificates/$2.key" "${@:3}"
}

tls_configuration() {
    home_configuration
    cat <<-END
		[cloud]
		host = "localhost"
		port = 8883
		[cloud.tls]
		ca = "/etc/hearth/tls/${1:-ca.crt}"
		cert = "/etc/hearth/tls/home.crt"
		key = "/etc/hearth/tls/home.key"
	END
}

install_certificate() {
    inside install --mode 444 "$certificates/ca.crt" /etc/hearth/tls/ca.crt
    inside install --mode 444 "$certificates/$1.crt" /etc/hearth/tls/home.crt
    inside install --mode 400 --owner hearth "$certificates/$1.key" /etc/hearth/tls/home.key
}

connects_with_certificate() {
    cloud_with_identities
    install_certificate home1
    as_home mosquitto_sub hearth-cloud --topic '+/+/temperature' -C 1 -W 20 >"$container/seen" &
    tls_configuration | configure
    inside systemctl reload hearthd
    status_says "cloud connected"
    heats office
    wait %% || wrong "nothing arrived at the ingestor's identity"
    contains '"value": ' <"$container/seen" || wrong "$(cat "$container/seen")"
}

# What home 2 says in home 1's name reaches nobody, what it says in its own does; and it reads nothing of home 1.
homes_are_apart() {
    local -a listeners
    as_home mosquitto_sub hearth-cloud --topic '+/+/temperature' --topic '+/frame' -W 6 -F '%t %p' >"$container/ingest" &
    listeners=($!)
    as_home mosquitto_sub home1 --topic 'home1/+/heatpump/set' --id spy -W 6 -F '%t %p' >"$container/home1" &
    listeners+=($!)
    as_home mosquitto_sub home2 --topic '#' --topic 'home1/#' --topic '+/+/temperature' --topic home1/gateway/ack \
        --topic 'home1/+/heatpump/set' -W 6 -F '%t %p' >"$container/home2" &
    listeners+=($!)
    sleep 1.5
    as_home mosquitto_pub home2 --qos 1 --topic home1/office/temperature --message forged || true
    as_home mosquitto_pub home2 --qos 1 --topic home1/frame --message forged || true
    as_home mosquitto_pub home2 --qos 1 --topic home1/office/heatpump/set --message forged || true
    as_home mosquitto_pub home2 --qos 1 --topic home2/kitchen/temperature --message genuine
    as_home mosquitto_pub hearth-cloud --qos 1 --topic home1/gateway/ack --message '{}'
    as_home mosquitto_pub hearth-cloud --qos 1 --topic home1/other/heatpump/set --message ordered
    heats office
    wait "${listeners[@]}" || true
    contains 'home2/kitchen/temperature genuine' <"$container/ingest" || wrong "home 2 cannot publish as itself"
    contains 'home1/office/temperature' <"$container/ingest" || wrong "home 1 cannot publish as itself"
    contains 'home1/other/heatpump/set ordered' <"$container/home1" || wrong "the cloud cannot command home 1"
    if contains forged <"$container/ingest"; then wrong "home 2 published as home 1"; fi
    if contains forged <"$container/home1"; then wrong "home 2 commanded home 1"; fi
    if contains home1/ <"$container/home2"; then wrong "home 2 read: $(cat "$container/home2")"; fi
}

nobody_without_certificate() {
    if inside mosquitto_pub --host localhost --port 8883 --cafile "$certificates/ca.crt" --topic home1/x/temperature \
        --message forged 2>&1; then wrong "somebody without a certificate got in"; fi
    inside "$examples/cloud-broker/issue-certificate" /srv/other authority
    inside "$examples/cloud-broker/issue-certificate" /srv/other client home1
    if inside mosquitto_pub --host localhost --port 8883 --cafile "$certificates/ca.crt" --cert /srv/other/home1.crt \
        --key /srv/other/home1.key --topic home1/x/temperature --message forged 2>&1; then
        wrong "a certificate of another authority got in"
    fi
}

wrong_authority_is_named() {
    inside install --mode 444 /srv/other/ca.crt /etc/hearth/tls/other.crt
    tls_configuration other.crt | configure
    inside systemctl reload hearthd
    status_says "no cloud"
    wait_until 10 detail_has uplink /etc/hearth/tls/other.crt || wrong "status says: $(link_detail uplink)"
    heats office
    figure "$(link_detail uplink)"
}

# The newest detail of link $1, as `hearth status` has it.
link_detail() {
    inside hearth status --json | sed "s/.*{\"name\":\"$1\",\([^}]*\)}.*/\1/; s/.*\"detail\":\"\(\([^\"\\\\]\|\\\\.\)*\)\".*/\1/"
}

detail_has() { link_detail "$1" | contains "$2"; }

# Other files in the same place: the broker sees another name, and then, renewed, the first one again.
renewed_certificate_on_reload() {
    tls_configuration | configure
    inside systemctl reload hearthd
    status_says "cloud connected"
    install_certificate home2
    inside systemctl reload hearthd
    wait_until 15 uplink_came_as home2 || wrong "it did not connect with the new certificate"
    issue client home1
    install_certificate home1
    : >"$tree/srv/cloud/identities.log"
    inside systemctl reload hearthd
    wait_until 15 uplink_came_as home1 || wrong "it did not connect with the renewed certificate"
    status_says "cloud connected"
}

uplink_came_as() {
    grep --quiet "New client connected.* as hearthd-home1-uplink[^ ]* .*u'$1'" "$tree/srv/cloud/identities.log"
}

password_from_credential() {
    inside mosquitto_passwd -c -b /srv/cloud/passwords home1 'correct horse'
    inside chown mosquitto /srv/cloud/passwords
    cat >"$tree/srv/cloud/mosquitto.conf" <<-END
		listener 1884 127.0.0.1
		allow_anonymous false
		password_file /srv/cloud/passwords
	END
    inside systemctl restart cloud-broker
    # Back to what it was, however this ends.
    trap 'write_cloud; inside systemctl restart cloud-broker' EXIT
    printf 'correct horse\n' >"$tree/etc/hearth/cloud-password"
    chmod 600 "$tree/etc/hearth/cloud-password"
    inside install -D --mode 644 "$examples/credentials.conf" /etc/systemd/system/hearthd.service.d/credentials.conf
    { home_configuration && printf '[cloud]\nusername = "home1"\n'; } | configure
    inside systemctl daemon-reload
    inside systemctl restart hearthd
    status_says "cloud connected"
    [[ $(inside hearth doctor | grep --count 'readable by others') == 0 ]] || wrong "$(inside hearth doctor)"
    rm "$tree/etc/hearth/cloud-password"
    drop_out credentials
    home_configuration | configure
    inside systemctl restart hearthd
}

# A certificate for so many days, in the place of the old one.
certificate_for_days() {
    inside env DAYS="$1" "$examples/cloud-broker/issue-certificate" "$certificates" client home1
    install_certificate home1
    inside systemctl reload hearthd
}

# Ahead of the end and after it, by the days that openssl was told; silent again with a longer one.
ending_certificate_is_named() {
    local file=/etc/hearth/tls/home.crt
    tls_configuration | configure
    certificate_for_days 20
    status_says "cloud connected"
    wait_until 15 doctor_finds "$file is valid until" || wrong "$(inside hearth doctor || true)"
    status_lacks "$file" || wrong "20 days ahead: $(status_line)"
    certificate_for_days 5
    if inside openssl x509 -noout -checkend $((5 * 86400)) -in "$file"; then wrong "openssl says it is valid longer"; fi
    wait_until 15 hearth_status_says "$file expires in 5 days" || wrong "hearth status is silent"
    doctor_finds "$file expires in 5 days" || wrong "hearth doctor is silent"
    certificate_for_days 0
    if inside openssl x509 -noout -checkend 0 -in "$file"; then wrong "openssl says it is valid"; fi
    wait_until 15 hearth_status_says "$file has expired" || wrong "hearth status is silent"
    doctor_finds "$file has expired" || wrong "hearth doctor is silent"
    heats office
    certificate_for_days 825
    status_says "cloud connected"
    wait_until 15 doctor_finds "$file is valid until" || wrong "$(inside hearth doctor || true)"
    wait_until 15 status_lacks "$file" || wrong "renewed: $(status_line)"
}

# All findings; systemctl shows the most urgent one only. Its lines are cut to the terminal's width, its JSON is not.
hearth_status_says() { contains "$1" <<<"$(inside hearth status --json || true)"; }

# Its exit status is 1 when it found an error. Its lines are cut to the terminal's width, not its JSON.
doctor_finds() { contains "$1" <<<"$(inside hearth doctor --json || true)"; }

# The same for an authority's certificate.
ending_authority_is_named() {
    inside env DAYS=3 "$examples/cloud-broker/issue-certificate" /srv/ending authority
    inside install --mode 444 /srv/ending/ca.crt /etc/hearth/tls/ending.crt
    tls_configuration ending.crt | configure
    inside systemctl reload hearthd
    wait_until 15 hearth_status_says "/etc/hearth/tls/ending.crt expires in 3 days" || wrong "hearth status is silent"
    tls_configuration | configure
    inside systemctl reload hearthd
    wait_until 15 status_lacks ending.crt || wrong "$(status_line)"
}

# The packaged example for sensors without passwords: they report and listen, and only hearthd commands.
protects_pumps_on_the_network() {
    local before
    inside cp "$examples/home-network/home-network.conf" /etc/mosquitto/conf.d/
    inside cp "$examples/home-network/home-network.acl" /etc/mosquitto/
    inside mosquitto_passwd -c -b /etc/mosquitto/hearth.passwd hearthd 'battery staple'
    inside chown mosquitto /etc/mosquitto/hearth.passwd
    # shellcheck disable=SC2064 # now
    trap "rm '$tree/etc/mosquitto/conf.d/home-network.conf'; inside systemctl restart mosquitto" EXIT
    inside systemctl restart mosquitto
    inside install --mode 400 --owner hearth /dev/stdin /etc/hearth/local-password <<<'battery staple'
    {
        home_configuration
        printf '[local]\nusername = "hearthd"\npassword_file = "/etc/hearth/local-password"\n'
    } | configure
    inside systemctl restart hearthd
    # Clients come back to a restarted broker one after the other.
    wait_until 10 pumps_listen || wrong "pumps without a password hear nothing"
    heats office
    before=$(commands_so_far)
    inside mosquitto_pub --qos 1 --topic office/heatpump --message '{"status": "forged"}' || true
    inside mosquitto_pub --qos 1 --topic hearth/rooms/office --message '{"pump": "on"}' || true
    heats office
    # A denied publication costs the sensor nothing else: it is not cut off.
    inside mosquitto_pub --qos 1 --topic kitchen/door --message open || true
    if contains 'Bad socket' <"$tree/var/log/mosquitto/mosquitto.log"; then wrong "a sensor was cut off"; fi
    if tail --lines "+$((before + 1))" "$tree/srv/pumps.log" | contains forged; then wrong "a sensor commanded a pump"; fi
    home_configuration | configure
    inside systemctl restart hearthd
    rm "$tree/etc/hearth/local-password"
}

pumps_listen() {
    inside mosquitto_pub --username hearthd --pw 'battery staple' --qos 1 --topic probe/heatpump --message '{"status": "0"}'
    pump_was_told probe 0 0
}

# Whatever answers in the cloud's place, the house is heated at once, and status says what is wrong.
hostile() {
    local kind=$1 expected=$2 port=1885
    [[ $kind != deaf-dns ]] || port=53
    nsenter --target "$leader" --net python3 "$root_directory/systemd/tests/hostile-peer.py" "$kind" "$port" >"$container/peer" &
    # shellcheck disable=SC2064 # this peer
    trap "kill $!" EXIT
    wait_until 5 grep --quiet listening "$container/peer" || wrong "no $kind"
    case $kind in
    deaf-dns)
        echo 'nameserver 127.0.0.1' >"$tree/etc/resolv.conf"
        home_configuration
        printf '[cloud]\nhost = "cloud.example"\n'
        ;;
    trickle) tls_configuration | sed 's/8883/1885/' ;;
    portal)
        home_configuration
        printf '[cloud]\nport = 1885\n'
        ;;
    esac | configure
    inside systemctl restart hearthd
    wait_until 10 log_has recording || wrong "it does not record"
    heats office 2
    figure "command after $(pump_answers office 17.5 1 2) ms"
    # By the peer's own count, the handshake has been held for some seconds; the house is heated meanwhile.
    if [[ $kind == trickle ]]; then
        wait_until 20 grep --quiet '^3 bytes$' "$container/peer" || wrong "no handshake was held: $(cat "$container/peer")"
        heats office 2
    fi
    wait_until 30 detail_matches uplink "$expected" || wrong "status says: $(link_detail uplink)"
    figure "$(link_detail uplink)"
    : >"$tree/etc/resolv.conf"
}

detail_matches() { link_detail "$1" | grep --extended-regexp --quiet --ignore-case "$2"; }
