// SPDX-License-Identifier: MIT

fn main() {
    tokio_peer::use_current_thread();
    bench::main(&tokio_peer::CURRENT_THREAD)
}
