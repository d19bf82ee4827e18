/* SPDX-License-Identifier: MIT */
/*
 * search.pml - core/idle.c: work is shared, though two workers do not come back.
 *
 * A worker whose task never ends leaves two tasks in its ring; a thread outside
 * injects a task that never ends either. Two seats with their workers may take
 * them. Whoever takes the endless one, no seat may sleep for ever while two
 * tasks lie in the ring: each call that was not made relied on a search.
 *
 * park.pml has the sleep itself: here it is atomic where that has proved it.
 * Sequentially consistent.
 */

#define SEATS 3
#define NEW_WORK 2

byte ring;                  /* of the worker that pushes and does not come back */
bit inject_count;           /* the endless task */
byte sleepers;              /* a bit per seat of the two */
byte searchers;
bit called[2];              /* called_to_search */
bit searching[2];
bit bell[2];

/* Calls who sleeps until one is rung or has come (`rung`), or nobody sleeps. */
inline call_sleeper()
{
    do
    :: rung || sleepers == 0 -> break
    :: !rung && sleepers != 0 ->
        atomic {
            pick = (sleepers & 1 -> 0 : 1);
            called[pick] = 1
        }
        atomic {
            if
            :: sleepers & (1 << pick) ->
                sleepers = sleepers & ~(1 << pick);
                bell[pick] = 1;
                rung = 1
            :: else -> skip
            fi
        }
        if
        :: rung
        :: else ->
            atomic {
                rung = !called[pick]; /* it came, and has taken the call */
                called[pick] = 0
            }
        fi;
        pick = 0
    od
}

inline poni_notify_one()
{
    do
    :: sleepers == 0 -> break
    :: else ->
        atomic {
            if
            :: searchers == 0 -> searchers = 1
            :: else -> break
            fi
        }
        call_sleeper();
        if
        :: rung -> break
        :: else -> searchers--
        fi;
        if
        :: inject_count || ring > 0
        :: else -> break
        fi
    od;
    rung = 0
}

/* poni_seat_push_new(): the second one calls. */
active proctype pusher()
{
    bit rung;
    byte pick;

    ring++;
    ring++;
    poni_notify_one()
}

active proctype injector()
{
    bit rung;
    byte pick;

    inject_count = 1;
    poni_notify_one()
}

inline poni_seat_end_search()
{
    if
    :: !called[me] && !searching[me]
    :: else ->
        atomic {
            searchers = searchers - called[me] - searching[me];
            called[me] = 0;
            searching[me] = 0;
            got = (searchers == 0)
        }
#ifdef BROKEN_2 /* the last one to stop looking calls nobody */
        got = 0;
#endif
        if
        :: got && (inject_count || ring >= NEW_WORK) -> poni_notify_one()
        :: else
        fi;
        got = 0
    fi
}

inline seat_count_search()
{
    atomic {
        if
        :: searching[me]
        :: !searching[me] && called[me] -> called[me] = 0
        :: else -> searchers++
        fi;
        searching[me] = 1
    }
}

/* poni_seat_work() */
active [2] proctype seat()
{
    bit rung, got;
    byte pick, me;

    me = _pid - 2;
    do
    :: inject_count -> /* seat_take_injected() */
        atomic {
            got = inject_count;
            inject_count = 0
        }
        if
        :: got ->
            got = 0;
            poni_seat_end_search();
            break /* runs it, for ever */
        :: else
        fi
    :: !inject_count ->
        if
        :: !searching[me] && !called[me] && searchers * 2 >= SEATS
        :: else ->
            seat_count_search();
            atomic { /* seat_steal(): half, rounded up */
                got = (ring > 0);
                ring = ring / 2
            }
            if
            :: got ->
                got = 0;
                poni_seat_end_search();
                goto again /* it has run them */
            :: else
            fi
        fi;
        sleepers = sleepers | (1 << me); /* seat_announce() */
        atomic {
            searchers = searchers - searching[me];
            searching[me] = 0
        }
        got = inject_count;
        if
        :: !got -> got = (ring > 0)
        :: else
        fi;
        if
        :: got
        :: else ->
end_asleep:
            atomic {
                bell[me] -> bell[me] = 0
            }
        fi;
        sleepers = sleepers & ~(1 << me); /* seat_unannounce() */
        atomic {
            if
            :: called[me] ->
                called[me] = 0;
                searching[me] = 1
            :: else
            fi
        }
#ifndef BROKEN_1 /* finds work that others left to it, and is not counted */
        if
        :: got -> seat_count_search()
        :: else
        fi;
#endif
        got = 0;
again:
        skip
    od
}

/* Nothing moves any more. */
active proctype end_of_time()
{
    timeout;
    assert(!inject_count);
    assert(ring < NEW_WORK || sleepers == 0);
    assert(searchers == 0)
}
