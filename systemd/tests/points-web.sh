# The page's package; sourced by scripts/test-systemd.
# shellcheck shell=bash disable=SC2154 # variables of the other files

# Prints the status and the text of the page's answer to method $1, path $2, body $3; with the page's own token.
web() {
    in_network python3 -c '
import sys, urllib.error, urllib.request
method, path, body = sys.argv[1], sys.argv[2], sys.argv[3].encode() or None
base = "http://127.0.0.1:8088"
page = urllib.request.urlopen(base + "/", timeout=5).read().decode()
token = page.split("hearth-token\" content=\"")[1].split("\"")[0]
headers = {"Origin": base, "X-Hearth-Token": token, "Content-Type": "application/json"} if body else {}
try:
    answer = urllib.request.urlopen(urllib.request.Request(base + path, body, headers, method=method), timeout=5)
except urllib.error.HTTPError as error:
    answer = error
print(answer.status, answer.read().decode())' "$@" 2>/dev/null
}

web_property() { inside systemctl show --property="$1" --value hearth-web; }

web_log() { inside journalctl --unit hearth-web --no-pager --lines 30 --output cat; }

web_says() { web GET "$1" "" | contains "$2"; }

web_installs() {
    local size
    [[ -e $tree/srv/hearth-web.deb ]] || wrong "there is no package of the page beside hearth's"
    apt_install hearth-web.deb
    [[ $(web_property ActiveState) == active ]] || wrong "$(web_property ActiveState)"
    wait_until 10 web_says /metrics 'hearth_gateway_up 1' || wrong "$(web_log)"
    size=$(inside dpkg-query --show --showformat='${Installed-Size}' hearth-web)
    figure "$size KiB"
}

web_unit_is_tight() {
    local exposure
    inside systemd-analyze verify hearth-web.service 2>&1 | grep . && wrong "systemd-analyze verify has something to say"
    exposure=$(inside systemd-analyze security --no-pager hearth-web | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
    awk -v found="$exposure" 'BEGIN { exit !(found != "" && found <= 1.5) }' || wrong "exposure $exposure"
    figure "exposure $exposure"
}

# Another user, who reaches the socket through the group, and nothing else of hearthd's.
web_is_apart() {
    local process
    process=$(web_property MainPID)
    [[ $(inside stat --format %U "/proc/$process") == hearth-web ]] || wrong "it runs as another user"
    if inside nsenter --target "$process" --mount setpriv --reuid hearth-web --regid hearth-web --init-groups \
        ls /var/lib/hearth; then wrong "it can look into the journal's directory"; fi
    if inside nsenter --target "$process" --mount touch /etc/hearth/x; then wrong "it can write to /etc"; fi
}

web_steers() {
    local before
    reading den 22
    before=$(commands_so_far)
    web POST /override '{"room":"den","pump":"on","seconds":600}' | contains '200 ' || wrong "the override was refused"
    wait_until 5 pump_was_told den 1 "$before" || wrong "the pump was not told"
    web POST /override '{"room":"den","pump":"auto","seconds":null}' | contains '200 ' || wrong "auto was refused"
}

# It is killed again and again: hearthd is the same process, and heats.
web_crash_touches_nothing() {
    local daemon
    daemon=$(property MainPID)
    inside systemctl kill --signal=KILL hearth-web
    heats attic
    [[ $(property MainPID) == "$daemon" ]] || wrong "hearthd was restarted"
    wait_until 10 web_says /healthz ok || wrong "the page does not come back"
}

web_refuses_the_network() {
    printf 'HEARTH_WEB_OPTIONS=--listen 0.0.0.0:8088\n' >"$tree/etc/default/hearth-web"
    inside systemctl restart hearth-web || true
    wait_until 10 web_has_failed || wrong "it listens everywhere without a password"
    [[ $(web_property ExecMainStatus) == 78 ]] || wrong "the exit status is $(web_property ExecMainStatus)"
    inside journalctl --unit hearth-web --no-pager --output cat | contains '--password-file' || wrong "the log does not say what to do"
    printf 'HEARTH_WEB_OPTIONS=\n' >"$tree/etc/default/hearth-web"
    inside systemctl reset-failed hearth-web
    inside systemctl restart hearth-web
    wait_until 10 web_says /healthz ok || wrong "it does not come back"
}

# The packaged example, as its first lines say.
web_asks_for_the_password() {
    local dropin=$tree/etc/systemd/system/hearth-web.service.d
    mkdir -p "$dropin"
    cp "$tree/usr/share/doc/hearth-web/examples/password.conf" "$dropin/"
    install --mode 600 /dev/stdin "$tree/etc/hearth/web-password" <<<"correct horse"
    inside systemctl daemon-reload
    inside systemctl restart hearth-web
    wait_until 10 web_answers 401 "" || wrong "$(web_log)"
    web_answers 401 "hearth:wrong horse" || wrong "a wrong password is not refused"
    web_answers 200 "hearth:correct horse" || wrong "the right password is refused: $(web_log)"
    grep --quiet ' 00000000:1F98 00000000:0000 0A' "/proc/$leader/net/tcp" || wrong "it does not listen on every address"
    rm -r "$dropin" "$tree/etc/hearth/web-password"
    inside systemctl daemon-reload
    inside systemctl restart hearth-web
}

# Whether the page's address answers with status $1 to user and password $2.
web_answers() {
    in_network python3 -c '
import base64, sys, urllib.error, urllib.request
headers = {"Authorization": "Basic " + base64.b64encode(sys.argv[2].encode()).decode()} if sys.argv[2] else {}
try:
    status = urllib.request.urlopen(urllib.request.Request("http://127.0.0.1:8088/", None, headers), timeout=5).status
except urllib.error.HTTPError as error:
    status = error.code
sys.exit(0 if status == int(sys.argv[1]) else 1)' "$1" "$2" 2>/dev/null
}

web_has_failed() { [[ $(web_property ActiveState) == failed ]]; }

web_purges() {
    inside apt-get --quiet --yes purge hearth-web
    [[ ! -e $tree/etc/default/hearth-web ]] || wrong "its options are still there"
    [[ $(property ActiveState) == active ]] || wrong "hearthd is $(property ActiveState)"
}
