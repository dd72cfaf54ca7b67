"""Runs every query of the Grafana dashboards against a real InfluxDB 1.x with known data and compares the answers with what
the data says. Flux cannot be run here: InfluxDB 1.6.7 has no engine for it and no grammar is published as a package. All
of the template's queries were read once by the parser of Flux itself (flux-core 0.155) without an error; it knows the
syntax, not the types. Every run checks them for what needs no parser: balanced, only functions of the standard library,
only buckets, measurements and fields that the pipelines write."""

import json
import pathlib
import re
import statistics
import sys
import tempfile

import yaml

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from House.checks import check, end, fail, not_run
from House.databases import Database

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE, MINUTES = 1_795_428_000, 5


def data():
    """Readings of two homes, as the pipelines store them: (home, room, second, value)."""
    return [(home, room, BASE + second, 100.0 if (second + shift) % 5 == 0 else 18 + shift + second / 600)
            for shift, (home, room) in enumerate([("h1", "office"), ("h1", "kitchen"), ("h2", "office")])
            for second in range(MINUTES * 60)] + [("h3", "attic", BASE + second, 17.0) for second in (-1200, 0)]


def fill(database, readings):
    def add(name, lines):
        database.write("\n".join(lines), name)

    add("raw", [f"raw_temperature,home={h},room={r} value={v!r} {t}000000000" for h, r, t, v in readings])
    add("clean", [f"temperature_clean,home={h},room={r} value={v!r} {t}000000000" for h, r, t, v in readings if v != 100])
    for measure, of in (("humidity", 45), ("co2", 600)):
        add("clean", [f"{measure}_clean,home={h},room={r} value={of + v!r} {t}000000000" for h, r, t, v in readings])
    add("raw", [f'heatpump_state,home=h1,room=office on={on},reason="{why}" {BASE + at}000000000'
                 for at, on, why in [(10, "true", "cold"), (100, "false", "override by page until 10:15"), (200, "false", "warm")]])
    add("aggregate", [
        f"home_avg_temperature,home={h} avg_temp={20 + m if m else 18}.5,min_temp={19 + m}.0,max_temp={22 + m}.0,rooms=2i {BASE + 60 * m}000000000"
        for h in ("h1", "h2") for m in range(MINUTES)])


def ask(database, name, query, home="h1"):
    """Rows as dictionaries, tags included."""
    begin = BASE - 1800 if "elapsed" in query else BASE
    query = query.replace("$timeFilter", f"time >= {begin}s and time < {BASE + MINUTES * 60}s")
    query = query.replace("$__interval", "60s").replace("$home", home)
    query = query.replace("$on_below", "20").replace("$off_above", "25")
    answer = database.query(query, name, epoch="")
    if "error" in answer:
        fail(query, answer["error"])
    return [dict(zip(s["columns"], row), **s.get("tags", {})) for s in answer.get("series", []) for row in s["values"]]


def targets(path):
    board = json.loads(path.read_text())
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["datasource"]["uid"].removeprefix("hearth-"), target["query"]
    for note in board.get("annotations", {}).get("list", []):
        yield "annotation " + note["name"], note["datasource"]["uid"].removeprefix("hearth-"), note["target"]["query"]
    for variable in board["templating"]["list"]:
        if variable["type"] != "query":
            continue
        yield "variable " + variable["name"], variable["datasource"]["uid"].removeprefix("hearth-"), variable["query"]


