/* SPDX-License-Identifier: MIT */
/*
 * core/stack.c - see core/stack.h.
 *
 * Mappings are scarce (65,530 a process) and slow to make (9 µs a stack), pages
 * are neither until touched. So one mapping is a region of up to 64 slots, each
 * a guard and, above it, a stack; a word says which slots are carved, that is,
 * have a guard and a struct poni_stack at their top.
 *
 *     not carved --- take: guard, struct ---> in use --- give ---> pooled,
 *          ^                                    ^                  warm or cold
 *          |                                    +------ take --------+ |
 *          +--------------------------- trim --------------------------+
 *
 * Guards are MADV_GUARD_INSTALL where the kernel has it, since 6.13: mprotect()
 * cuts the mapping in two at each. A region that trim finds without carved
 * slots is unmapped; its struct stays, for poni_stack_guard_hit() reads them
 * all.
 *
 * The slots are a guard longer than a power of two, and the tops are shifted
 * against each other: else the hot words of all fibers would meet in a few sets
 * of the caches (1000 fibers in turn: 2.5 ns less each).
 */

#include "stack.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atomic.h"
#include "fiber.h" // the limits
#include "lock.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_STACK_REGISTER(low, high)        0
#define VALGRIND_STACK_DEREGISTER(id)             ((void)(id))
#define VALGRIND_MAKE_MEM_UNDEFINED(start, bytes) ((void)(start))
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum {
    REGION_SLOTS = 64,       // bits of a word
    REGION_BYTES = 16 << 20, // address space that one mapping may take

    COLOURS = 16, // tops are shifted by up to a quarter of a page,
    COLOUR = 64,  // a cache line each

    CLASSES = 13, // powers of two from FIBER_STACK_MIN to FIBER_STACK_MAX
};
_Static_assert((size_t)FIBER_STACK_MIN << (CLASSES - 1) == FIBER_STACK_MAX,
               "a class for each size");

struct stack_region {
    /* Set once, before it is published in pool.regions. */
    struct stack_region *next;
    struct stack_class *class;

    /* Under pool.lock; poni_stack_guard_hit() reads them without. */
    char *base;      // NULL: not mapped
    uint64_t carved; // a bit per slot

    /* Under pool.lock: in class->open if there is a slot to carve, in
     * class->unmapped if there is no base. */
    struct stack_region *link;
};

struct stack_class {
    struct poni_stack *warm, *cold; // free; cold ones have their top page only
    size_t warm_bytes;
    struct stack_region *open, *unmapped;
};

/* How guards are made. Any thread may find it out; all find the same. */
enum guard_way { GUARD_UNKNOWN, GUARD_BY_MADVISE, GUARD_BY_MPROTECT };

static struct {
    uint32_t lock; // guards the classes; not held over a system call
    uint32_t guard_way;
    struct stack_region *regions; // all that ever were, newest first
    struct stack_class classes[CLASSES];
} pool;

static size_t
page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* The smallest class that holds `bytes` and at least a page. */
static struct stack_class *
class_of(size_t bytes)
{
    enum { PAGE_MAX = 64 << 10 }; // saves others the question
    size_t units;

    if (bytes < PAGE_MAX && bytes < page_bytes())
        bytes = page_bytes();
    units = (bytes - 1) / FIBER_STACK_MIN;
    return &pool.classes[units == 0 ? 0 : 64 - __builtin_clzll(units)];
}

static size_t
class_bytes(const struct stack_class *c)
{
    return (size_t)FIBER_STACK_MIN << (c - pool.classes);
}

static size_t
slot_bytes(const struct stack_class *c)
{
    return page_bytes() + class_bytes(c);
}

static unsigned
class_slots(const struct stack_class *c)
{
    size_t fit = REGION_BYTES / class_bytes(c);

    return fit >= REGION_SLOTS ? REGION_SLOTS : fit > 1 ? (unsigned)fit : 1;
}

static uint64_t
class_full(const struct stack_class *c)
{
    return UINT64_MAX >> (REGION_SLOTS - class_slots(c));
}

/* Whether the guard that was just installed is one. Emulators and sandboxes
 * take the advice, say 0 and do nothing; where it was done, this cannot be
 * read. */
