/* SPDX-License-Identifier: MIT */
/*
 * core/adapter.c - makes a reactor of a poller.
 *
 * submit() tries the system call at once. What would block waits in the slot of
 * its descriptor, and the descriptor is given to the poller: to an edge poller
 * once and for both directions, to a level poller for what somebody waits for,
 * taken back lazily (at the first report that nobody waits for), so that
 * ping-pong costs no control() at all. A report runs the calls of those who
 * wait.
 *
 * A direction is DRAINED while the last call found it empty (EAGAIN; on TCP
 * also a short count) and nothing was reported since; then submit() skips the
 * try. The trap is a report that was the last one: see slot_learn().
 *
 * A multishot op (R10) waits like any other, and once reported flows:
 * core/adapter_flow.c.
 *
 * All here belongs to the owner thread, but `rung`.
 */

#include "adapter_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "atomic.h"
#include "opcode.h"
#include "oplist.h"

enum {
    REPORTS = 64, // taken from the poller at once; the poller keeps the rest
    BOTH = PONS_READABLE | PONS_WRITABLE,

    RETRY_NS = 2000000, // between two tries that nothing reports: see `retries`

    OPCODES = 1u << PONS_OP_NOP | 1u << PONS_OP_ACCEPT | 1u << PONS_OP_CONNECT |
              1u << PONS_OP_RECV | 1u << PONS_OP_SEND | 1u << PONS_OP_READ |
              1u << PONS_OP_WRITE | 1u << PONS_OP_POLL | 1u << PONS_OP_RECVMSG |
              1u << PONS_OP_SENDMSG | 1u << PONS_OP_SHUTDOWN |
              1u << PONS_OP_SOCKET | 1u << PONS_OP_ACCEPT_MULTI |
              1u << PONS_OP_RECV_MULTI | 1u << PONS_OP_POLL_MULTI,
};

/* Of a table that has submit() and cancel(): those of ABI 0.1 may end before.
 */
#define FILES_SIZE (offsetof(struct pons_poller_ops, cancel) + sizeof(void *))

/* Cookies that are no descriptor. UINT64_MAX is the poller's. */
#define COOKIE_TIMER (UINT64_MAX - 1)
#define COOKIE_ODD   (UINT64_MAX - 2)

static struct poni_adapter *
self(struct pons_reactor *r)
{
    return pons_container_of(r, struct poni_adapter, base);
}

/* --- slots --- */

static uint64_t
slot_cookie(const struct poni_slot *s, int fd)
{
    return (uint64_t)s->generation << 32 | (uint32_t)fd;
}

/*
 * Datagrams and unix sockets (which stop at passed descriptors) give short
 * counts with more behind them; so does TCP before an urgent mark, and there is
 * more to say, too, before the end. Level pollers repeat themselves; an edge
 * poller must have told us of such things (PONS_POLLER_ENDINGS).
 */
static void
slot_learn(const struct poni_adapter *a, struct poni_slot *s, int fd)
{
    int type = 0, protocol = 0;
    socklen_t size = sizeof type;

    s->kind = KIND_OTHER;
    if (a->edge && !(a->poll_ops->caps & PONS_POLLER_ENDINGS))
        return;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
        type == SOCK_STREAM &&
        getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
        protocol == IPPROTO_TCP)
        s->kind = KIND_STREAM;
}

/* Lets the poller watch `s` for `dirs` too. -EPERM: it is always ready. */
__attribute__((noinline)) static int
adapter_watch_more(struct poni_adapter *a, struct poni_slot *s, int fd,
                   unsigned want)
{
    int err;

    if (s->kind == KIND_UNKNOWN)
        slot_learn(a, s, fd);
    err = a->poll_ops->control(a->poller, fd, slot_cookie(s, fd), s->had, want);
    if (err == 0)
        s->had = (uint8_t)want;
    return err;
}

static inline int
adapter_watch(struct poni_adapter *a, struct poni_slot *s, int fd,
              unsigned want)
{
    return want == s->had ? 0 : adapter_watch_more(a, s, fd, want);
}

