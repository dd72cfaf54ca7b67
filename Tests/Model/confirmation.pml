/*
 * The confirmation protocol, from the sensor's message to the event log, small enough that Spin visits every state: two
 * readings, two sequences, two lives (epochs) of the journal, two ingestors, one crash of each part, and one loss of what is
 * on the way. What is on the way is a set: it arrives late and in any order, and a message that is taken need not be gone, so
 * that it arrives twice.
 *
 * Safety, as assertions: what the gateway deletes is in the log; what it acknowledged to the home broker is on its disk or
 * in the log after any crash. Liveness: what it acknowledged gets into the log. Faults are used up one day, so that this is
 * "if the faults stop".
 *
 * Each of these macros plants a mistake, which scripts/check-model must see found:
 * ACKNOWLEDGE_FIRST, NOT_SYNCED, DELETE_ON_PUBACK, CONFIRM_FIRST, ANY_EPOCH, CONFIRM_BETWEEN, NO_RETRY.
 */

#define SEQUENCES 2

/* A sequence as a bit, and a record, which is a sequence of an epoch. */
#define ROW(s) (1 << (s))
#define RECORD(e, s) (1 << ((e) * SEQUENCES + (s)))
#define HAS(set, bits) (((set) & (bits)) != 0)

/* Sets of readings. */
byte waiting = 3;   /* at the home broker, until the gateway's PUBACK: the sensor has published both */
byte pending;       /* whose PUBACK is queued in the gateway */
byte acknowledged;  /* whose PUBACK has left */
byte logged;        /* in the event log */

/* The journal. Sets of sequences: in the open transaction, committed, on the disk, deleted. */
byte given, stored, synced, deleted;
byte next;
bit epoch;
byte content[4];    /* the reading of each record, as it travels in the record */

/* Sets of records. */
byte held;          /* by the cloud broker, in memory, until an ingestor's PUBACK */
byte taken;         /* delivered to an ingestor */
byte confirming;    /* confirmations on their way to the gateway */
byte sent;          /* since the gateway's last start; looked at by NO_RETRY only */

/* Faults that are left. */
bit gatewayCrash = 1, homeCrash = 1, cloudCrash = 1, ingestCrash = 1, loss = 1, damage = 1;

bit crashed;        /* told to the ingestor */

/* Whether a row of this epoch, of those in `rows`, has reading r. */
#define IN(rows, s, r) (HAS(rows, ROW(s)) && content[epoch * SEQUENCES + (s)] == (r))
#define IN_ROWS(rows, r) (IN(rows, 0, r) || IN(rows, 1, r))
#define SAFE(r) (HAS(logged, 1 << (r)) || IN_ROWS(synced & ~deleted, r))

/* Takes what the home broker has. A redelivery of what is in a row is recognised; of a deleted one it is not. */
inline read(r) {
    HAS(waiting & ~pending, 1 << r) && (IN_ROWS((given | stored) & ~deleted, r) || next < SEQUENCES) ->
    if
    :: IN_ROWS((given | stored) & ~deleted, r)
    :: else ->
        content[epoch * SEQUENCES + next] = r;
        given = given | ROW(next);
        next++
    fi;
    pending = pending | (1 << r)
}

