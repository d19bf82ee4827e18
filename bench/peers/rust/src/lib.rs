// SPDX-License-Identifier: MIT
//! The frame of bench/bench.h in Rust: the same options, the same windows, the
//! same lines. bench/bench.h says what they mean.

pub mod about;
mod calls;
pub mod counts;
mod crossing;
mod fanin;
mod histogram;
mod naps;
mod sleepers;
mod tasks;

pub use calls::{back_to_back, paused, roundtrip, submit, throughput};
pub use crossing::Crossing;
pub use fanin::{pipes, Ring};
pub use histogram::Histogram;
pub use naps::{naps, Napper};
pub use sleepers::{far, sleepers, HOUR};
pub use tasks::{chains, many, spawn_join, until, yielders, Busy};

use std::fs::File;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::io::{AsRawFd, FromRawFd};
use std::sync::{Arc, Mutex};

const REPEAT: usize = 11;
const REPEAT_MAX: usize = 1000;
const QUICKER: u64 = 20;
const BACKLOG: libc::c_int = 4096;
const CANNOT_RUN: i32 = 77; // bench/serve.h's
const NO_WORKERS: &str = "it has no runtime without workers";
const MARK: libc::c_int = 0x504f4e53;

pub struct Case {
    name: &'static str,
    run: fn(&Arc<Run>),
    cold: bool, // not to be warmed up: the first time is what counts
}

impl Case {
    pub const fn new(name: &'static str, run: fn(&Arc<Run>)) -> Self {
        let cold = false;
        Case { name, run, cold }
    }

    pub const fn cold(name: &'static str, run: fn(&Arc<Run>)) -> Self {
        let cold = true;
        Case { name, run, cold }
    }
}

pub struct Workload {
    pub name: &'static str,
    pub measures: &'static str, // what a figure is the price of
    pub how: &'static str,      // what is done between start and stop
    pub silent: &'static str,   // what the figure does not tell
    pub cases: &'static [Case],
}

/// A server that a driver measures from outside.
pub struct Server {
    pub name: &'static str,
    pub how: &'static str,
    pub serve: fn(),
}

pub struct Peer {
    pub subject: &'static str,
    pub has_workers: bool, // PONS_WORKERS changes its figures
    pub workloads: &'static [&'static Workload],
    pub server: Option<&'static Server>,
}

struct Series {
    metric: &'static str,
    unit: &'static str,
    values: Vec<f64>,
}

struct State {
    warming_up: bool,
    began: u64,
    used: libc::rusage,
    series: Vec<Series>,
    skipped: Option<String>,
}

/// All repetitions of one case.
pub struct Run {
    quick: bool,
    state: Mutex<State>,
}

/// CLOCK_MONOTONIC.
pub fn now() -> u64 {
    let mut t = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

fn usage() -> libc::rusage {
    let mut used = unsafe { std::mem::zeroed() };
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut used) };
    used
}

fn mark(on: libc::c_ulong) {
    unsafe { libc::prctl(MARK, on, 0, 0, 0) };
}

/// Bytes of this process that are in memory.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|n| n.parse().ok());
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    pages.unwrap_or(0.0) * page as f64
}

/// A pipe: what is read from, what is written to. Neither blocks.
fn pipe() -> (File, File) {
    let mut fds = [0; 2];
    let flags = libc::O_CLOEXEC | libc::O_NONBLOCK;

    assert_eq!(unsafe { libc::pipe2(fds.as_mut_ptr(), flags) }, 0, "a pipe");
    let [from, into] = fds.map(|fd| unsafe { File::from_raw_fd(fd) });
    (from, into)
}

fn timeval_ns(t: libc::timeval) -> f64 {
    t.tv_sec as f64 * 1e9 + t.tv_usec as f64 * 1e3
}

impl State {
    fn value(&mut self, metric: &'static str, unit: &'static str, value: f64) {
        if self.warming_up {
            return;
        }
        match self.series.iter_mut().find(|s| s.metric == metric) {
            Some(s) => s.values.push(value),
            None => self.series.push(Series {
                metric,
                unit,
                values: vec![value],
            }),
        }
    }
}

impl Run {
    /// `full`, or with --quick a twentieth of it, at least 1.
    pub fn ops(&self, full: u64) -> u64 {
        if self.quick {
            (full / QUICKER).max(1)
        } else {
            full
        }
    }