int
poni_adapter_watch(struct poni_adapter *a, struct poni_slot *s, int fd,
                   unsigned dirs)
{
    return adapter_watch(a, s, fd, a->edge ? BOTH : s->had | dirs);
}

int
poni_adapter_watch_only(struct poni_adapter *a, struct poni_slot *s, int fd,
                        unsigned dirs)
{
    return adapter_watch(a, s, fd, s->had | dirs);
}

static inline void
slot_unwatch(struct poni_adapter *a, struct poni_slot *s, int fd, unsigned dirs)
{
    unsigned want = s->had & ~dirs;

    if (want == s->had)
        return;
    /* It fails only if the descriptor was closed behind our back; then there is
     * nothing left to take back. */
    (void)a->poll_ops->control(a->poller, fd, slot_cookie(s, fd), s->had, want);
    s->had = (uint8_t)want;
}

/* Makes the call of `op`; `dir` is the bit of its direction. What a msghdr has
 * room for is not in its op (`len` is 0), so no count of it is a short one. */
static inline int
adapter_try(struct poni_slot *s, struct pons_op *op, unsigned dir)
{
    int ended = poni_op_try(op);

    if (!ended ||
        (s->kind == KIND_STREAM && op->res > 0 && (uint32_t)op->res < op->len))
        s->drained |= (uint8_t)(s->had & dir);
    return ended;
}

int
poni_adapter_try(struct poni_slot *s, struct pons_op *op, unsigned dir)
{
    return adapter_try(s, op, dir);
}

/* --- the end of an op --- */

void
poni_adapter_finish(struct poni_adapter *a, struct pons_op *op)
{
    op->backend[0] = FINISHED;
    oplist_push(&a->finished, op);
}

static unsigned
adapter_take(struct poni_adapter *a, struct pons_event *events, unsigned cap)
{
    unsigned n = 0;

    while (n < cap && a->finished != NULL) {
        struct pons_op *op = oplist_pop(&a->finished);

        events[n++] = (struct pons_event){.op = op, .res = op->res};
    }
    return n;
}

/* --- submit --- */

/* An op that ends by itself: the poller's, if it does files, else the pool's.
 */
static int
submit_pass(struct poni_adapter *a, struct pons_op *op)
{
    if (op->opcode >= PONS_OPCODES || !(a->passed >> op->opcode & 1))
        return PONS_SUBMIT_UNSUPPORTED;
    op->backend[0] = PASSED;
    return a->poll_ops->submit(a->poller, op);
}

/* While somebody is there, the direction is DRAINED. */
static inline int
slot_queue(struct poni_slot *s, struct pons_op *op, unsigned i)
{
    s->drained |= (uint8_t)(1u << i);
    op->backend[0] = WAITS;
    oplist_push(&s->waiting[i], op);
    return PONS_SUBMIT_PENDING;
}

__attribute__((noinline)) static int
adapter_watch_and_queue(struct poni_adapter *a, struct poni_slot *s,
                        struct pons_op *op, unsigned i)
{
    int err;

    if (s == NULL)
        s = poni_slots_make(&a->slots, op->fd);
    if (s == NULL)
        return poni_submit_ends(op, -ENOMEM);
    err = poni_adapter_watch(a, s, op->fd, 1u << i);
    if (err == -EPERM)
        return submit_pass(a, op); // a file: somebody waits for the disk
    if (err < 0)
        return poni_submit_ends(op, err);
    return slot_queue(s, op, i);
}

/* Puts a call that would block into its queue. */
static inline int
adapter_queue(struct poni_adapter *a, struct poni_slot *s, struct pons_op *op,
              unsigned i)
{
    if (s != NULL && (s->had >> i & 1))
        return slot_queue(s, op, i); // nearly always
    return adapter_watch_and_queue(a, s, op, i);
}

int
poni_adapter_queue(struct poni_adapter *a, struct poni_slot *s,
                   struct pons_op *op, unsigned i)
{
    return adapter_queue(a, s, op, i);
}

