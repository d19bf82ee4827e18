/* SPDX-License-Identifier: MIT */
/*
 * kit/reactor_packet.c - R9: what keeps the bounds of messages.
 */

#include "kit.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 16, OPS = 3 };

static void
packet_bounds_of(struct pons_reactor *r, int type)
{
    struct pons_op op;
    char text[ROOM];
    int fds[2];

    kit_unix_pair(fds, type);
    op = kit_op(PONS_OP_RECV, fds[0], text, sizeof text);
    kit_pends(r, &op);
    kit_say(fds[1], "ab");
    kit_say(fds[1], "cde");
    kit_say(fds[1], "f");
    kit_awaits(r, &op, 2);
    kit_ends(r, kit_op(PONS_OP_RECV, fds[0], text, sizeof text), 3);
    kit_ends(r, kit_op(PONS_OP_RECV, fds[0], text, sizeof text), 1);

    /* The other side's queue is full, and then it is not. */
    kit_fill(fds[0]);
    op = kit_op(PONS_OP_SEND, fds[0], text, sizeof text);
    kit_pends(r, &op);
    kit_drain(fds[1]);
    kit_awaits(r, &op, sizeof text);
    kit_close_pair(r, fds);
}

static void
packet_bounds(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);

    packet_bounds_of(r, SOCK_DGRAM);
    packet_bounds_of(r, SOCK_SEQPACKET);
    kit_close(r);
}

static int
packet_udp_socket(struct sockaddr_in *address)
{
    int fd = KIT_SYS(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

    kit_bind(fd, address);
    return fd;
}

/* Datagrams of 0, 1 and 2 bytes for three ops. */
static void
packet_udp(struct kit *k)
{
    struct pons_reactor *r = kit_open(k);
    struct sockaddr_in address, from;
    int fd = packet_udp_socket(&address), other = packet_udp_socket(&from);
    struct pons_op ops[OPS];
    char text[OPS][ROOM];
    int sum = 0;

    kit_ends(r, kit_op(PONS_OP_CONNECT, other, &address, sizeof address), 0);
    for (int i = 0; i < OPS; i++) {
        ops[i] = kit_op(PONS_OP_RECV, fd, text[i], ROOM);
        kit_pends(r, &ops[i]);
    }
    for (int i = 0; i < OPS; i++)
        KIT_EQ(send(other, "abc", (size_t)i, 0), i, "the kit's own send");
    kit_await_all(r, ops, OPS);
    for (int i = 0; i < OPS; i++)
        sum += ops[i].res;
    KIT_EQ(sum, 0 + 1 + 2, "the sum of datagrams of 0, 1 and 2 bytes");

    /* One after the other: an op that waited would end beside the SEND. */
    for (int i = 0; i < OPS; i++) {
        kit_ends(r, kit_op(PONS_OP_SEND, other, "abc", (size_t)i), i);
        kit_ends(r, kit_op(PONS_OP_RECV, fd, text[i], ROOM), i);
    }
    kit_forget(r, fd);
    kit_forget(r, other);
    kit_close(r);
}

const struct kit_test kit_packet_tests[] = {
    {"R9", "packets keep their bounds", KIT_IO, NULL, packet_bounds},
    {"R9", "datagrams keep their bounds, an empty one, too", KIT_IO, NULL,
     packet_udp},
    {0},
};
