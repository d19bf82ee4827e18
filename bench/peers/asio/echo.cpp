/* SPDX-License-Identifier: MIT */
/*
 * bench/peers/asio/echo.cpp - an echo server: a coroutine per connection, as in
 * Asio's own example, with its buffer in the coroutine's frame. That is larger
 * than the example's, for large messages, and touched only as far as messages
 * reach: an idle connection has the pages at the two ends of its frame.
 */

#include <array>

#include "asio.hpp"

using asio::ip::tcp;

enum { BUFFER = 32 * 1024 }; // as that of our own server

static asio::awaitable<void>
connection(tcp::socket socket)
{
    std::array<char, BUFFER> bytes;
    boost::system::error_code e;

    socket.set_option(tcp::no_delay(true), e);
    while (!e) {
        auto or_error = asio::redirect_error(asio::use_awaitable, e);
        size_t n =
            co_await socket.async_read_some(asio::buffer(bytes), or_error);

        if (!e)
            co_await asio::async_write(socket, asio::buffer(bytes, n),
                                       or_error);
    }
}

static asio::awaitable<void>
listener(tcp::acceptor acceptor)
{
    for (;;) {
        tcp::socket socket =
            co_await acceptor.async_accept(asio::use_awaitable);

        asio::co_spawn(acceptor.get_executor(), connection(std::move(socket)),
                       asio::detached);
    }
}

void
asio_serve()
{
    Workers workers(peer_workers());
    tcp::acceptor acceptor(workers.context,
                           {asio::ip::address_v4::loopback(), 0});

    serve_say_port(acceptor.local_endpoint().port());
    asio::co_spawn(workers.context, listener(std::move(acceptor)),
                   asio::detached);
}