/* A call of direction `i` (0: to read, 1: to write). */
static inline __attribute__((always_inline)) int
submit_call(struct poni_adapter *a, struct pons_op *op, unsigned i)
{
    struct poni_slot *s = poni_slots_find(&a->slots, op->fd);

    if (s == NULL) {
        if (poni_op_try(op))
            return PONS_SUBMIT_DONE;
    } else if (!(s->drained & 1u << i) && adapter_try(s, op, 1u << i)) {
        return PONS_SUBMIT_DONE;
    }
    return adapter_queue(a, s, op, i);
}

static int
submit_retry(struct poni_adapter *a, struct pons_op *op)
{
    op->backend[0] = RETRIES;
    oplist_push(&a->retries, op);
    return PONS_SUBMIT_PENDING;
}

/*
 * A connect that was not even started (a unix listener whose queue is full) is
 * tried again from time to time: nothing will report that there is room. That
 * is why it is made before its turn.
 */
static int
submit_connect(struct poni_adapter *a, struct pons_op *op)
{
    if (poni_op_try(op))
        return PONS_SUBMIT_DONE;
    if (op->backend2 != 0) // under way
        return poni_adapter_queue(a, poni_slots_find(&a->slots, op->fd), op, 1);
    return submit_retry(a, op);
}

static int
adapter_open_odd(struct poni_adapter *a)
{
    int err, set;

    if (a->odd >= 0)
        return 0;
    set = poni_oddset_open();
    if (set < 0)
        return set;
    err = a->poll_ops->control(a->poller, set, COOKIE_ODD, 0, PONS_READABLE);
    if (err < 0) {
        close(set);
        return err;
    }
    a->odd = set;
    return 0;
}

/* Once all its edges are told, they are told until it is forgotten. */
int
poni_adapter_watch_odd(struct poni_adapter *a, struct poni_slot *s, int fd,
                       enum poni_odd what)
{
    int err = adapter_open_odd(a);

    if (err < 0 || s->odd >= what)
        return err;
    err = poni_oddset_add(a->odd, fd, what);
    if (err == 0)
        s->odd = (uint8_t)what;
    return err;
}

/* POLL, and calls whose outcome says nothing about their direction: out of
 * turn, each for its own events. */
static int
submit_watch(struct poni_adapter *a, struct pons_op *op)
{
    unsigned events = (unsigned short)poni_op_events(op);
    unsigned dirs = poni_poll_directions(events);
    int odd = poni_poll_is_odd(events), err = 0;
    struct poni_slot *s;

    if (poni_op_try(op))
        return PONS_SUBMIT_DONE;
    s = poni_slots_make(&a->slots, op->fd);
    if (s == NULL)
        return poni_submit_ends(op, -ENOMEM);
    if (a->edge || dirs != 0)
        err = poni_adapter_watch(a, s, op->fd, dirs);
    if (err == 0 && odd && !a->edge)
        err = poni_adapter_watch_odd(a, s, op->fd, ODD_ENDS);
    if (err < 0 && err != -EPERM) // a file: what it is not now it never is
        return poni_submit_ends(op, err);
    op->backend[0] = WATCHES;
    oplist_push(&s->watching, op);
    return PONS_SUBMIT_PENDING;
}

/* A peek takes nothing, the error queue and urgent data stand beside the bytes,
 * and flags that are refused are refused at once. */
static inline int
recv_is_aside(const struct pons_op *op)
{
    return (op->op_flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE | MSG_DONTWAIT |
                            MSG_WAITALL)) != 0;
}

int
poni_recv_is_aside(const struct pons_op *op)
{
    return recv_is_aside(op);
}

static int
send_is_aside(const struct pons_op *op)
{
    return (op->op_flags & (MSG_DONTWAIT | MSG_WAITALL)) != 0;
}

/*
 * A message to a unix socket that it is not connected to: poll(2) knows of its
 * own room only, not of the other's queue. To wait for that report would be a
 * busy loop, for a try that fails gives back memory and so causes the next.
 */
static int
sendmsg_is_blind(const struct pons_op *op)
{
    const struct msghdr *m = op->addr;
    const struct sockaddr *to = m != NULL ? m->msg_name : NULL;

    return to != NULL && m->msg_namelen >= sizeof to->sa_family &&
           to->sa_family == AF_UNIX;
}