def check_influxql(database):
    readings = data()
    fill(database, readings)
    answers = {}
    for name in ("fleet", "home"):
        for title, bucket, query in targets(ROOT / f"cloud/dashboards/grafana/{name}.json"):
            home = "h3" if title == "annotation Gaps" else "h1"
            rows = ask(database, bucket, query, home)
            answers.setdefault((name, title, bucket), rows)
            check(f"{name}: {title} ({bucket}): {len(rows)} rows", bool(rows))
    rows = answers["fleet", "Readings per minute", "raw"]
    check("readings per minute are counted per home", {(r["home"], r["count"]) for r in rows} == {("h1", 120), ("h2", 60), ("h3", 1)})
    rows = answers["fleet", "Mean of each home", "aggregate"]
    check("means as they were written", [r["mean"] for r in rows if r["home"] == "h2"] == [18.5, 21.5, 22.5, 23.5, 24.5])
    rows = answers["fleet", "Gateways: their last reading, which is as old as their backlog", "raw"]
    check("the last reading of each home", {r["home"]: r["time"][11:19] for r in rows} ==
          {"h1": time_of(BASE + MINUTES * 60 - 1), "h2": time_of(BASE + MINUTES * 60 - 1), "h3": time_of(BASE)})
    kept = {r["home"]: r["kept"] for r in answers["fleet", "Readings and outliers dropped", "clean"]}
    all_of = {r["home"]: r["readings"] for r in answers["fleet", "Readings and outliers dropped", "raw"]}
    outliers = {h: sum(1 for x in readings if x[0] == h and x[3] == 100) for h in ("h1", "h2", "h3")}
    check(f"outliers dropped: {outliers}", {h: all_of[h] - kept[h] for h in kept} == outliers)
    rows = answers["home", "Rooms", "clean"]
    expected = {room: statistics.fmean(v for h, r, t, v in readings if h == "h1" and r == room and v != 100 and t < BASE + 60)
                for room in ("office", "kitchen")}
    got = {r["room"]: r["mean"] for r in reversed(rows)}
    check("a room's minute is the mean of its clean readings", all(abs(got[room] - expected[room]) < 1e-9 for room in expected))
    check("heat pumps on and off, in order", [(r["room"], r["on"]) for r in answers["home", "Heat pumps", "raw"]] ==
          [("office", True), ("office", False), ("office", False)])
    row = answers["home", "Mean of the home", "aggregate"][0]
    check("mean, lowest and highest of the home", (row["mean"], row["lowest"], row["highest"]) == (18.5, 19, 22))
    check("last commands first, with reasons",
          [r["reason"] for r in answers["home", "Last commands and why", "raw"]] == ["warm", "override by page until 10:15", "cold"])
    check("the homes to choose from", {r["value"] for r in answers["home", "variable home", "raw"]} == {"h1", "h2", "h3"})


    check("an override is noted, and no other command",
          [r["text"] for r in answers["home", "annotation Overrides", "raw"]] == ["override by page until 10:15"])
    check("a gap is noted with its length", [r["seconds"] for r in answers["home", "annotation Gaps", "raw"]] == [1200])
    gaps = answers["fleet", "Gaps of more than five minutes: a box, its link or its cloud was away", "raw"]
    check("and listed with its home", [(r["home"], r["room"], r["seconds"]) for r in gaps] == [("h3", "attic", 1200)])
    ages = {r["room"]: r["time"][11:19] for r in answers["home", "Sensors by age", "clean"]}
    check("sensors by age", set(ages) == {"office", "kitchen"} and ages["office"] <= time_of(BASE + MINUTES * 60 - 1))
    [hours] = {round(r["integral"], 4) for r in answers["home", "Degree hours below 20 °C, per day", "aggregate"]} or [None]
    check(f"degree hours: {hours}", hours is not None and hours >= 0)
    check_boards()


def check_boards():
    """What needs no data: units, an empty panel says so, the way from all homes to one."""
    for name in ("fleet", "home"):
        board = json.loads((ROOT / f"cloud/dashboards/grafana/{name}.json").read_text())
        check(f"{name}: an empty panel says so", all(p["fieldConfig"]["defaults"].get("noValue") == "no data" for p in board["panels"]))
        curves = [p for p in board["panels"] if p["type"] == "timeseries"]
        check(f"{name}: every curve has a unit and its decimals",
              all("unit" in p["fieldConfig"]["defaults"] and "decimals" in p["fieldConfig"]["defaults"] for p in curves))
        places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
        check(f"{name}: no panel hides another", len(set(places)) == len(places))
        if name == "fleet":
            check("every panel of the fleet leads to its homes", all(
                "/d/hearth-home?var-home=" in link["url"] for p in board["panels"] for link in p["fieldConfig"]["defaults"]["links"]))


