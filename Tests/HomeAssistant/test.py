#!/usr/bin/python3
"""hearthd beside a real Home Assistant on a real broker. Called by scripts/test-home-assistant.

    test.py --programs DIRECTORY --tree DIRECTORY
"""

import argparse
import sys
import time
import traceback

sys.path.append(__file__.rsplit("/", 2)[0])  # Tests, where House is
from home import Home
from House.box import PumpLog, wait
from House.checks import attempt, end


def appears(house):
    house.rig.reading("office", 21.5)
    house.rig.reading("bath room", 22)
    wait(30, lambda: house.climate("office") and house.climate("bath_room"), "both rooms have a thermostat")
    climate = house.waits("office", lambda state, is_: is_.get("current_temperature") == 21.5, "its temperature")
    assert sorted(climate["attributes"]["hvac_modes"]) == ["auto", "heat", "off"], climate
    assert {"eco", "comfort", "frost", "none"} <= set(climate["attributes"]["preset_modes"]), climate
    for domain, least in (("sensor", 1), ("binary_sensor", 2)):
        found = house.entities(domain, "office")
        assert len(found) >= least, (domain, found)
    unavailable = [entry["entity_id"] for entry in house.assistant.registry("entity") if entry["platform"] == "mqtt"
                   and (house.assistant.state(entry["entity_id"]) or {}).get("state") == "unavailable"]
    assert not unavailable, unavailable
    return f"{len([1 for entry in house.assistant.registry('entity') if entry['platform'] == 'mqtt'])} entities"


def areas(house):
    """One device for each room, in an area of the room's name, below the gateway's own."""
    devices = house.assistant.registry("device")
    names = {area["area_id"]: area["name"] for area in house.assistant.registry("area")}
    entries = [entry for entry in house.assistant.registry("entity") if entry["platform"] == "mqtt"]
    for room in ("office", "bath_room"):
        of_room = {entry["device_id"] for entry in entries if entry["entity_id"] in house.entities("climate", room)}
        device = next((device for device in devices if device["id"] in of_room), None)
        assert device, f"{room} has no device"
        assert names.get(device["area_id"], "").lower().replace(" ", "_") == room, (device, names)
        assert device["via_device_id"] in {device["id"] for device in devices}, device
    # Home Assistant has devices of its own, such as its backup's.
    ours = [device for device in devices if device.get("manufacturer") == "Hearth"]
    assert len([device for device in ours if device["via_device_id"] is None]) == 1, ours


def target(house):
    """A temperature from the card is what happens, and what the card goes on showing."""
    house.rig.reading("office", 21.5)
    pump, taken = PumpLog(house.rig, "office"), []
    # Home Assistant has just started and has much to do: the best of three.
    while not taken or (min(taken) >= 0.2 and len(taken) < 3):
        house.set("office", "set_temperature", temperature=18)
        house.waits("office", lambda state, is_: is_.get("temperature") == 18 and is_.get("hvac_action") != "heating", "18, off")
        began = time.time()
        house.set("office", "set_temperature", temperature=24.5)
        at, _ = wait(5, lambda: pump.after(began, "1"), "the pump starts")
        taken.append(at - began)
        house.waits("office", lambda state, is_: is_.get("temperature") == 24.5 and is_.get("hvac_action") == "heating", "24.5, heating")
    assert min(taken) < 0.2, taken
    return f"service call to pump {1000 * min(taken):.0f} ms"


def presets(house):
    house.set("office", "set_preset_mode", preset_mode="eco")
    house.waits("office", lambda state, is_: is_.get("preset_mode") == "eco", "eco")
    house.set("office", "set_preset_mode", preset_mode="none")
    house.waits("office", lambda state, is_: is_.get("preset_mode") in ("comfort", "none"), "the schedule again")
    assert "holds" not in " ".join(house.rig.hearth("status")[1].split()), house.rig.hearth("status")


def heats_to_target(house):
    """Mode heat is no forced run: a warm room's pump stays off."""
    house.rig.reading("office", 24.5)
    house.waits("office", lambda state, is_: is_.get("hvac_action") != "heating", "warm")
    pump = PumpLog(house.rig, "office")
    began = time.time()
    house.set("office", "set_temperature", temperature=21, hvac_mode="heat")
    house.waits("office", lambda state, is_: state == "heat" and is_.get("temperature") == 21, "heat to 21")
    house.rig.reading("office", 24.4)
    house.rig.reading("office", 19)
    wait(5, lambda: pump.after(began, "1"), "it starts when the room is cold")
    assert '"1"' in pump.commands()[-1], pump.commands()
    house.set("office", "set_hvac_mode", hvac_mode="auto")
    house.waits("office", lambda state, is_: state == "auto", "auto")


def off_stays(house):
    """Off has no end, and a restart of hearthd does not forget it."""
    house.rig.reading("office", 18)
    house.set("office", "set_hvac_mode", hvac_mode="off")
    house.waits("office", lambda state, is_: state == "off" and is_.get("hvac_action") == "off", "off")
    room = house.rig.hearth("why", "office")[1]
    assert "until" not in room.split("\n")[0] or "until it is changed" in room, room
    house.rig.kill("hearthd")
    house.waits("office", lambda state, is_: state == "unavailable", "unavailable while hearthd is dead", 20)
    house.start_hearthd()
    house.reads("office", 17.5)
    house.waits("office", lambda state, is_: state == "off", "still off", 20)
    house.set("office", "set_hvac_mode", hvac_mode="auto")
    house.waits("office", lambda state, is_: state == "auto" and is_.get("hvac_action") == "heating", "auto heats again")


