// SPDX-License-Identifier: MIT
//! The echo server: a task a connection.

use async_io::Async;
use bench::Server;
use futures_lite::future::yield_now;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::net::{TcpListener, TcpStream};

use crate::runtime::{Runtime, Spawner};

pub static SERVER: Server = Server {
    name: "echo",
    how: "a task a connection: read() into a buffer of 1 KiB, 32 KiB once it \
          was full; write_all(); TCP_NODELAY",
    serve,
};

const SMALL: usize = 1024; // most connections say little
const LARGE: usize = 32768; // more than a message: a short count is all

async fn echo(mut stream: Async<TcpStream>) -> std::io::Result<()> {
    let mut buffer = vec![0; SMALL];

    stream.get_ref().set_nodelay(true)?;
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..n]).await?;
        if n == SMALL {
            buffer.resize(LARGE, 0);
        }
    }
}

async fn accept_all(executor: Spawner, listener: Async<TcpListener>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => executor.spawn(echo(stream)).detach(),
            Err(why) => {
                eprintln!("async-executor: accept: {}", why);
                yield_now().await;
            }
        }
    }
}

fn serve() {
    let rt = Runtime::new();
    let listener = Async::new(bench::listen()).unwrap();

    rt.inside(accept_all(rt.executor.clone(), listener));
}
