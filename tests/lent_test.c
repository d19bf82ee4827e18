/* SPDX-License-Identifier: MIT */
/*
 * tests/lent_test.c - the groups of buffers that the adapter lends from.
 */

#include "core/lent.h"

#include <errno.h>
#include <string.h>

#include "test_host.h"
#include "unit.h"

enum { SIZE = 16 };

static char memory[8 * SIZE];

static struct poni_lent
lent_make(void)
{
    return (struct poni_lent){.host = test_host()};
}

static int
add(struct poni_lent *l, unsigned group, uint32_t size, uint32_t count)
{
    const struct pons_buffers b = {
        .base = memory, .size = size, .count = count, .group = (uint16_t)group};

    return poni_lent_add(l, &b);
}

static int
back(struct poni_lent *l, unsigned group, int index)
{
    const struct pons_lent_buffer b = {.group = (uint16_t)group,
                                       .index = (uint16_t)index};

    return poni_lent_return(l, &b);
}

static int
out(struct poni_lent_group *g)
{
    int index = poni_lent_peek(g);

    CHECK(index >= 0);
    poni_lent_take(g);
    return index;
}

static void
each_buffer_is_out_once(void)
{
    struct poni_lent l = lent_make();
    struct poni_lent_group *g;
    char seen[8] = {0};

    CHECK_EQ(add(&l, 0, SIZE, 8), 0);
    g = poni_lent_group(&l, 0);
    CHECK(g->base == memory);
    CHECK_EQ(g->size, SIZE);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(seen[out(g)]++, 0);
    CHECK_EQ(poni_lent_peek(g), -1);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(back(&l, 0, i), 0);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(seen[out(g)]++, 1);
    poni_lent_free(&l);
    CHECK_EQ(test_pieces, 0);
}

static void
a_look_takes_nothing(void)
{
    struct poni_lent l = lent_make();
    struct poni_lent_group *g;
    int index;

    CHECK_EQ(add(&l, 0, SIZE, 2), 0);
    g = poni_lent_group(&l, 0);
    index = poni_lent_peek(g);
    CHECK_EQ(poni_lent_peek(g), index);
    CHECK_EQ(back(&l, 0, index), -EINVAL); // it is not out
    poni_lent_take(g);
    CHECK(poni_lent_peek(g) != index);
    CHECK_EQ(back(&l, 0, index), 0);
    poni_lent_free(&l);
}

static void
who_came_back_last_goes_first(void)
{
    struct poni_lent l = lent_make();
    struct poni_lent_group *g;
    int a, b;

    CHECK_EQ(add(&l, 0, SIZE, 4), 0);
    g = poni_lent_group(&l, 0);
    a = out(g);
    b = out(g);
    CHECK_EQ(back(&l, 0, b), 0);
    CHECK_EQ(back(&l, 0, a), 0);
    CHECK_EQ(poni_lent_peek(g), a);
    poni_lent_free(&l);
}

static void
what_is_not_out_cannot_come_back(void)
{
    struct poni_lent l = lent_make();
    int index;

    CHECK_EQ(back(&l, 0, 0), -EINVAL);
    CHECK_EQ(add(&l, 0, SIZE, 2), 0);
    CHECK_EQ(back(&l, 0, 0), -EINVAL);
    CHECK_EQ(back(&l, 0, 2), -EINVAL);
    CHECK_EQ(back(&l, 1, 0), -EINVAL);
    CHECK_EQ(back(&l, LENT_GROUPS, 0), -EINVAL);
    CHECK_EQ(back(&l, UINT16_MAX, 0), -EINVAL);
    index = out(poni_lent_group(&l, 0));
    CHECK_EQ(back(&l, 0, index), 0);
    CHECK_EQ(back(&l, 0, index), -EINVAL);
    poni_lent_free(&l);
}

static void
wrong_groups_are_refused(void)
{
    struct poni_lent l = lent_make();
    const struct pons_buffers nowhere = {.size = SIZE, .count = 2};

    CHECK_EQ(poni_lent_add(&l, &nowhere), -EINVAL);
    CHECK_EQ(add(&l, 0, 0, 2), -EINVAL);
    CHECK_EQ(add(&l, 0, SIZE, 0), -EINVAL);
    CHECK_EQ(add(&l, 0, SIZE, 3), -EINVAL);
    CHECK_EQ(add(&l, 0, SIZE, 2 * PONS_BUFFERS_MAX), -EINVAL);
    CHECK_EQ(add(&l, 0, SIZE, UINT32_MAX), -EINVAL);
    CHECK_EQ(test_allocs, 0);
    CHECK_EQ(add(&l, LENT_GROUPS, SIZE, 2), -ENOSPC);
    CHECK_EQ(add(&l, UINT16_MAX, SIZE, 2), -ENOSPC);
    CHECK(poni_lent_group(&l, 0) == NULL);
    CHECK(poni_lent_group(&l, LENT_GROUPS) == NULL);
    CHECK_EQ(add(&l, 0, SIZE, 2), 0);
    CHECK_EQ(add(&l, 0, SIZE, 4), -EEXIST);
    CHECK_EQ(poni_lent_group(&l, 0)->count, 2);
    poni_lent_free(&l);
}

static void
a_group_without_memory_is_not_there(void)
{
    struct poni_lent l = lent_make();

    test_allocs_left = 0;
    CHECK_EQ(add(&l, 0, SIZE, 2), -ENOMEM);
    CHECK(poni_lent_group(&l, 0) == NULL);
    test_allocs_left = -1;
    CHECK_EQ(add(&l, 0, SIZE, 2), 0);
    poni_lent_free(&l);
    CHECK_EQ(test_pieces, 0);
}

static void
one_buffer_and_the_most_there_may_be(void)
{
    struct poni_lent l = lent_make();
    struct poni_lent_group *g;
    static char seen[PONS_BUFFERS_MAX];

    CHECK_EQ(add(&l, 0, 1, 1), 0);
    CHECK_EQ(out(poni_lent_group(&l, 0)), 0);
    CHECK_EQ(poni_lent_peek(poni_lent_group(&l, 0)), -1);
    CHECK_EQ(add(&l, LENT_GROUPS - 1, 1, PONS_BUFFERS_MAX), 0);
    g = poni_lent_group(&l, LENT_GROUPS - 1);
    for (unsigned i = 0; i < PONS_BUFFERS_MAX; i++)
        CHECK_EQ(seen[out(g)]++, 0);
    CHECK_EQ(poni_lent_peek(g), -1);
    CHECK_EQ(back(&l, LENT_GROUPS - 1, PONS_BUFFERS_MAX - 1), 0);
    CHECK_EQ(out(g), PONS_BUFFERS_MAX - 1);
    poni_lent_free(&l);
    CHECK_EQ(test_pieces, 0);
}

#define TEST(name)  \
    {               \
#name, name \
    }

static const struct unit_test tests[] = {
    TEST(each_buffer_is_out_once),
    TEST(a_look_takes_nothing),
    TEST(who_came_back_last_goes_first),
    TEST(what_is_not_out_cannot_come_back),
    TEST(wrong_groups_are_refused),
    TEST(a_group_without_memory_is_not_there),
    TEST(one_buffer_and_the_most_there_may_be),
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("lent", tests, argc, argv);
}
