/* SPDX-License-Identifier: MIT */
/*
 * inbox.pml - core/io.[ch]: an op that is posted to its stream's home, recalled,
 * and ended. Its memory is not touched once it has ENDED, nor the stream's once
 * it was freed; it ends once; it is in the inbox once; nobody waits for ever.
 *
 * The poller is a task on another seat; a closer closes the stream meanwhile;
 * the home may stop: then the op is served here, and a recall that finds the
 * home drained is done by who recalls. Sequentially consistent.
 */

mtype = { NEW, STARTING, POSTED, INFLIGHT, RECALLED, ENDED_RECALLED, ENDED };

/* The op. */
mtype state = NEW;
bit asked;              /* IO_ASKED */
bit waker;              /* io.waker is set */
bit op_gone;            /* its poller has seen READY, and reuses the memory */
byte ends;

/* The stream. */
bit locked, closing, current, closer_set, stream_gone;
byte holds = 1;         /* who needs its memory: itself, the op */

/* The home: core/seat.c, core/shutdown.c. */
byte inbox;             /* how often the op is in it */
bit stopped, drained, home_left;
byte posting;
bit rung;
bit inflight, cancelled;

bit poller_woken, closer_woken;
bit poller_ready, closed;

#define OP      assert(!op_gone)
#define STREAM  assert(!stream_gone)

inline lock()
{
    atomic {
        STREAM;
        !locked ->
        locked = 1
    }
}

inline unlock()
{
    d_step {
        STREAM;
        locked = 0
    }
}

/* Who looks at its memory after it has ended holds it. */
inline stream_put()
{
    d_step {
        STREAM;
        holds--;
        stream_gone = (holds == 0)
    }
}

/* --- the end, under the lock --- */

inline io_end()
{
    d_step {
        OP;
        assert(state != ENDED && state != NEW);
        ends++;
        current = 0 /* way_pass(): stream_quiet() from here on */
    }
    if
    :: closing && closer_set ->
        closer_set = 0;
        wake_closer = 1
    :: else
    fi;
#ifdef BROKEN_1 /* ENDED is stored before the waker is taken */
    state = ENDED;
    d_step {
        OP;
        wake_own = waker;
        waker = 0
    }
#else
    d_step {
        OP;
        wake_own = waker;
        waker = 0
    }
    d_step {
        OP;
        state = ENDED
    }
#endif
}

/* After the unlock. */
inline ended_wake()
{
    if
    :: wake_own -> poller_woken = 1
    :: else
    fi;
    if
    :: wake_closer -> closer_woken = 1
    :: else
    fi;
    d_step {
        wake_own = 0;
        wake_closer = 0
    }
}

/* --- posting: seat_post_unless() --- */

inline post_unless(word)
{
    posting++;
    open = !word;
    if
    :: open ->
        d_step {
            OP;
            inbox++;
            assert(inbox == 1);
            rung = 1
        }
    :: else
    fi;
    posting--
}

/* Under the lock, in INFLIGHT. */
inline io_recall()
{
    d_step {
        OP;
        state = RECALLED;
        post_to = 1
    }
}

inline io_post_recall()
{
    post_to = 0;
    post_unless(drained);
    if
    :: open
    :: else ->
        lock();
#ifndef BROKEN_4 /* leaves to a drained home what has ended there */
        OP;
        if
        :: state == ENDED_RECALLED -> io_end()
        :: else
        fi;
#endif
        unlock();
        ended_wake()
    fi
}

/* --- the poller --- */

inline io_end_here()
{
    lock();
    io_end();
    unlock();
    wake_own = 0;
    ended_wake();
    ready = 1
}

/* io_start_at_home(): the call would block. */
inline io_start_at_home()
{
    lock();
    d_step {
        holds++; /* its poller goes away, and comes back */
        waker = 1;
        state = POSTED
    }
    unlock();
    post_unless(stopped);
    if
    :: open
    :: else ->
        lock();
        state = STARTING;
        unlock();
        io_end_here()
    fi
}

inline poni_io_cancel()
{
    if
    :: state == ENDED
    :: else ->
        lock();
        asked = 1;
        if
        :: state == INFLIGHT -> io_recall()
        :: else
        fi;
        unlock();
        if
        :: post_to -> io_post_recall()
        :: else
        fi
    fi
}

/* READY without the lock, if it can; else io_continue(). */
inline poni_io_poll()
{
    if
    :: state == ENDED -> ready = 1
    :: else ->
        lock();
        ready = (state == ENDED);
        waker = waker || !ready;
        unlock()
    fi
}