    fn quick(&self) -> bool {
        self.quick
    }

    /// The window that is measured: once per run, from any thread.
    pub fn start(&self) {
        let mut s = self.state.lock().unwrap();
        s.used = usage();
        mark(1);
        s.began = now();
    }

    pub fn stop(&self, ops: u64) {
        let ended = now();
        mark(0);
        let used = usage();
        let mut s = self.state.lock().unwrap();
        let (was, n) = (s.used, ops as f64);
        let switches = used.ru_nvcsw + used.ru_nivcsw;
        let switched = was.ru_nvcsw + was.ru_nivcsw;
        let user = timeval_ns(used.ru_utime) - timeval_ns(was.ru_utime);
        let system = timeval_ns(used.ru_stime) - timeval_ns(was.ru_stime);
        let wall = (ended - s.began) as f64;
        s.value("wall", "ns", wall / n);
        s.value("user", "ns", user / n);
        s.value("system", "ns", system / n);
        s.value("switches", "1", (switches - switched) as f64 / n);
        s.value("rss", "B", resident());
        s.value("ops", "1", n);
    }

    /// One more figure of this repetition.
    pub fn value(&self, metric: &'static str, unit: &'static str, value: f64) {
        self.state.lock().unwrap().value(metric, unit, value);
    }

    pub fn latencies(&self, h: &Histogram) {
        self.value("p50", "ns", h.quantile(0.5) as f64);
        self.value("p90", "ns", h.quantile(0.9) as f64);
        self.value("p99", "ns", h.quantile(0.99) as f64);
        self.value("p99.9", "ns", h.quantile(0.999) as f64);
        self.value("max", "ns", h.max() as f64);
    }

    /// This case cannot run here. Return from the case next.
    pub fn skip(&self, reason: &str) {
        self.state.lock().unwrap().skipped = Some(reason.to_string());
    }
}

/// How many threads the environment asks for.
pub fn workers() -> usize {
    match std::env::var("PONS_WORKERS") {
        Err(_) => 1,
        Ok(text) => text.parse().unwrap_or_else(|_| {
            eprintln!("bench: PONS_WORKERS is a number, not \"{}\"", text);
            std::process::exit(2)
        }),
    }
}

/// A non-blocking listener for as many as a storm has under way, and its port
/// said. The process ends with its stdin: that is not the peer's affair.
pub fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");

    listener.set_nonblocking(true).unwrap();
    unsafe { libc::listen(listener.as_raw_fd(), BACKLOG) };
    println!("{}", listener.local_addr().unwrap().port());
    std::thread::spawn(|| {
        let mut bytes = [0; 64];
        while matches!(std::io::stdin().read(&mut bytes), Ok(n) if n > 0) {}
        std::process::exit(0)
    });
    listener
}

// --- lines ---

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn list(names: impl Iterator<Item = &'static str>) -> String {
    format!("[{}]", names.map(quoted).collect::<Vec<_>>().join(","))
}

/// Six digits.
fn number(value: f64) -> String {
    let rounded: f64 = format!("{:.5e}", value).parse().unwrap();
    rounded.to_string()
}

fn print_case(p: &Peer, w: &Workload, c: &Case, run: &Run) {
    let key = format!(
        "{{\"workload\":{},\"case\":{},\"subject\":{}",
        quoted(w.name),
        quoted(c.name),
        quoted(p.subject)
    );
    let state = run.state.lock().unwrap();
    if let Some(reason) = &state.skipped {
        println!("{},\"skipped\":{}}}", key, quoted(reason));
        return;
    }
    for s in &state.series {
        let values: Vec<_> = s.values.iter().map(|v| number(*v)).collect();
        println!(
            "{},\"metric\":{},\"unit\":{},\"values\":[{}]}}",
            key,
            quoted(s.metric),
            quoted(s.unit),
            values.join(",")
        );
    }
}

fn print_description(
    p: &Peer,
    name: &str,
    [measures, how, silent]: [&str; 3],
    last: &str,
) {
    println!(
        "{{\"workload\":{},\"subject\":{},\"measures\":{},\"how\":{},\
         \"silent\":{},\"axes\":{},{}}}",
        quoted(name),
        quoted(p.subject),
        quoted(measures),
        quoted(how),
        quoted(silent),
        list(p.has_workers.then(|| "workers").into_iter()),
        last
    );
}

