/* SPDX-License-Identifier: MIT */
/*
 * park.pml - core/idle.c and core/seat.c: no task is left while all seats sleep.
 *
 * One seat with its worker, or two, and two threads outside. A seat announces
 * itself, looks again, and sleeps in a reactor whose wake is sticky. Who leaves
 * something writes the queue, then looks at the seats' bits. `searchers` lets
 * one wake-up at a time through; `called_to_search` hands that one over.
 *
 * A task is one in a queue's count. Sequentially consistent.
 */

#ifndef SEATS
#define SEATS 1 /* also: -DSEATS=2 */
#endif
#define LAST (SEATS - 1)

#define WORK 1   /* a second look finds what any seat may do */
#define POSTED 2 /* or what only this one may */

byte ready_inbox[SEATS], pinned[SEATS], ring[SEATS];
byte inject_count;
byte sleepers;              /* a bit per seat */
byte searchers;
bit called[SEATS];          /* called_to_search */
bit searching[SEATS];
bit bell[SEATS];            /* rung, and not yet met by a poll */
bit in_poll[SEATS];
byte owed;                  /* tasks that have not run yet */

#if SEATS == 1
byte events = 1;            /* what ends a sleep besides a bell */
byte births = 1;            /* tasks that running tasks may still spawn */
#else
byte events = 0;
byte births = 0;
#endif

byte hands;                 /* calls that a notifier has not handed over yet */

/* Who is counted is a seat that searches, one that was called, or one that is
 * just being called. Each once. */
#define COUNTED                                                     \
    assert(searchers == hands + called[0] + searching[0] +          \
           (SEATS == 2 -> called[LAST] + searching[LAST] : 0))

/* reactor->ops->wake(): sticky. */
inline seat_bell(s)
{
#ifdef BROKEN_3 /* a wake that finds nobody asleep is lost */
    if
    :: in_poll[s] -> bell[s] = 1
    :: else
    fi
#else
    bell[s] = 1
#endif
}

inline poni_seat_ring(s)
{
    if
    :: !(sleepers & (1 << s))
    :: else ->
        atomic {
            won = (sleepers >> s) & 1;
            sleepers = sleepers & ~(1 << s)
        }
        if
        :: won ->
            seat_bell(s);
            won = 0
        :: else
        fi
    fi
}

/* Calls who sleeps, the low seats first, until one is rung or has come
 * (`rung`), or nobody sleeps: then the count is given back. */
inline notify_call()
{
    do
    :: !mine -> break
    :: mine && sleepers == 0 ->
        d_step {
            searchers--;
            hands--;
            mine = 0;
            COUNTED
        }
    :: mine && sleepers != 0 ->
        atomic {
            pick = (sleepers & 1 -> 0 : LAST) /* runtime_sleeper() */
        }
        d_step {
            assert(!called[pick]);
            called[pick] = 1; /* poni_store_seq(&s->called_to_search, 1) */
            hands--;
            COUNTED
        }
        d_step {
            won = (sleepers >> pick) & 1;
            sleepers = sleepers & ~(1 << pick)
        }
        if
        :: won ->
            seat_bell(pick);
            rung = 1;
            mine = 0
        :: else ->
#ifdef BROKEN_4 /* a call that nobody answers is not taken back */
            rung = 1;
            mine = 0
#else
            d_step {
                mine = called[pick];
                rung = !mine; /* it came by itself, and has taken the call */
                called[pick] = 0;
                hands = hands + mine;
                COUNTED
            }
#endif
        fi;
        d_step {
            won = 0;
            pick = 0
        }
    od
}

/* Whoever came meanwhile has relied on the count that is given back. */
inline poni_notify_one()
{
    do
    :: sleepers == 0 -> break
    :: else ->
        if
        :: searchers != 0 -> break
        :: else ->
            d_step { /* poni_cas_seq(&rt->searchers, 0, 1) */
                if
                :: searchers == 0 ->
                    searchers = 1;
                    hands++;
                    mine = 1
                :: else
                fi;
                COUNTED
            }
            if
            :: !mine -> break
            :: else
            fi
        fi;
        notify_call();
        if
        :: rung -> break
        :: else
        fi;
#ifdef BROKEN_6 /* gives the count back, and does not look again */
        break;
#endif
        if
        :: inject_count + ring[0] + ring[LAST] == 0 -> break
        :: else
        fi
    od;
    rung = 0
}

/* --- others --- */

/* poni_task_enqueue(), seat_post_ready(): a pinned fiber, woken from outside. */
proctype poster()
{
    bit won;

    d_step {
        ready_inbox[0]++;
        owed++
    }
    poni_seat_ring(0)
}

inline poni_inject()
{
    d_step {
        inject_count++; /* under inject_lock */
        owed++
    }
    poni_notify_one()
}

active [2] proctype injector()
{
    bit won, mine, rung;
    byte pick;

    poni_inject()
}

/* --- a worker --- */

/* Polls the reactor without waiting, reads the inbox. Two seats have nothing in
 * flight, and no inbox. */
inline seat_turn()
{
#if SEATS == 1
    atomic {
        if
        :: bell[me] -> bell[me] = 0
        :: skip /* nothing is in flight: it does not poll */
        fi;
        pinned[me] = pinned[me] + ready_inbox[me];
        ready_inbox[me] = 0
    }
#else
    skip
#endif
}

inline seat_take_injected()
{
    d_step {
        got = inject_count / SEATS + 1;
        got = (got > inject_count -> inject_count : got);
        inject_count = inject_count - got;
        ring[me] = ring[me] + got
    }
}

