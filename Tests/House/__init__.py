"""What the suites start and how they say what they found: one subject per file, each started on free ports of 127.0.0.1 and ended
with the program that started it.

    checks      what a test may come to; `ok`, `FAILED`, `not run: …`, and the closing line
    processes   a program with a log, free ports, waiting for a condition with a deadline
    brokers     Mosquitto
    databases   InfluxDB 1.x
    cloud       hearth-cloud: its settings, one service and what it counts
    gateway     hearthd: its configuration, what it says on its control socket, what the kernel counts of it
    home        a gateway with its broker, a proxy on each side, and readings
    rig         homes, a cloud broker, hearth-cloud on either engine, InfluxDB: everything may be killed
    box         a home box with its page and its cloud, each program by its name: for what looks from outside
    kafka       the peers that speak Kafka's protocol, and the factories a rig takes; kafka_wire and kafka_gate lie before them, kafka_frames
                is what both read and write
    proxy       reads the MQTT that passes and disturbs it; mqtt has the packets
    disks       file systems whose power can go
    readings    readings, commands and means as tables, and how two differ

A program of a suite finds them by one line, `sys.path.append(__file__.rsplit("/", 2)[0])`, before its own imports."""
