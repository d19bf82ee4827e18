/* SPDX-License-Identifier: MIT */
/*
 * tests/list_test.c - the grammar of lists.
 */

#include "core/fail.h"
#include "core/settings.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static struct poni_list
parsed(const char *text)
{
    struct poni_list l;

    if (poni_list_parse(&l, "PONS_X", text) < 0)
        fprintf(stderr, "%s\n", pons_last_error());
    else
        return l;
    exit(1);
}

static void
check_pair(const struct poni_list *l, unsigned item, unsigned pair,
           const char *key, const char *value)
{
    CHECK(item < l->count && pair < l->items[item].pair_count);
    CHECK_EQ(strcmp(l->items[item].pairs[pair].key, key), 0);
    CHECK_EQ(strcmp(l->items[item].pairs[pair].value, value), 0);
}

static void
a_list_has_items_with_options(void)
{
    struct poni_list l = parsed("uring:entries=512:owner=strict,epoll,x:a=b=c");

    CHECK_EQ(l.count, 3);
    CHECK_EQ(strcmp(l.items[0].name, "uring"), 0);
    CHECK_EQ(l.items[0].pair_count, 2);
    check_pair(&l, 0, 0, "entries", "512");
    check_pair(&l, 0, 1, "owner", "strict");
    CHECK_EQ(strcmp(l.items[1].name, "epoll"), 0);
    CHECK_EQ(l.items[1].pair_count, 0);
    check_pair(&l, 2, 0, "a", "b=c");
    poni_list_fini(&l);
}

static void
brackets_enclose_a_whole_word(void)
{
    struct poni_list l =
        parsed("trace:over=[uring:entries=512,[a,b]]:n=1,[/a b,c:d.so]:k=[]");

    CHECK_EQ(l.count, 2);
    check_pair(&l, 0, 0, "over", "uring:entries=512,[a,b]");
    check_pair(&l, 0, 1, "n", "1");
    CHECK_EQ(strcmp(l.items[1].name, "/a b,c:d.so"), 0);
    check_pair(&l, 1, 0, "k", "");
    poni_list_fini(&l);
}

static void
what_is_no_list_is_refused_with_a_sentence(void)
{
    static const struct {
        const char *text, *part;
    } wrong[] = {
        {"", "empty item"},
        {"a,", "empty item"},
        {",a", "empty item"},
        {"a,,b", "empty item"},
        {"[]", "empty item"},
        {":a=1", "empty item"},
        {"a:", "without a key"},
        {"a::b=1", "without a key"},
        {"a:=1", "without a key"},
        {"a:b", "without \"=\""},
        {"a:b,c", "without \"=\""},
        {"a:b=", "no value for b"},
        {"a:b=:c=1", "no value for b"},
        {"a=1", "\"=\" where a name is wanted"},
        {"a:b=1:b=2", "says b twice"},
        {"a:b=[c", "[ without its ]"},
        {"a:b=[c]]", "followed by"},
        {"a:b=[c]d", "followed by"},
        {"a:b=c]", "inside a word"},
        {"a[b]", "inside a word"},
        {"a, b", "contains a space"},
        {"a:b= 1", "contains a space"},
        {"a:b =1", "contains a space"},
    };
    struct poni_list l;

    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQ(poni_list_parse(&l, "PONS_X", wrong[i].text), -EINVAL);
        CHECK_HAS(pons_last_error(), "PONS_X: ");
        CHECK_HAS(pons_last_error(), wrong[i].text);
        CHECK_HAS(pons_last_error(), wrong[i].part);
    }
}

static const struct unit_test tests[] = {
    {"a_list_has_items_with_options", a_list_has_items_with_options},
    {"brackets_enclose_a_whole_word", brackets_enclose_a_whole_word},
    {"what_is_no_list_is_refused_with_a_sentence",
     what_is_no_list_is_refused_with_a_sentence},
    {0},
};

int
main(int argc, char **argv)
{
    return unit_main("list", tests, argc, argv);
}