static int
guard_is_there(char *at)
{
    return madvise(at, page_bytes(), MADV_POPULATE_READ) < 0 && errno == EFAULT;
}

static int
guard_make(char *at)
{
    uint32_t way = poni_load_relaxed(&pool.guard_way);

    if (way != GUARD_BY_MPROTECT &&
        madvise(at, page_bytes(), MADV_GUARD_INSTALL) == 0) {
        if (way == GUARD_BY_MADVISE)
            return 0;
        if (guard_is_there(at)) {
            poni_store_relaxed(&pool.guard_way, GUARD_BY_MADVISE);
            return 0;
        }
    }
    poni_store_relaxed(&pool.guard_way, GUARD_BY_MPROTECT);
    return mprotect(at, page_bytes(), PROT_NONE);
}

/* A child of fork() must not inherit the lock from a thread that it lacks. */
static void
pool_lock(void)
{
    poni_lock(&pool.lock);
}

static void
pool_unlock(void)
{
    poni_unlock(&pool.lock);
}

static void
pool_survives_fork(void)
{
    (void)pthread_atfork(pool_lock, pool_unlock, pool_unlock);
}

/* A struct for a region of `c`, used or new. NULL: no memory. */
static struct stack_region *
region_take(struct stack_class *c)
{
    struct stack_region *r;

    pool_lock();
    r = c->unmapped;
    if (r != NULL)
        c->unmapped = r->link;
    pool_unlock();
    if (r != NULL)
        return r;
    r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->class = c;
    pool_lock();
    r->next = pool.regions;
    /* Pairs with the acquire in poni_stack_guard_hit(): publishes *r. */
    poni_store_release(&pool.regions, r);
    pool_unlock();
    return r;
}

/* Maps a region and opens it. 0, or -1 without memory. */
static int
region_map(struct stack_class *c)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    size_t bytes = class_slots(c) * slot_bytes(c);
    struct stack_region *r;
    char *base;

    (void)pthread_once(&once, pool_survives_fork);
    base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED)
        return -1;
    /* Else the first touch of a stack could cost 2 MiB. It fails where there
     * are no huge pages. */
    (void)madvise(base, bytes, MADV_NOHUGEPAGE);
    r = region_take(c);
    if (r == NULL)
        goto unmap;
    pool_lock();
    poni_store_relaxed(&r->base, base);
    r->link = c->open;
    c->open = r;
    pool_unlock();
    return 0;
unmap:
    munmap(base, bytes);
    return -1;
}

/* A slot of an open region is ours: its number. Called and left with the lock.
 */
static unsigned
region_carve(struct stack_region *r)
{
    struct stack_class *c = r->class;
    unsigned slot = (unsigned)__builtin_ctzll(~r->carved);

    poni_store_relaxed(&r->carved, r->carved | UINT64_C(1) << slot);
    if (r->carved == class_full(c))
        c->open = r->link;
    return slot;
}

static void
region_uncarve(struct stack_region *r, unsigned slot)
{
    struct stack_class *c = r->class;

    pool_lock();
    if (r->carved == class_full(c)) {
        r->link = c->open;
        c->open = r;
    }
    poni_store_relaxed(&r->carved, r->carved & ~(UINT64_C(1) << slot));
    pool_unlock();
}

/* Unlinks the open regions of `c` without carved slots: a list by `link`. */
static struct stack_region *
class_take_empty(struct stack_class *c)
{
    struct stack_region *empty = NULL, **at = &c->open, *r;

    pool_lock();
    while ((r = *at) != NULL) {
        if (r->carved != 0) {
            at = &r->link;
            continue;
        }
        *at = r->link;
        r->link = empty;
        empty = r;
    }
    pool_unlock();
    return empty;
}

/* Consumes the list. */
static void
regions_unmap(struct stack_region *list)
{
    struct stack_region *r;

    while ((r = list) != NULL) {
        struct stack_class *c = r->class;

        list = r->link;
        munmap(r->base, class_slots(c) * slot_bytes(c));
        pool_lock();
        poni_store_relaxed(&r->base, NULL);
        r->link = c->unmapped;
        c->unmapped = r;
        pool_unlock();
    }
}