static int
submit_sendmsg(struct poni_adapter *a, struct pons_op *op)
{
    if (send_is_aside(op))
        return submit_watch(a, op);
    if (!sendmsg_is_blind(op))
        return submit_call(a, op, 1);
    if (poni_op_try(op))
        return PONS_SUBMIT_DONE;
    return submit_retry(a, op);
}

__attribute__((noinline)) static int
submit_other(struct poni_adapter *a, struct pons_op *op)
{
    switch (op->opcode) {
    case PONS_OP_NOP:
        return poni_submit_ends(op, (int32_t)op->len);
    case PONS_OP_READ:
    case PONS_OP_WRITE:
        if (op->offset != PONS_AT_POSITION)
            return submit_pass(a, op); // only files have offsets
        return submit_call(a, op, op->opcode == PONS_OP_WRITE);
    case PONS_OP_ACCEPT:
        return submit_call(a, op, 0);
    case PONS_OP_RECV:
    case PONS_OP_SEND: // aside, or it would not be here
        return submit_watch(a, op);
    case PONS_OP_RECVMSG:
        return poni_recv_is_aside(op) ? submit_watch(a, op)
                                      : submit_call(a, op, 0);
    case PONS_OP_SENDMSG:
        return submit_sendmsg(a, op);
    case PONS_OP_CONNECT:
        return submit_connect(a, op);
    case PONS_OP_POLL:
        return submit_watch(a, op);
    case PONS_OP_ACCEPT_MULTI:
    case PONS_OP_RECV_MULTI:
    case PONS_OP_POLL_MULTI:
        return poni_flow_submit(a, op);
    case PONS_OP_SHUTDOWN:
    case PONS_OP_SOCKET:
        return poni_submit_ends(op, poni_op_call(op));
    default:
        return submit_pass(a, op);
    }
}

static int
adapter_submit(struct pons_reactor *r, struct pons_op *op)
{
    struct poni_adapter *a = self(r);

    if (op->opcode == PONS_OP_RECV && !recv_is_aside(op))
        return submit_call(a, op, 0);
    if (op->opcode == PONS_OP_SEND && !send_is_aside(op))
        return submit_call(a, op, 1);
    return submit_other(a, op);
}

/* --- cancel --- */

/*
 * Nothing was consumed: the call was not made. Only a connect that was started
 * goes on in the kernel; its socket is good for closing and nothing else.
 */
static void
adapter_cancel(struct pons_reactor *r, struct pons_op *op)
{
    struct poni_adapter *a = self(r);
    struct poni_slot *s = poni_slots_find(&a->slots, op->fd);

    switch ((enum op_place)op->backend[0]) {
    case WAITS:
        oplist_remove(&s->waiting[poni_op_events(op) == POLLOUT], op);
        break;
    case WATCHES:
        oplist_remove(&s->watching, op);
        break;
    case RETRIES:
        oplist_remove(&a->retries, op);
        break;
    case FLOWS: // in its turn: the list may be long
        op->res = -ECANCELED;
        op->backend[0] = FINISHED;
        return;
    case PASSED:
        a->poll_ops->cancel(a->poller, op);
        return;
    case FINISHED:
        return;
    }
    op->res = -ECANCELED;
    poni_adapter_finish(a, op);
}

/* --- reports --- */

static inline void
report_to_calls(struct poni_adapter *a, struct poni_slot *s, unsigned i)
{
    unsigned dir = 1u << i;

    while (s->waiting[i] != NULL && !(s->drained & dir)) {
        if (poni_op_is_multi(oplist_first(s->waiting[i]))) {
            (void)poni_flow_begin(a, oplist_pop(&s->waiting[i]));
            continue;
        }
        if (!adapter_try(s, oplist_first(s->waiting[i]), dir))
            break;
        poni_adapter_finish(a, oplist_pop(&s->waiting[i]));
    }
}

