// SPDX-License-Identifier: MIT

fn main() {
    bench::main(&tokio_peer::MULTI_THREAD)
}
