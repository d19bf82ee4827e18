/* SPDX-License-Identifier: MIT */
/*
 * waiter.pml - core/waiter.c: no wake is lost, and the thread lets go of its
 * doorbell and its seat only when nobody writes to them.
 *
 * One thread waits, as it likes best: in futex(2), in ppoll(2), on a seat. Two
 * others leave something for it and notify, twice each. Sequentially
 * consistent.
 */

#define NOTIFIERS 2
#define TIMES     2

mtype = { AWAKE, ASLEEP, POLLING, RINGING, NOTIFIED };

mtype word = AWAKE;
byte rings;
byte left[NOTIFIERS];   /* what the notifiers have written */
bit all_seen;
byte own = 2;           /* waits that a descriptor or the deadline ends */

bit futex;              /* the thread sleeps in futex(2) */
bit bell_open, bell;    /* the eventfd: exists; was written */
bit seat;               /* w->seat, and that the thread still sits there */
bit announced, rung;    /* the seat's bit in `sleepers`; its reactor's wake */

/* --- notify --- */

/* core/idle.c; `sat`: what the notifier took w->seat for. */
inline poni_seat_ring()
{
    assert(seat);
    if
    :: !announced
    :: else ->
        atomic {
            won = announced;
            announced = 0
        }
        if
        :: won ->
            assert(seat);
            rung = 1
        :: else
        fi
    fi
}

/* The word is RINGING. */
inline waiter_ring()
{
    sat = seat;
    if
    :: !sat ->
        assert(bell_open); /* else the descriptor is somebody else's */
        bell = 1;
        word = NOTIFIED
    :: else ->
#ifdef BROKEN_3 /* rings first: the seat looks, and finds nothing */
        rings++;
        poni_seat_ring();
        word = NOTIFIED;
        rings--
#else
        rings++;
        word = NOTIFIED;
        poni_seat_ring();
        rings--
#endif
    fi
}

inline waiter_notify()
{
    atomic { /* the compare-and-swap that succeeds */
        old = word;
        if
#ifdef BROKEN_4 /* no RINGING: the thread is free to go at once */
        :: skip -> word = NOTIFIED
#else
        :: old == POLLING || old == RINGING -> word = RINGING
        :: else -> word = NOTIFIED
#endif
        fi
    }
    if
    :: old == ASLEEP -> futex = 0
    :: old == POLLING -> waiter_ring()
    :: else
    fi
}

active [NOTIFIERS] proctype notifier()
{
    mtype old;
    bit sat, won;
    byte i;

    for (i : 1 .. TIMES) {
        left[_pid] = i;
        waiter_notify()
    }
}

/* --- the thread --- */

inline cas(from, to)
{
    atomic {
        done = (word == from);
        if
        :: done -> word = to
        :: else
        fi
    }
}

inline waiter_sleep()
{
#ifdef BROKEN_5 /* stores where it should compare */
    word = ASLEEP;
    done = 1;
#else
    cas(AWAKE, ASLEEP);
#endif
    if
    :: !done /* notified */
    :: else ->
        do
        :: word != ASLEEP -> break
        :: word == ASLEEP ->
            atomic { /* the kernel compares and queues at once */
                if
                :: word == ASLEEP -> futex = 1
                :: else
                fi
            }
            if
            :: !futex
            :: own > 0 ->
                own--;
                futex = 0;
                break
            fi
        od;
        cas(ASLEEP, AWAKE)
    fi
}

inline waiter_settle()
{
    do
    :: word != RINGING ->
#ifdef BROKEN_2 /* does not wait for those that still need the seat */
        break
#else
        if
        :: rings == 0 -> break
        :: else
        fi
#endif
    od
}

/* waiter_poll() */
inline waiter_poll()
{
    bell = 0;
    bell_open = 1;
    cas(AWAKE, POLLING);
    if
    :: !done
    :: else ->
        if
        :: bell
        :: own > 0 -> own--
        fi;
        cas(POLLING, AWAKE)
    fi;
#ifndef BROKEN_1
    waiter_settle();
#endif
    bell_open = 0
}

/* poni_seat_work(), with nothing else to do; core/seat.h has its half. */
inline seat_work()
{
    do
    :: word == NOTIFIED -> break
    :: word != NOTIFIED && own > 0 ->
        own--;
        break /* the deadline */
    :: word != NOTIFIED ->
        announced = 1;
        if
        :: word == NOTIFIED
        :: else ->
            rung ->
            rung = 0
        fi;
        announced = 0
    od
}

inline poni_waiter_drive()
{
    seat = 1;
    cas(AWAKE, POLLING);
    if
    :: done ->
        seat_work();
        cas(POLLING, AWAKE);
        waiter_settle()
    :: else
    fi;
    seat = 0
}

inline poni_waiter_clear()
{
    if
    :: word == AWAKE
    :: else -> word = AWAKE
    fi
}

/* thread_await() of core/await.c: polls the future, parks while it is pending.
 * Each poll begins after a clear. */
active proctype thread()
{
    bit done, ready;

    do
    :: ready = (left[0] == TIMES);
        if
        :: ready -> ready = (left[1] == TIMES)
        :: else
        fi;
        if
        :: ready -> break
        :: else
        fi;
        if
        :: waiter_sleep()
        :: waiter_poll()
        :: poni_waiter_drive()
        fi;
        poni_waiter_clear()
    od;
    all_seen = 1
}

active proctype end_of_time()
{
    timeout;
    assert(all_seen);
    assert(!bell_open && !seat && rings == 0 && !futex)
}
