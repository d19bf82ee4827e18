/* SPDX-License-Identifier: MIT */
/*
 * handover.pml - the seat of a runtime without workers: poni_sit(),
 * poni_unsit(), poni_sit_for_shutdown() of core/runtime.c, and its reactor's
 * bind(). One thread at a time works on it, bound to it; a shutdown that finds
 * it taken gets it when it is left.
 *
 * The maker sits down for three waits. Another thread shuts down meanwhile and
 * works on the seat. Then either tasks are left, and the maker goes on with
 * them; or it is stopped, and the reactor closed. Sequentially consistent.
 */

mtype = { FREE, TAKEN, AWAITED };
mtype = { MAKER, OTHER };

mtype sat = FREE;       /* the word, and its futex */
bit sleeping;           /* the shutdown, on it */

byte working;           /* threads on the seat */
bit bound_away;         /* who sits: the reactor is not the maker's now */
mtype bound = MAKER;    /* by the reactor's last bind() */
bit stopped;            /* the phase is STOPPED */
bit closed;             /* the reactor */
bit done;               /* SHUTDOWN_DONE */
byte waits;             /* that the maker has driven, or need not any more */

inline work(who)
{
    d_step {
        working++;
        assert(working == 1);
        assert(bound == who && !closed)
    }
    working--
}

inline unsit()
{
#if defined(BROKEN_1) /* nobody is told */
    sat = FREE
#elif defined(BROKEN_2) /* the look and the store are two steps */
    old = sat;
    sat = FREE;
    if
    :: old == AWAITED -> sleeping = 0
    :: else
    fi
#else
    d_step {
        old = sat;
        sat = FREE
    }
    if
    :: old == AWAITED -> sleeping = 0 /* the futex's wake */
    :: else
    fi
#endif
}

active proctype maker()
{
    mtype old;
    bit sits;

    do
    :: waits == 3 -> break
    :: waits < 3 ->
#ifdef BROKEN_3 /* a look, then a store */
        sits = (sat == FREE);
        if
        :: sits -> sat = TAKEN
        :: else
        fi;
#else
        d_step {
            sits = (sat == FREE);
            sat = (sits -> TAKEN : sat)
        }
#endif
        if
#ifndef BROKEN_6 /* the phase is not looked at once it sits */
        :: sits && stopped ->
            unsit();
            waits = 3
        :: sits && !stopped ->
#else
        :: sits ->
#endif
#ifndef BROKEN_4 /* the reactor is still the other's */
            if
            :: bound_away ->
                bound_away = 0;
                bound = MAKER
            :: else
            fi;
#endif
            work(MAKER);
            unsit();
            waits++
        :: !sits -> /* parks; and looks again */
            sat == FREE
        fi
    od
}

active proctype other()
{
    mtype old, now;
    bit sits;

    do
    :: d_step {
            now = sat;
            sits = (sat == FREE);
            sat = (sits -> TAKEN : sat)
        }
        if
        :: sits -> break
        :: else
        fi;
#ifdef BROKEN_5 /* sleeps without a word that it does */
        d_step { sleeping = (sat == TAKEN) }
#else
        d_step {
            sits = (now == AWAITED || sat == now);
            sat = (sits -> AWAITED : sat)
        }
        if
        :: sits -> d_step { sleeping = (sat == AWAITED) } /* the futex's wait */
        :: else
        fi;
#endif
        sleeping == 0
    od;
    bound_away = 1;
    bound = OTHER;
    work(OTHER);
    if
    :: stopped = 1
    :: skip /* tasks are left */
    fi;
    unsit();
    closed = stopped; /* close_reactors() */
    done = 1
}

active proctype end_of_time()
{
    timeout;
    assert(waits == 3 && done);
    assert(working == 0 && sat == FREE)
}