def ends(house):
    """When what was asked for ends is an entity, and says so."""
    house.rig.hearth("override", "office", "23", "--for", "2h")
    def shown():
        states = [house.assistant.state(entity) for entity in house.entities("sensor", "office")]
        return [one for one in states if one and one["attributes"].get("device_class") == "timestamp" and one["state"].startswith("20")]
    end = wait(5, shown, "an entity with the end")[0][0]["state"]
    wanted = time.strftime("%Y-%m-%dT%H", time.gmtime(time.time() + 7200))
    assert end.startswith(wanted[:13]), (end, wanted)
    house.rig.hearth("override", "office", "auto")
    wait(5, lambda: not shown(), "nothing held, no end")


def forced(house):
    """The forced run is a switch of its own."""
    house.reads("office", 24.5)
    house.waits("office", lambda state, is_: is_.get("hvac_action") != "heating", "warm enough")
    switches = house.entities("switch", "office")
    assert switches, "there is no switch"
    pump = PumpLog(house.rig, "office")
    began = time.time()
    house.assistant.call("switch", "turn_on", switches[0])
    at, _ = wait(5, lambda: pump.after(began, "1"), "the pump runs")
    wait(5, lambda: house.assistant.state(switches[0])["state"] == "on", "the switch is on")
    house.assistant.call("switch", "turn_off", switches[0])
    wait(5, lambda: house.assistant.state(switches[0])["state"] == "off", "the switch is off")
    return f"{1000 * (at - began):.0f} ms"


def restarts(house):
    """Home Assistant is killed and comes back; so does hearthd."""
    house.assistant.stop(kill=True)
    house.rig.reading("office", 21)
    house.assistant.start()
    wait(90, house.assistant.is_running, "Home Assistant runs again")
    # Sent while nobody looked, and soon after another one: the newest counts all the same.
    house.waits("office", lambda state, is_: is_.get("current_temperature") == 21, "the newest state is there", 20)
    house.rig.stop("hearthd")
    house.waits("office", lambda state, is_: state == "unavailable", "hearthd's end is seen", 10)
    house.start_hearthd()
    house.reads("office", 21.5)
    assert house.climate("bath_room"), "a room that its sensor did not name again is still there"


def removed(house):
    """A room that was forgotten leaves nothing behind, in the registry neither."""
    code, said = house.rig.hearth("forget", "bath room")
    assert code == 0, said
    wait(15, lambda: not [entry for entry in house.assistant.registry("entity") if "bath_room" in entry["entity_id"]],
         "its entities are gone")
    assert house.climate("office")["state"] != "unavailable"


def switched_off(house):
    """discovery = false takes everything away, and true brings it back."""
    house.configure(discovery=False)
    house.reload()
    wait(15, lambda: not house.entities("climate", "office"), "no thermostat is left")
    left = [device for device in house.assistant.registry("device") if device.get("manufacturer") == "Hearth"]
    assert not left, left
    house.configure()
    house.reload()
    house.reads("office", 21.5)


def renamed(house):
    """Another name of the home is no second device for the same house."""
    house.configure(home="casa")
    house.rig.stop("hearthd")
    house.start_hearthd()
    house.reads("office", 21.5)
    wait(20, lambda: "casa" in str(house.assistant.registry("device")), "the new device")

    def old():
        return [device["name"] for device in house.assistant.registry("device") if "hearth_home1" in str(device["identifiers"])]

    wait(20, lambda: not old(), f"the old ones go: {old()}")
    assert len(house.entities("climate", "office")) == 1, house.entities("climate", "office")


def quiet(house):
    """Home Assistant has nothing to complain of."""
    bad = [line for line in house.assistant.log().split("\n") if (" WARNING " in line or " ERROR " in line)
           and any(word in line.lower() for word in ("mqtt", "hearth", "template", "climate", "discovery"))
           # The home is renamed here half a second after its devices came back, before Home Assistant has taken them in.
           and "No device components to cleanup" not in line]
    assert not bad, bad[:5]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--programs", required=True)
    arguments.add_argument("--tree", required=True)
    options = arguments.parse_args()
    house = None
    try:
        house = Home(options.programs, options.tree)
        house.assistant.start()
        _, taken = wait(180, house.assistant.is_running, "Home Assistant runs")
        print(f"        Home Assistant runs after {taken:.0f} s", flush=True)
        for name, body in (("rooms appear with everything they have", appears), ("a temperature reaches the pump within 200 ms", target),
                           ("presets, and none ends a hold", presets), ("mode heat heats to the target", heats_to_target),
                           ("off stays off, also across hearthd's death", off_stays), ("ends are shown", ends),
                           ("the forced run is a switch of its own", forced), ("every room is a device in its area", areas),
                           ("restarts of either side", restarts), ("a forgotten room leaves nothing", removed),
                           ("discovery = false leaves nothing", switched_off), ("a renamed home leaves no second device", renamed),
                           ("nothing in Home Assistant's log", quiet)):
            attempt(name, body, house)
    except Exception:
        traceback.print_exc()
        if house:
            print(house.assistant.log()[-3000:])
        return 1
    finally:
        if house:
            house.close()
    return end("Home Assistant")


sys.exit(main())
