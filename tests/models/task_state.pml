/* SPDX-License-Identifier: MIT */
/*
 * task_state.pml - core/task_state.h with core/run.h: one runner at a time, once
 * on a queue, each wake followed by a poll, the memory given back once, and
 * after that nobody's.
 *
 * One task that waits for two things. Two wakers bring them; two seats run what
 * is queued; a joiner, which changes its waker once; a dump, which looks into
 * the task when it waits. Sequentially consistent. CANCELLED is a wake.
 */

mtype = { IDLE, QUEUED, RUNNING, REWOKEN, DONE };

/* The word. Each inline of task_*() changes it in one step. */
mtype phase = QUEUED;
bit JOINING;
byte refs = 4;          /* the life, the handle, two wakers */

byte queued = 1;        /* entries on run queues */
byte runners;           /* threads that may touch the future */
bit brought[2];         /* what the task waits for */
byte yields = 1;

byte joiner;            /* the slot: waker 1 or 2 of the joiner; 0 none */
bit writing;            /* the joiner is at the slot */
bit woken[3];           /* by its wakers 1 and 2 */
bit joined;
byte freed;

/* The memory is still the task's. */
#define ALIVE  assert(freed == 0)

inline enqueue() /* poni_task_enqueue() */
{
    d_step {
        ALIVE;
        queued++;
        assert(queued == 1)
    }
}

/* task_unref(), and task_free() if it was the last. Of the last to what is DONE
 * the look and the write are two steps. */
inline unref()
{
    if
    :: d_step {
            refs == 1 && phase == DONE ->
            ALIVE;
            phase_seen = phase;
            joining_seen = JOINING
        }
        d_step {
            ALIVE;
            phase = phase_seen;
            JOINING = joining_seen;
            refs = 0;
            freed++
        }
    :: d_step {
            !(refs == 1 && phase == DONE) ->
            ALIVE;
            assert(refs > 0);
            refs--;
            freed = freed + (refs == 0)
        }
    fi
}

/* --- wakers --- */

/*
 * task_wake_unref(): in one change, unless it is DONE. Who is to queue the task
 * touches it after its reference is gone: the life's stays while it is QUEUED.
 */
inline task_wake_unref()
{
    if
    :: d_step {
            phase != DONE ->
            ALIVE;
            owes = (phase == IDLE);
            if
            :: phase == IDLE -> phase = QUEUED
#if !defined(BROKEN_1) && !defined(BROKEN_2)
            :: phase == RUNNING -> phase = REWOKEN
#elif defined(BROKEN_2) /* a running task is queued at once */
            :: phase == RUNNING -> phase = QUEUED; owes = 1
#endif /* BROKEN_1: a running task needs no wake */
            :: else
            fi;
            assert(refs > 0);
            refs--;
            freed = freed + (refs == 0)
        }
    :: phase == DONE -> unref()
    fi
}

/* pons_waker_wake() of a clone. */
active [2] proctype waker()
{
    bit owes, joining_seen;
    mtype phase_seen;

    brought[_pid] = 1;
    task_wake_unref();
    if
    :: owes -> enqueue()
    :: else
    fi
}

/* --- a seat --- */

inline task_begin()
{
    d_step {
        ALIVE;
        assert(phase == QUEUED || phase == RUNNING || phase == REWOKEN);
        if
        :: phase == QUEUED -> phase = RUNNING
        :: else /* it has yielded */
        fi;
        runners++;
        assert(runners == 1)
    }
}

inline task_pending()
{
    d_step {
        ALIVE;
        owes = (phase == REWOKEN);
        phase = (phase == REWOKEN -> QUEUED : IDLE);
        runners--
    }
}

inline task_end()
{
    d_step {
        ALIVE;
        phase = DONE;
        owes = JOINING;
#ifdef BROKEN_3 /* the life's reference goes even if there is a joiner to wake */
        refs--;
#else
        refs = refs - !JOINING;
#endif
        freed = freed + (refs == 0);
        runners--
    }
}