def check_compose():
    """Grafana of compose/cloud.yaml is given what the component's is: data sources, dashboards, and the token they name."""
    grafana = yaml.safe_load((ROOT / "compose/cloud.yaml").read_text())["services"]["grafana"]
    mounts = {target: source for source, target in (volume.rsplit(":ro", 1)[0].rsplit(":", 1) for volume in grafana["volumes"])}
    for target, source in mounts.items():
        if source.startswith("../"):
            check(f"compose mounts {source}", (ROOT / "compose" / source).resolve().is_file())
    folder = yaml.safe_load((ROOT / "cloud/dashboards/grafana/providers.yml").read_text())["providers"][0]["options"]["path"]
    boards = {path.name for path in (ROOT / "cloud/dashboards/grafana").glob("*.json")}
    check("all dashboards", {target for target in mounts if target.startswith(folder)} == {f"{folder}/{board}" for board in boards})
    token = re.search(r"__file\{(\S+)\}", (ROOT / "cloud/dashboards/grafana/datasources.yml").read_text())[1]
    check("the token is where the data sources look for it", token in mounts and mounts[token].endswith("influxdb.token"))
    check("for this machine's browsers only", "INFLUX_URL" in grafana["environment"] and grafana["ports"] == ["127.0.0.1:3000:3000"])


def time_of(second):
    return f"{second // 3600 % 24:02}:{second // 60 % 60:02}:{second % 60:02}"


# https://docs.influxdata.com/flux/v0/stdlib/universe/ and influxdata/influxdb/schema
FUNCTIONS = {"from", "range", "filter", "group", "count", "rename", "aggregateWindow", "last", "keep", "sort", "join", "map", "int",
             "now", "pivot", "limit", "schema.tagValues", "mean"}
SCHEMA = {"raw": {"raw_temperature": {"value"}, "heatpump_state": {"on", "reason"}}, "clean": {f"{measure}_clean": {"value"} for measure in ("temperature", "humidity", "co2")},
          "aggregate": {"home_avg_temperature": {"avg_temp", "min_temp", "max_temp", "rooms"}}}


def check_flux():
    documents = list(yaml.safe_load_all((ROOT / "cloud/dashboards/influxdb/hearth.yml").read_text()))
    queries = [(d["spec"]["name"], d["spec"]["query"]) for d in documents if d["kind"] == "Variable"]
    for document in documents:
        for chart in document["spec"].get("charts", []):
            queries += [(chart["name"], query["query"]) for query in chart["queries"]]
    names = [d["metadata"]["name"] for d in documents]
    check("names are DNS labels",
          len(set(names)) == len(names) and all(re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", n) for n in names))
    for title, query in queries:
        check(f"Flux: {title}{' '.join(flux_problems(query))}", not list(flux_problems(query)))
    for spoiled in ("from(bucket: \"raw\"", 'from(bucket: "rav")', 'from(bucket: "raw") |> pivto()'):
        check(f"a mistake is found: {spoiled}", bool(list(flux_problems(spoiled))))


def flux_problems(query):
    code = re.sub(r'"[^"]*"', '""', query)
    stack = []
    for character in code:
        if character in "([{":
            stack.append(character)
        elif character in ")]}":
            if not stack or "([{".index(stack.pop()) != ")]}".index(character):
                yield " unbalanced"
                return
    if stack:
        yield " unbalanced"
    for function in re.findall(r"([\w.]+)\(", code):
        if function not in FUNCTIONS and not function == "fn":
            yield f" {function} is no function known here"
    buckets = set(re.findall(r'bucket: "(\w+)"', query))
    if not buckets <= set(SCHEMA):
        yield f" buckets {buckets}"
        return
    known = {m: f for bucket in buckets for m, f in SCHEMA[bucket].items()}
    for measurement in re.findall(r'_measurement == "(\w+)"', query):
        if measurement not in known:
            yield f" {measurement} is not in {buckets}"
    for field in re.findall(r'_field == "(\w+)"', query):
        if not any(field in fields for fields in known.values()):
            yield f" {field} is no field"


def main():
    with tempfile.TemporaryDirectory() as directory:
        database = Database(directory)
        try:
            check_influxql(database)
        finally:
            database.stop()
    check_flux()
    check_compose()
    not_run("Flux of the InfluxDB 2 template", "reviewed, parsed once by Flux's own parser, and checked for its names; nothing here runs it")
    return end("dashboards")


if __name__ == "__main__":
    main()