/* A new stack: NULL without memory. */
static struct poni_stack *
stack_carve(struct stack_class *c)
{
    struct stack_region *r;
    struct poni_stack *s;
    unsigned slot;
    char *guard, *top;

    pool_lock();
    while ((r = c->open) == NULL) {
        pool_unlock();
        if (region_map(c) < 0)
            return NULL;
        pool_lock();
    }
    slot = region_carve(r);
    pool_unlock();
    guard = r->base + slot * slot_bytes(c);
    if (guard_make(guard) < 0)
        goto uncarve;
    top = guard + slot_bytes(c) - slot % COLOURS * COLOUR;
    s = (struct poni_stack *)(void *)top - 1;
    *s = (struct poni_stack){
        .region = r, .slot = slot, .low = guard + page_bytes()};
    s->valgrind = VALGRIND_STACK_REGISTER(s->low, top - 1);
    return s;
uncarve:
    region_uncarve(r, slot);
    return NULL;
}

/* Undoes it. */
static void
stack_uncarve(struct poni_stack *s)
{
    struct stack_region *r = s->region;
    unsigned slot = s->slot;

    VALGRIND_STACK_DEREGISTER(s->valgrind);
    (void)madvise(s->low, class_bytes(r->class), MADV_DONTNEED);
    region_uncarve(r, slot);
}

static void
stack_cool(struct poni_stack *s)
{
    uintptr_t page = (uintptr_t)s & ~(page_bytes() - 1);
    int saved = errno;

    (void)madvise(s->low, page - (uintptr_t)s->low, MADV_DONTNEED);
    errno = saved;
}

/* The last one freed, or NULL. */
static struct poni_stack *
class_pop(struct stack_class *c)
{
    struct poni_stack *s;

    pool_lock();
    s = c->warm;
    if (s != NULL) {
        c->warm = s->next;
        c->warm_bytes -= class_bytes(c);
    } else if ((s = c->cold) != NULL) {
        c->cold = s->next;
    }
    pool_unlock();
    return s;
}

/* Whether there was room among the warm ones. */
static int
class_push_warm(struct stack_class *c, struct poni_stack *s)
{
    int room;

    pool_lock();
    room = c->warm_bytes < STACK_WARM_BYTES;
    if (room) {
        s->next = c->warm;
        c->warm = s;
        c->warm_bytes += class_bytes(c);
    }
    pool_unlock();
    return room;
}

static void
class_push_cold(struct stack_class *c, struct poni_stack *s)
{
    pool_lock();
    s->next = c->cold;
    c->cold = s;
    pool_unlock();
}

struct poni_stack *
poni_stack_take(size_t bytes)
{
    struct stack_class *c;
    struct poni_stack *s;
    int saved = errno;

    if (bytes > FIBER_STACK_MAX) {
        errno = EINVAL;
        return NULL;
    }
    c = class_of(bytes);
    s = class_pop(c);
    if (s == NULL) {
        s = stack_carve(c);
        errno = s != NULL ? saved : ENOMEM;
    }
    if (s != NULL)
        (void)VALGRIND_MAKE_MEM_UNDEFINED(s->low, (char *)s - s->low);
    return s;
}

void
poni_stack_give(struct poni_stack *s)
{
    struct stack_class *c = s->region->class;

    if (class_push_warm(c, s))
        return;
    stack_cool(s);
    class_push_cold(c, s);
}

void
poni_stack_trim(void)
{
    int saved = errno;

    for (struct stack_class *c = pool.classes; c < pool.classes + CLASSES;
         c++) {
        struct poni_stack *s;

        while ((s = class_pop(c)) != NULL)
            stack_uncarve(s);
        regions_unmap(class_take_empty(c));
    }
    errno = saved;
}

int
poni_stack_guard_hit(const void *address)
{
    uintptr_t at = (uintptr_t)address;
    /* Pairs with the release in region_take(). */
    struct stack_region *r = poni_load_acquire(&pool.regions);

    for (; r != NULL; r = r->next) {
        uintptr_t base = (uintptr_t)poni_load_relaxed(&r->base);
        size_t each = slot_bytes(r->class);

        if (base != 0 && at >= base && at < base + class_slots(r->class) * each)
            return (at - base) % each < page_bytes() &&
                   poni_load_relaxed(&r->carved) >> (at - base) / each & 1;
    }
    return 0;
}
