/* SPDX-License-Identifier: MIT */
/*
 * core/fork.c - see core/fork.h.
 */

#include "fork.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "atomic.h"

uint64_t *poni_epoch_word; // in a page of its own
static uint64_t fallback;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
map_word(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *m = mmap(NULL, page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (m == MAP_FAILED || madvise(m, page, MADV_WIPEONFORK) < 0)
        poni_store_release(
            &poni_epoch_word,
            &fallback); // a child is not told: as without this file
    else
        poni_store_release(&poni_epoch_word, (uint64_t *)m);
}

uint64_t
poni_epoch(void)
{
    static uint64_t last; // copied into a child: so that its epochs go on
    uint64_t now, none = 0;

    if (__builtin_expect(poni_load_acquire(&poni_epoch_word) == NULL, 0))
        pthread_once(&once, map_word);
    now = poni_load_acquire(poni_epoch_word);
    if (now != 0)
        return now;
    now = poni_add(&last, 1) + 1;
    /* Two first callers: the slower takes what the faster has set. */
    return poni_cas_seq(poni_epoch_word, &none, now) ? now : none;
}
