#!/usr/bin/env python3
"""The rights of systemd/examples/cloud-broker/rights in a real Mosquitto with its dynamic-security plugin: what a home and
the ingestor may subscribe to and publish, with passwords and with certificates. Called by scripts/test-kubernetes."""

import pathlib
import subprocess
import sys
import tempfile

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.brokers import Mosquitto, security_plugin
from House.checks import check, end, not_run
from House.processes import free_port

EXAMPLES = pathlib.Path("systemd/examples/cloud-broker")


def broker(directory, plugin, lines):
    port = free_port()
    rights = (EXAMPLES / "hearth-cloud-rights.conf").read_text().replace("PLUGIN\n", f"{plugin}\n")
    rights = rights.replace("/var/lib/mosquitto/hearth-rights.json", str(directory / "rights.json"))
    found = Mosquitto(directory, str(port), f"listener {port} 127.0.0.1\n{lines}\n{rights}", [port])
    check("the broker starts", found.process.running(), found.process.output())
    return port, found


def is_granted(words, topic):
    """What SUBACK says: with -E the client ends right after it."""
    result = subprocess.run(["mosquitto_sub", "-h", "127.0.0.1", "-V", "5", *words, "-q", "1", "-t", topic, "-E", "-d"],
                            capture_output=True, text=True, timeout=20)
    answer = result.stdout + result.stderr
    if "Subscribed" not in answer:
        return None
    return "Subscribed (mid: 1): 1\n" in answer


def is_taken(words, topic):
    result = subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-V", "5", *words, "-q", "1", "-t", topic, "-m", "x", "-d"],
                            capture_output=True, text=True, timeout=20)
    answer = result.stdout + result.stderr
    return result.returncode == 0 and "RC:135" not in answer.replace(" ", "") and "not authorized" not in answer.lower()


def what_each_may_do(kind, home, cloud):
    for topic in ("+/+/temperature", "+/+/heatpump", "+/frame", "#", "home2/gateway/ack", "+/gateway/ack",
                  "home2/+/heatpump/set", "$share/hearth-ingest/+/+/temperature", "$share/hearth-ingest/+/frame",
                  "$share/x/#", "$share/x/home2/+/temperature", "$share/x/home2/frame", "$CONTROL/dynamic-security/v1"):
        check(f"{kind}: a home may not subscribe {topic}", is_granted(home, topic) is False, is_granted(home, topic))
    for topic in ("home1/gateway/ack", "home1/+/heatpump/set", "home1/office/heatpump/set"):
        check(f"{kind}: a home may subscribe {topic}", is_granted(home, topic), is_granted(home, topic))
    for group in ("hearth-ingest", "hearth-ingest-0123456789abcdef"):
        for topic in ("+/+/temperature", "+/+/heatpump", "+/frame"):
            check(f"{kind}: the ingestor may subscribe $share/{group}/{topic}", is_granted(cloud, f"$share/{group}/{topic}"))
    check(f"{kind}: the ingestor may subscribe +/+/temperature", is_granted(cloud, "+/+/temperature"))
    check(f"{kind}: the ingestor may not subscribe #", is_granted(cloud, "#") is False)
    for topic, allowed in (("home1/office/temperature", True), ("home1/frame", True), ("home1/gateway/status", True),
                           ("home2/office/temperature", False), ("home1/gateway/ack", False), ("hearth-cloud/frame", False),
                           ("$CONTROL/dynamic-security/v1", False)):
        check(f"{kind}: a home may {'' if allowed else 'not '}publish {topic}", is_taken(home, topic) == allowed)
    check(f"{kind}: the ingestor may confirm", is_taken(cloud, "home1/gateway/ack"))
    check(f"{kind}: the ingestor may command", is_taken(cloud, "home1/office/heatpump/set"))
    check(f"{kind}: the ingestor may not write readings", not is_taken(cloud, "home1/office/temperature"))


def with_passwords(directory, plugin):
    for user in ("hearth-cloud", "home1", "home2"):
        subprocess.run(["mosquitto_passwd", *([] if (directory / "passwords").exists() else ["-c"]), "-b",
                        directory / "passwords", user, f"pw-{user}"], check=True, capture_output=True)
    subprocess.run([EXAMPLES / "rights", directory / "rights.json", "--passwords", directory / "passwords"], check=True)
    port, mosquitto = broker(directory, plugin, "allow_anonymous false")
    try:
        def words(user, password=None):
            return ["-p", str(port), "-u", user, "-P", password or f"pw-{user}"]

        what_each_may_do("password", words("home1"), words("hearth-cloud"))
        check("a wrong password is refused", not is_taken(words("home1", "wrong"), "home1/frame"))
        check("nobody without a name", not is_taken(["-p", str(port)], "home1/frame"))
    finally:
        mosquitto.stop()
    # Another home, later: the others keep their passwords.
    before = (directory / "rights.json").read_text()
    subprocess.run([EXAMPLES / "rights", directory / "rights.json", "home3"], check=True)
    after = (directory / "rights.json").read_text()
    check("a home is added and nothing else changes", "home home3" in after and before.count('"password"') == 3
          and after.count('"password"') == 3)
    bad = subprocess.run([EXAMPLES / "rights", directory / "rights.json", "a/b"], capture_output=True)
    check("a name that is no topic level is refused", bad.returncode != 0)


def with_certificates(directory, plugin):
    issue = EXAMPLES / "issue-certificate"
    for words in (["authority"], ["server", "localhost", "127.0.0.1"], ["client", "home1"], ["client", "hearth-cloud"],
                  ["client", "stranger"]):
        subprocess.run([issue, directory, *words], check=True, capture_output=True)
    subprocess.run([EXAMPLES / "rights", directory / "rights.json", "home1", "home2"], check=True)
    port, mosquitto = broker(directory, plugin, f"cafile {directory}/ca.crt\ncertfile {directory}/server.crt\n"
                           f"keyfile {directory}/server.key\nrequire_certificate true\nuse_identity_as_username true\n"
                           "allow_anonymous false")
    try:
        def words(user):
            return ["-p", str(port), "--cafile", str(directory / "ca.crt"), "--cert", str(directory / f"{user}.crt"),
                    "--key", str(directory / f"{user}.key")]

        what_each_may_do("certificate", words("home1"), words("hearth-cloud"))
        check("a certificate of a name without rights may do nothing", not is_taken(words("stranger"), "stranger/frame"))
    finally:
        mosquitto.stop()


def main():
    plugin = security_plugin()
    if not plugin:
        return not_run("the rights at the broker", "Mosquitto's dynamic-security plugin is not installed")
    for run in (with_passwords, with_certificates):
        with tempfile.TemporaryDirectory() as name:
            run(pathlib.Path(name), plugin)
    return end("rights")


if __name__ == "__main__":
    main()