active proctype poller()
{
    bit wake_own, wake_closer, post_to, open, ready;
    bit may_cancel = 1, may_poll = 1;

    lock(); /* io_begin() */
    d_step {
        state = STARTING;
        current = 1
    }
    unlock();
    io_start_at_home();
    do
    :: ready -> break
    :: !ready && poller_woken ->
        poller_woken = 0;
        poni_io_poll()
    :: !ready && may_poll -> /* something else has woken its task */
        may_poll = 0;
        poni_io_poll()
    :: !ready && may_cancel ->
        may_cancel = 0;
        poni_io_cancel();
        poni_io_poll()
    od;
    op_gone = 1;
    poller_ready = 1;
#ifndef BROKEN_5
    stream_put()
#endif
}

/* --- the closer: poni_stream_recall(), closing_poll() --- */

active proctype closer()
{
    bit wake_own, wake_closer, post_to, open, quiet;

    current || poller_ready ->
    do
    :: lock();
        closing = 1;
        if
        :: current && !asked -> /* stream_recall_one() */
            if
            :: state == INFLIGHT -> io_recall()
            :: else
            fi;
            asked = 1;
            if
            :: post_to ->
                unlock();
                io_post_recall();
                lock()
            :: else
            fi
        :: else
        fi;
        quiet = !current;
        if
        :: quiet
        :: else -> closer_set = 1
        fi;
        unlock();
        if
        :: quiet -> break
        :: else ->
            closer_woken ->
            closer_woken = 0
        fi
    od;
#ifdef BROKEN_5 /* the stream goes although the op's poller may look at it */
    stream_gone = 1;
#else
    stream_put(); /* closing_end() */
#endif
    closed = 1
}

/* --- the home --- */

/* poni_io_event(): the reactor ends the op, asked or not. */
inline poni_io_event()
{
    lock();
    OP;
    inflight = 0;
    if
#ifndef BROKEN_2 /* ends it while its recall is on the way */
    :: state == RECALLED -> state = ENDED_RECALLED
#endif
    :: else -> io_end()
    fi;
    unlock();
    ended_wake()
}

/* io_submit_posted(), io_in_flight(); or it is done at once. */
inline io_submit_posted()
{
    if
    :: skip ->
        inflight = 1;
        lock();
        OP;
        state = INFLIGHT;
        cancelled = (closing || asked);
        unlock()
    :: skip ->
        lock();
        io_end();
        unlock();
        ended_wake()
    fi
}

inline poni_io_posted()
{
    lock();
    OP;
    if
    :: state == POSTED ->
        if
        :: closing || asked ->
            io_end();
            unlock();
            ended_wake()
        :: else ->
            state = STARTING;
            unlock();
            io_submit_posted()
        fi
    :: state == RECALLED ->
        state = INFLIGHT;
        cancelled = 1; /* reactor->ops->cancel() */
        unlock()
    :: state == ENDED_RECALLED ->
        io_end();
        unlock();
        ended_wake()
    :: else ->
        unlock()
    fi
}

inline poni_seat_read_inboxes()
{
    if
    :: inbox == 0
    :: else ->
        d_step {
            OP;
            inbox-- /* core[0] has been read */
        }
        poni_io_posted()
    fi
}

/* Works, and stops when it likes, having drained. */
active proctype home()
{
    bit wake_own, wake_closer;

    do
    :: rung ->
        rung = 0;
        poni_seat_read_inboxes()
    :: inflight && !cancelled -> poni_io_event() /* bytes came */
    :: inflight && cancelled ->
        cancelled = 0;
        poni_io_event()
    :: !rung && !inflight -> /* runtime_enter() */
        stopped = 1;
        break
    :: inflight -> /* another runtime's op is in its reactor */
        stopped = 1;
        break
    od;
    posting == 0 -> /* runtime_wait_posted() */
    do /* poni_seat_drain() */
    :: inbox > 0 -> poni_seat_read_inboxes()
    :: inbox == 0 && inflight -> poni_io_event()
    :: inbox == 0 && !inflight -> break
    od;
    drained = 1;
#ifndef BROKEN_3 /* does not wait for who had seen that it may post */
    posting == 0 ->
#endif
    poni_seat_read_inboxes();
    home_left = 1
}

active proctype end_of_time()
{
    timeout;
    assert(poller_ready && closed && home_left);
    assert(ends == 1 && inbox == 0 && !inflight);
    assert(stream_gone && !locked)
}