/* Tries each op of `list`, in turn; who would block stays. */
static void
report_to_all(struct poni_adapter *a, struct pons_op **list)
{
    struct pons_op *op, *stay = NULL;

    while ((op = oplist_pop(list)) != NULL) {
        if (poni_op_is_multi(op))
            (void)poni_flow_begin(a, op);
        else if (poni_op_try(op))
            poni_adapter_finish(a, op);
        else
            oplist_push(&stay, op);
    }
    *list = stay;
}

/* The directions of `s` that somebody waits for. */
static unsigned
slot_wanted(const struct poni_slot *s)
{
    const struct pons_op *op = s->watching;
    unsigned dirs = 0;

    if (s->waiting[0] != NULL)
        dirs |= PONS_READABLE;
    if (s->waiting[1] != NULL)
        dirs |= PONS_WRITABLE;
    if (op != NULL)
        do {
            if (!poni_op_is_multi(op)) // the oddset tells of these
                dirs |=
                    poni_poll_directions((unsigned short)poni_op_events(op));
            op = op->next;
        } while (op != s->watching);
    return dirs;
}

/* Watchers first: they are told of bytes that a call then takes. */
static void
report_ready(struct poni_adapter *a, int fd, struct poni_slot *s,
             unsigned ready)
{
    unsigned idle = a->edge ? 0 : ready & ~slot_wanted(s);

    s->drained &= (uint8_t)~ready;
    if (ready & PONS_ENDING)
        s->kind = KIND_OTHER;
    if (s->watching != NULL)
        report_to_all(a, &s->watching);
    if (ready & PONS_READABLE)
        report_to_calls(a, s, 0);
    if (ready & PONS_WRITABLE)
        report_to_calls(a, s, 1);
    slot_unwatch(a, s, fd, idle);
}

static void
report_odd(struct poni_adapter *a)
{
    int fds[REPORTS], n = poni_oddset_take(a->odd, fds, REPORTS);

    for (int i = 0; i < n; i++)
        report_to_all(a, &poni_slots_find(&a->slots, fds[i])->watching);
}

static void
adapter_report(struct poni_adapter *a, const struct pons_ready *r)
{
    int fd = (int)(uint32_t)r->cookie;
    struct poni_slot *s;

    if (r->ready & PONS_ENDED) {
        poni_adapter_finish(a, (struct pons_op *)(uintptr_t)r->cookie);
        return;
    }
    if (r->cookie == COOKIE_TIMER) {
        poni_finetimer_heard(&a->timer);
        return;
    }
    if (r->cookie == COOKIE_ODD) {
        report_odd(a);
        return;
    }
    s = poni_slots_find(&a->slots, fd);
    if (s != NULL && r->cookie == slot_cookie(s, fd)) // else it is stale
        report_ready(a, fd, s, r->ready);
}

/* --- what is told --- */

/* Either may have more than there is room for, all the time: they take turns.
 * What has FINISHED comes to an end, for the poller is not asked before. */
static unsigned
adapter_tell(struct poni_adapter *a, struct pons_event *events, unsigned cap)
{
    unsigned n;

    a->flow_first = !a->flow_first;
    if (a->flow_first) {
        n = poni_flow_tell(a, events, cap);
        return n + adapter_take(a, events + n, cap - n);
    }
    n = adapter_take(a, events, cap);
    return n + poni_flow_tell(a, events + n, cap - n);
}

/* --- poll --- */

static uint64_t
poller_deadline(struct poni_adapter *a, uint64_t deadline_ns)
{
    if (a->retries != NULL && deadline_ns != 0) {
        uint64_t soon = a->host->now(a->host) + RETRY_NS;

        if (soon < deadline_ns)
            deadline_ns = soon;
    }
    if (deadline_ns == 0 || deadline_ns == PONS_NEVER || a->timer.fd < 0)
        return deadline_ns;
    return poni_finetimer_split(&a->timer, deadline_ns);
}

/* Whether there was a wake; answers it. Pairs with adapter_wake(): what the
 * waker wrote before is visible after. */
static int
adapter_rung(struct poni_adapter *a)
{
    return poni_load_relaxed(&a->rung) && poni_swap(&a->rung, 0);
}

