// SPDX-License-Identifier: MIT
//! The echo server: a task a connection.

use bench::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::runtime;

pub static SERVER: Server = Server {
    name: "echo",
    how: "a task a connection: read() into a buffer of 1 KiB, 32 KiB once it \
          was full; write_all(); TCP_NODELAY",
    serve,
};

const SMALL: usize = 1024; // most connections say little
const LARGE: usize = 32768; // more than a message: a short count is all

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; SMALL];

    stream.set_nodelay(true)?;
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

async fn accept_all(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(echo(stream))),
            Err(why) => {
                eprintln!("tokio: accept: {}", why);
                tokio::task::yield_now().await;
            }
        }
    }
}

fn serve() {
    let rt = runtime::new();
    let listener = bench::listen();

    runtime::inside(&rt, async {
        accept_all(TcpListener::from_std(listener).unwrap()).await
    });
}