fn describe(p: &Peer) {
    for w in p.workloads {
        let cases = list(w.cases.iter().map(|c| c.name));
        let cases = format!("\"cases\":{}", cases);
        print_description(p, w.name, [w.measures, w.how, w.silent], &cases);
    }
    if let Some(s) = p.server {
        let serves = format!("\"serves\":[{}]", quoted(s.name));
        let about = ["a server of the load generator", s.how, "its own CPU"];
        for name in [s.name, "accept_storm", "idle_connections"] {
            print_description(p, name, about, &serves);
        }
    }
}

// --- the program ---

#[derive(Default)]
struct Words {
    workload: Option<String>,
    case: Option<String>,
    serve: Option<String>,
    repeat: usize,
    quick: bool,
    describe: bool,
    cold: bool,
}

fn read_words() -> Option<Words> {
    let mut args = std::env::args().skip(1);
    let mut words = Words {
        repeat: REPEAT,
        ..Words::default()
    };
    while let Some(word) = args.next() {
        match word.as_str() {
            "--quick" => words.quick = true,
            "--describe" => words.describe = true,
            "--no-warm-up" => words.cold = true,
            "--workload" => words.workload = Some(args.next()?),
            "--case" => words.case = Some(args.next()?),
            "--serve" => words.serve = Some(args.next()?),
            "--repeat" => words.repeat = args.next()?.parse().ok()?,
            _ => return None,
        }
    }
    (1..=REPEAT_MAX).contains(&words.repeat).then(|| words)
}

fn run_case(p: &Peer, w: &Workload, c: &Case, words: &Words) {
    let run = Arc::new(Run {
        quick: words.quick,
        state: Mutex::new(State {
            warming_up: false,
            began: 0,
            used: usage(),
            series: Vec::new(),
            skipped: None,
        }),
    });
    if p.has_workers && workers() == 0 {
        run.skip(NO_WORKERS);
        return print_case(p, w, c, &run);
    }
    if !c.cold && !words.cold {
        run.state.lock().unwrap().warming_up = true;
        (c.run)(&run);
        run.state.lock().unwrap().warming_up = false;
    }
    for _ in 0..words.repeat {
        if run.state.lock().unwrap().skipped.is_some() {
            break;
        }
        (c.run)(&run);
    }
    print_case(p, w, c, &run);
}

/// How many cases had the names asked for.
fn run_cases(p: &Peer, words: &Words) -> usize {
    let wanted = |asked: &Option<String>, name: &str| {
        asked.as_deref().map_or(true, |a| a == name)
    };
    let mut found = 0;
    for w in p.workloads {
        for c in w.cases {
            if wanted(&words.workload, w.name) && wanted(&words.case, c.name) {
                found += 1;
                run_case(p, w, c, words);
            }
        }
    }
    found
}

fn serve(p: &Peer, name: &str) -> i32 {
    match p.server {
        Some(s) if s.name == name => {
            if p.has_workers && workers() == 0 {
                println!("{}", NO_WORKERS);
                return CANNOT_RUN;
            }
            (s.serve)();
            0
        }
        _ => {
            eprintln!("{}: no server \"{}\"; see --describe", p.subject, name);
            2
        }
    }
}

fn status(p: &Peer) -> i32 {
    let words = match read_words() {
        Some(words) => words,
        None => {
            eprintln!(
                "usage: [--workload W] [--case C] [--repeat N] [--quick] \
                 [--no-warm-up]\n       --describe\n       --serve NAME\n\
                 N is from 1 to {}",
                REPEAT_MAX
            );
            return 2;
        }
    };
    if words.describe {
        describe(p);
        return 0;
    }
    if let Some(name) = &words.serve {
        return serve(p, name);
    }
    if run_cases(p, &words) == 0 {
        eprintln!("{}: no such workload or case; see --describe", p.subject);
        return 2;
    }
    0
}

/// Go does so for its programs.
fn allow_open_files() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// The program of a peer.
pub fn main(p: &Peer) {
    allow_open_files();
    std::process::exit(status(p))
}