/* Asks the poller, and hears what it says. Negative: it is broken. */
static int
adapter_wait(struct poni_adapter *a, uint64_t deadline_ns)
{
    struct pons_ready ready[REPORTS];
    int n = a->poll_ops->wait(a->poller, ready, REPORTS,
                              poller_deadline(a, deadline_ns));

    for (int i = 0; i < n; i++)
        adapter_report(a, &ready[i]);
    if (a->retries != NULL)
        report_to_all(a, &a->retries);
    return n;
}

static int
adapter_is_late(const struct poni_adapter *a, uint64_t deadline_ns)
{
    return deadline_ns == 0 ||
           (deadline_ns != PONS_NEVER && a->host->now(a->host) >= deadline_ns);
}

/*
 * The poller may come back with nothing for us: stale reports, reports that
 * nobody waits for, a bell whose wake was answered before; and what flows may
 * have run dry. Only a wake or the deadline ends the wait then (R7). While
 * something flows the poller is asked, too, or others would starve.
 */
static int
adapter_poll(struct pons_reactor *r, struct pons_event *events, unsigned cap,
             uint64_t deadline_ns)
{
    struct poni_adapter *a = self(r);
    unsigned n;
    int rung;

    do {
        rung = 0;
        if (a->finished == NULL) {
            int err = adapter_wait(a, a->flowing != NULL ? 0 : deadline_ns);

            if (err < 0)
                return err;
            rung = adapter_rung(a);
        }
        n = adapter_tell(a, events, cap);
    } while (n == 0 && cap > 0 && !rung && !adapter_is_late(a, deadline_ns));
    return (int)n;
}

/*
 * Rings once per answer. A ring that comes late, after its wake was answered,
 * is ignored by adapter_poll(): later wakes ring again.
 */
static int
adapter_wake(struct pons_reactor *r)
{
    struct poni_adapter *a = self(r);

    /* Pairs with adapter_rung(): publishes what the waker wrote before. */
    if (poni_swap(&a->rung, 1))
        return 0;
    return a->poll_ops->wake(a->poller);
}

/* --- descriptors, threads, the end --- */

static int
adapter_forget(struct pons_reactor *r, int fd)
{
    struct poni_adapter *a = self(r);
    struct poni_slot *s = poni_slots_find(&a->slots, fd);

    if (s == NULL)
        return 0;
    if (s->waiting[0] || s->waiting[1] || s->watching)
        return -EBUSY;
    slot_unwatch(a, s, fd, BOTH);
    if (s->odd)
        poni_oddset_remove(a->odd, fd);
    *s = (struct poni_slot){.generation = s->generation + 1};
    return 0;
}

static int
adapter_control(struct pons_reactor *r, unsigned what, void *arg)
{
    struct poni_adapter *a = self(r);

    switch (what) {
    case PONS_CONTROL_LEND:
        return poni_flow_lend(a, arg);
    case PONS_CONTROL_RETURN:
        return a->lent != NULL ? poni_lent_return(a->lent, arg) : -EINVAL;
    default:
        return -ENOTSUP;
    }
}

static int
adapter_bind(struct pons_reactor *r)
{
    (void)r; // nothing here or in a poller knows its thread
    return 0;
}

/* What the adapter itself has, without telling the poller. */
static void
adapter_free(struct poni_adapter *a)
{
    const struct pons_host *h = a->host;

    poni_finetimer_close(&a->timer);
    if (a->odd >= 0)
        close(a->odd);
    poni_slots_free(&a->slots);
    if (a->lent != NULL) {
        poni_lent_free(a->lent);
        h->free(h, a->lent, sizeof *a->lent);
    }
    h->free(h, a, sizeof *a);
}