proctype Record() {
end:
    do
    :: atomic { read(0) }
    :: atomic { read(1) }
    :: atomic { given != 0 ->
        stored = stored | given;
#ifndef NOT_SYNCED
        synced = stored;
#endif
        given = 0 }
#ifdef ACKNOWLEDGE_FIRST
    :: atomic { pending != 0 ->
#else
    :: atomic { pending != 0 && given == 0 ->
#endif
        acknowledged = acknowledged | pending;
        waiting = waiting & ~pending;
        pending = 0 }
    od
}

/* Deletes rows. */
inline confirm(rows) {
    assert(!HAS((rows) & synced & ~deleted, ROW(0)) || HAS(logged, 1 << content[epoch * SEQUENCES]));
    assert(!HAS((rows) & synced & ~deleted, ROW(1)) || HAS(logged, 1 << content[epoch * SEQUENCES + 1]));
    deleted = deleted | (rows)
}

#ifdef NO_RETRY
#define IS_DUE(s) (HAS(stored & ~deleted, ROW(s)) && !HAS(sent, RECORD(epoch, s)))
#else
#define IS_DUE(s) (HAS(stored & ~deleted, ROW(s)) && !HAS(held, RECORD(epoch, s)))
#endif

/* Sends each row, and again while the cloud broker does not hold it: what is not confirmed is asked for again. */
inline send(s) {
    IS_DUE(s) ->
    held = held | RECORD(epoch, s);
#ifdef NO_RETRY
    sent = sent | RECORD(epoch, s);
#endif
#ifdef DELETE_ON_PUBACK
    confirm(ROW(s))
#endif
}

proctype Send() {
end:
    do
    :: atomic { send(0) }
    :: atomic { send(1) }
    od
}

#ifdef ANY_EPOCH
#define IS_OURS(e) (e >= 0)
#else
#define IS_OURS(e) (e == epoch)
#endif

/* A confirmation arrives. One that stays on the way as well arrives once more: with `damage`, in another epoch. */
inline confirmed(e, s) {
    HAS(confirming, RECORD(e, s)) ->
    if
    :: confirming = confirming & ~RECORD(e, s)
    :: damage && e == 0  /* It may come again, and late. */
    fi;
    if
    :: IS_OURS(e) ->
#ifdef CONFIRM_BETWEEN
        confirm(((ROW(s) << 1) - 1) & (given | stored))
#else
        confirm(ROW(s) & stored)
#endif
    :: else
    fi
}

proctype Confirmed() {
end:
    do
    :: atomic { confirmed(0, 0) }
    :: atomic { confirmed(0, 1) }
    :: atomic { confirmed(1, 0) }
    :: atomic { confirmed(1, 1) }
    od
}

/* Takes a record, appends it to the log, confirms it to the home, and only then acknowledges it to the cloud broker. */
inline take(n) { atomic { HAS(held & ~taken, 1 << n) -> mine = n; taken = taken | (1 << n) } }

#define APPEND logged = logged | (1 << content[mine])
#define TELL confirming = confirming | (1 << mine)
#define ACKNOWLEDGE held = held & ~(1 << mine); taken = taken & ~(1 << mine); mine = 0

proctype Ingest() {
    byte mine;
end:
    do
    :: if
       :: take(0)
       :: take(1)
       :: take(2)
       :: take(3)
       fi;
       {
#ifdef CONFIRM_FIRST
           atomic { !crashed -> TELL };
           atomic { !crashed -> APPEND; ACKNOWLEDGE }
#else
           atomic { !crashed -> APPEND };
           atomic { !crashed -> TELL; ACKNOWLEDGE }
#endif
       } unless {
           /* The broker delivers it again, to either ingestor. */
           atomic { crashed -> crashed = 0; taken = taken & ~(1 << mine); mine = 0 }
       }
    od
}

/* The one that shares the subscription. Its steps are one: what can happen between them happens between the first one's. */
inline passOn(n) {
    HAS(held & ~taken, 1 << n) ->
    logged = logged | (1 << content[n]);
    confirming = confirming | (1 << n);
    held = held & ~(1 << n)
}

proctype OtherIngest() {
end:
    do
    :: atomic { passOn(0) }
    :: atomic { passOn(1) }
    :: atomic { passOn(2) }
    :: atomic { passOn(3) }
    od
}

/* What only the gateway's memory knew is gone, and what no flush had put on the disk. */
inline powerCut() {
    given = 0;
    pending = 0;
    stored = synced & ~deleted;
    next = (HAS(synced, ROW(1)) -> 2 : (HAS(synced, ROW(0)) -> 1 : 0));
#ifdef NO_RETRY
    sent = 0;
#endif
    assert(!HAS(acknowledged, 1) || SAFE(0));
    assert(!HAS(acknowledged, 2) || SAFE(1))
}

proctype Faults() {
end:
    do
    :: atomic { gatewayCrash -> gatewayCrash = 0; powerCut() }
    /* The home broker's memory: what it had not got an acknowledgement for, all or in part. */
    :: atomic { homeCrash ->
        homeCrash = 0;
        if
        :: waiting = 0
        :: waiting = waiting & 1
        fi }
    :: atomic { cloudCrash -> cloudCrash = 0; held = 0; confirming = 0 }
    :: atomic { ingestCrash -> ingestCrash = 0; crashed = 1 }
    :: atomic { loss && confirming != 0 -> loss = 0; confirming = 0 }
    /* The journal's file is damaged and replaced. What was in it and nowhere else would be the disk's loss, so it holds
     * nothing that matters; the new one counts from the beginning. */
    :: atomic { damage && (given | (synced & ~deleted)) == 0 && pending == 0 ->
        damage = 0; epoch = 1; next = 0; stored = 0; synced = 0; deleted = 0 }
    od
}

init {
    atomic { run Record(); run Send(); run Confirmed(); run Ingest(); run OtherIngest(); run Faults() }
}

ltl delivered { [] ((HAS(acknowledged, 1) -> <> HAS(logged, 1)) && (HAS(acknowledged, 2) -> <> HAS(logged, 2))) }