/* Who came while it was counted has relied on it. */
inline poni_seat_end_search()
{
    if
    :: !called[me] && !searching[me]
    :: else ->
        d_step {
            last = (searchers == called[me] + searching[me] && searchers > 0);
            searchers = searchers - called[me] - searching[me];
            called[me] = 0;
            searching[me] = 0;
            COUNTED
        }
        if
        :: last && (inject_count > 0 || ring[0] >= 2 || ring[LAST] >= 2) ->
            last = 0;
            poni_notify_one()
        :: else -> last = 0
        fi
    fi
}

inline seat_count_search()
{
    if
    :: searching[me]
    :: else ->
        if
        :: !called[me]
        :: else ->
            d_step {
                if
                :: called[me] ->
                    called[me] = 0;
#ifdef BROKEN_5 /* who was called counts itself once more */
                    searchers++;
#endif
                    searching[me] = 1
                :: else
                fi;
                COUNTED
            }
        fi;
        if
        :: searching[me]
        :: else ->
            d_step {
                searchers++;
                searching[me] = 1;
                COUNTED
            }
        fi
    fi
}

inline seat_begin_search()
{
    if
    :: !searching[me] && !called[me] && searchers * 2 >= SEATS
    :: else -> seat_count_search()
    fi
}

/* Half, rounded up, by one swap: runqueue_steal(). */
inline seat_steal()
{
    d_step {
        got = (SEATS == 2 -> ring[LAST - me] - ring[LAST - me] / 2 : 0);
        ring[LAST - me] = ring[LAST - me] - got;
        ring[me] = ring[me] + got
    }
}

/* runtime_has_work() || seat_posted(), one load after the other; its own ring
 * is empty. */
inline look_again()
{
    got = (inject_count > 0 -> WORK : 0);
#if SEATS == 2
    if
    :: !got -> got = (ring[LAST - me] > 0 -> WORK : 0)
    :: else
    fi;
#endif
    if
    :: !got -> got = (ready_inbox[me] > 0 -> POSTED : 0)
    :: else
    fi
}

inline stop_searching()
{
    d_step {
        searchers = searchers - searching[me];
        searching[me] = 0;
        COUNTED
    }
}

inline seat_announce()
{
    sleepers = sleepers | (1 << me);
#ifndef BROKEN_2
    stop_searching()
#else
    skip
#endif
}

inline seat_unannounce()
{
    sleepers = sleepers & ~(1 << me);
    if
    :: !called[me]
    :: else ->
        d_step {
            searching[me] = searching[me] + called[me];
            called[me] = 0;
            COUNTED
        }
    fi
}

/* A task runs; it may spawn another: poni_seat_push_new(). */
inline run_task()
{
    atomic {
        owed--;
        if
        :: births > 0 ->
            births--;
            owed++;
            ring[me]++;
            if
            :: sleepers != 0 && ring[me] >= 2 -> last = 1
            :: else
            fi
        :: skip
        fi
    }
    if
    :: last ->
        last = 0;
        poni_notify_one()
    :: else
    fi
}

/* poni_seat_work() */
proctype seat(byte me)
{
    bit won, mine, rung, last;
    byte pick, got;

    do
    :: d_step {
            pinned[me] + ring[me] > 0 ->
            if
            :: pinned[me] > 0 -> pinned[me]--
            :: else -> ring[me]--
            fi
        }
        if
        :: searching[me] -> poni_seat_end_search()
        :: else
        fi;
        run_task()
#if SEATS == 1
    :: pinned[me] + ring[me] > 0 && (called[me] || inject_count > 0) ->
        seat_turn(); /* the tick's look, when it likes */
        seat_take_injected();
        got = 0;
        poni_seat_end_search()
#endif
    :: pinned[me] + ring[me] == 0 -> /* seat_idle() */
        seat_turn();
        if
        :: pinned[me] > 0 -> got = 1
        :: else -> seat_take_injected()
        fi;
        if
        :: got -> goto found
        :: else
        fi;
        seat_begin_search();
        if
        :: searching[me] ->
            seat_steal();
            if
            :: got -> goto found
            :: else
            fi;
            if /* seat_spin(): sees something, or gives up */
            :: ready_inbox[me] > 0 || inject_count > 0 -> goto again
            :: skip
            fi
        :: else
        fi;
        seat_announce(); /* seat_sleep() */
#ifndef BROKEN_1
        look_again();
#else
        got = 0; /* sleeps without a second look */
#endif
#ifdef BROKEN_2 /* is still counted as a searcher while it looks again */
        stop_searching();
#endif
        if
        :: got
        :: else ->
            in_poll[me] = 1;
end_asleep:
            atomic {
                if
                :: bell[me] -> bell[me] = 0
                :: events > 0 -> events--
                fi;
                in_poll[me] = 0
            }
        fi;
        seat_unannounce();
        if
        :: got == WORK -> seat_count_search()
        :: else
        fi;
        got = 0;
        goto again;
found:
        got = 0;
        poni_seat_end_search();
again:
        skip
    od
}

init
{
    atomic {
        run seat(0);
#if SEATS == 1
        run poster()
#else
        run seat(1)
#endif
    }
}

/* Nothing moves any more: all sleep, for ever. */
active proctype end_of_time()
{
    timeout;
    assert(owed == 0);
    assert(searchers == 0);
    assert(sleepers == (1 << SEATS) - 1)
}