static void
adapter_close(struct pons_reactor *r)
{
    struct poni_adapter *a = self(r);

    for (unsigned fd = 0; fd < a->slots.chunk_count * SLOTS_CHUNK; fd++) {
        struct poni_slot *s = poni_slots_find(&a->slots, (int)fd);

        if (s != NULL)
            slot_unwatch(a, s, (int)fd, BOTH);
    }
    if (a->timer.fd >= 0)
        (void)a->poll_ops->control(a->poller, a->timer.fd, COOKIE_TIMER,
                                   PONS_READABLE, 0);
    if (a->odd >= 0)
        (void)a->poll_ops->control(a->poller, a->odd, COOKIE_ODD, PONS_READABLE,
                                   0);
    a->poll_ops->close(a->poller);
    adapter_free(a);
}

/* The kernel's set may be the parent's, too: it is left as it is. */
static void
adapter_forked(struct pons_reactor *r)
{
    struct poni_adapter *a = self(r);

    a->poll_ops->close(a->poller);
    adapter_free(a);
}

static int
adapter_open_timer(struct poni_adapter *a, struct pons_reason *reason)
{
    int err;

    if (a->poll_ops->caps & PONS_POLLER_NANOSECONDS)
        return 0;
    err = poni_finetimer_open(&a->timer, a->host);
    if (err < 0)
        return a->host->refuse(reason, err, "timerfd_create: %s",
                               strerror(-err));
    err = a->poll_ops->control(a->poller, a->timer.fd, COOKIE_TIMER, 0,
                               PONS_READABLE);
    if (err < 0)
        return a->host->refuse(reason, err, "%s cannot watch a timerfd: %s",
                               a->poll_ops->name, strerror(-err));
    return 0;
}

static const struct pons_reactor_ops adapter_ops = {
    .abi = PONS_ABI,
    .size = sizeof adapter_ops,
    .bind = adapter_bind,
    .close = adapter_close,
    .control = adapter_control,
    .forget = adapter_forget,
    .forked = adapter_forked,
    .submit = adapter_submit,
    .cancel = adapter_cancel,
    .poll = adapter_poll,
    .wake = adapter_wake,
};

static void
adapter_init(struct poni_adapter *a, const struct pons_poller_ops *ops,
             const struct pons_host *host)
{
    a->ops = adapter_ops;
    a->ops.name = ops->name;
    a->base.ops = &a->ops;
    a->base.caps = PONS_REACTOR_REGISTERS;
    if (ops->caps & PONS_POLLER_PINNED)
        a->base.caps |= PONS_REACTOR_PINNED;
    a->base.opcodes[0] = OPCODES;
    a->host = host;
    a->poll_ops = ops;
    a->edge = (ops->caps & PONS_POLLER_EDGE) != 0;
    a->slots.host = host;
    a->timer.fd = -1;
    a->odd = -1;
}

/* What a poller does besides; it may depend on its options. */
static void
adapter_pass_files(struct poni_adapter *a)
{
    const struct pons_poller_ops *ops = a->poll_ops;
    const uint64_t bytes = 1u << PONS_OP_READ | 1u << PONS_OP_WRITE;

    if (ops->size < FILES_SIZE || ops->submit == NULL || ops->cancel == NULL)
        return;
    a->passed = a->poller->opcodes;
    a->base.opcodes[0] |= a->passed;
    if ((a->passed & bytes) == bytes)
        a->base.caps |= PONS_REACTOR_FILES;
}

int
poni_adapter_open(struct pons_reactor **out, const struct pons_poller_ops *ops,
                  const struct pons_config *config,
                  const struct pons_host *host, struct pons_reason *reason)
{
    struct poni_adapter *a = host->alloc(host, sizeof *a);
    int err;

    if (a == NULL)
        return host->refuse(reason, -ENOMEM, "no memory for the reactor");
    adapter_init(a, ops, host);
    err = ops->open(&a->poller, config, host, reason);
    if (err == 0 && a->poller == NULL)
        err = host->refuse(reason, -EINVAL,
                           "open(): it returned 0, and made nothing");
    if (err != 0)
        goto free_adapter;
    err = adapter_open_timer(a, reason);
    if (err < 0)
        goto close_poller;
    adapter_pass_files(a);
    *out = &a->base;
    return 0;

close_poller:
    ops->close(a->poller);
free_adapter:
    adapter_free(a);
    return err;
}