/* poni_task_finish() */
inline task_finish()
{
    task_end();
    if
    :: !owes
    :: else ->
        d_step { /* OWES_JOINER */
            ALIVE;
            assert(!writing && joiner != 0);
            slot = joiner
        }
        woken[slot] = 1;
        unref()
    fi
}

/* One that has run again on another seat before this one lets go is no fault:
 * so it lets go first. */
inline yield()
{
#ifdef BROKEN_4 /* a task that yielded is let go like one that waits */
    task_pending();
    enqueue()
#else
    d_step {
        yields--;
        runners--;
        queued++; /* poni_seat_push_yielded() */
        assert(queued == 1)
    }
#endif
}

active [2] proctype seat() /* poni_task_run() */
{
    bit owes, ready, joining_seen;
    mtype phase_seen;
    byte slot;

    do
    :: d_step {
            queued > 0 ->
            queued--
        }
        task_begin();
        ready = brought[0]; /* the poll */
        if
        :: ready -> ready = brought[1]
        :: else
        fi;
        if
        :: ready ->
            ready = 0;
            task_finish()
        :: !ready && yields > 0 -> yield()
        :: !ready ->
            task_pending();
            if
            :: owes ->
                owes = 0;
                enqueue()
            :: else
            fi
        fi
    :: phase == DONE && queued == 0 -> break
    od
}

/* --- the joiner: join_poll() of core/task.c --- */

inline write_slot(which)
{
    d_step {
        ALIVE;
        writing = 1
    }
    d_step {
        ALIVE;
        joiner = which;
        writing = 0
    }
}

inline task_joining()
{
    d_step {
        ALIVE;
        done = (phase == DONE);
        JOINING = JOINING || !done
    }
}

inline task_unjoining()
{
    d_step {
        ALIVE;
        done = (phase == DONE);
        JOINING = JOINING && done
    }
}

active proctype joins()
{
    bit done, joining_seen;
    mtype phase_seen;
    byte with = 1;

    d_step {
        ALIVE;
        done = (phase == DONE)
    }
    if
    :: !done ->
        write_slot(1);
        task_joining()
    :: else
    fi;
    do
    :: done -> break
    :: !done && woken[with] ->
        d_step {
            ALIVE;
            assert(phase == DONE);
            done = 1
        }
    :: !done && with == 1 -> /* polled again, with another waker */
        d_step {
            ALIVE;
            done = (phase == DONE)
        }
        if
        :: done -> break
        :: else
        fi;
#ifndef BROKEN_5 /* the slot is written while the task's end may read it */
        task_unjoining();
        if
        :: done -> break
        :: else
        fi;
#endif
        with = 2;
        write_slot(2);
        task_joining()
    od;
    unref(); /* join_ended() */
    joined = 1
}

/* --- a dump: visit() of core/dump.c --- */

active proctype dump()
{
    bit owes, took, joining_seen;
    mtype phase_seen;

    d_step { /* task_begin_idle(); it may look at memory that is free */
        took = (phase == IDLE && refs > 0);
        if
        :: took ->
            phase = RUNNING;
            refs++;
            runners++;
            assert(runners == 1)
        :: else
        fi
    }
    if
    :: took -> /* looks inside */
        task_pending();
        if
        :: owes -> enqueue()
        :: else
        fi;
        unref()
    :: else ->
        d_step { /* only keeps it */
#ifdef BROKEN_6 /* takes a reference to what is DONE */
            took = (refs > 0);
#else
            took = (refs > 0 && phase != DONE);
#endif
            refs = refs + took
        }
        if
        :: took -> unref()
        :: else
        fi
    fi
}

active proctype end_of_time()
{
    timeout;
    assert(joined);
    assert(phase == DONE && queued == 0 && runners == 0);
    assert(freed == 1 && refs == 0)
}
