// SPDX-License-Identifier: MIT

package main

// The frame of bench/bench.h in Go: the same options, the same windows, the
// same lines. bench/bench.h says what they mean.

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	subject   = "go"
	repeatMax = 1000
	quicker   = 20
	prMark    = 0x504f4e53
	cannotRun = 77 // bench/serve.h's
	noWorkers = "it has no runtime without workers"
)

type benchCase struct {
	name string
	run  func(*run)
	cold bool // not to be warmed up: the first time is what counts
}

type workload struct {
	name     string
	measures string // what a figure is the price of
	how      string // what is done between start and stop
	silent   string // what the figure does not tell
	cases    []benchCase
}

type series struct {
	metric, unit string
	values       []float64
}

// All repetitions of one case.
type run struct {
	quick, warmingUp bool
	began            time.Time
	used             syscall.Rusage
	series           []*series
	skipped          string
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, subject+":", err)
		os.Exit(1)
	}
}

// As many threads run goroutines as the environment asks for.
func workers() int {
	text, ok := os.LookupEnv("PONS_WORKERS")
	if !ok {
		return 1
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		fmt.Fprintf(os.Stderr, "go: PONS_WORKERS is a number, not %q\n", text)
		os.Exit(2)
	}
	return n
}

// n, or with --quick a twentieth of it, at least 1.
func (r *run) ops(n int) int {
	if !r.quick {
		return n
	}
	if n < quicker {
		return 1
	}
	return n / quicker
}

// n, or with --quick so many.
func (r *run) either(n, quick int) int {
	if r.quick {
		return quick
	}
	return n
}

func (r *run) value(metric, unit string, value float64) {
	if r.warmingUp {
		return
	}
	for _, s := range r.series {
		if s.metric == metric {
			s.values = append(s.values, value)
			return
		}
	}
	r.series = append(r.series, &series{metric, unit, []float64{value}})
}

func mark(on uintptr) {
	syscall.RawSyscall6(syscall.SYS_PRCTL, prMark, on, 0, 0, 0, 0)
}

func resident() float64 {
	text, err := os.ReadFile("/proc/self/statm")
	must(err)
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	must(err)
	return float64(pages * os.Getpagesize())
}

// The window that is measured: once per run.
func (r *run) start() {
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &r.used))
	mark(1)
	r.began = time.Now()
}

func (r *run) stop(ops int) {
	wall := time.Since(r.began)
	var now syscall.Rusage
	mark(0)
	must(syscall.Getrusage(syscall.RUSAGE_SELF, &now))
	was, n := &r.used, float64(ops)
	switches := now.Nvcsw + now.Nivcsw - was.Nvcsw - was.Nivcsw
	r.value("wall", "ns", float64(wall)/n)
	r.value("user", "ns", float64(now.Utime.Nano()-was.Utime.Nano())/n)
	r.value("system", "ns", float64(now.Stime.Nano()-was.Stime.Nano())/n)
	r.value("switches", "1", float64(switches)/n)
	r.value("rss", "B", resident())
	r.value("ops", "1", n)
}

func (r *run) latencies(h *histogram) {
	r.value("p50", "ns", float64(h.quantile(0.5)))
	r.value("p90", "ns", float64(h.quantile(0.9)))
	r.value("p99", "ns", float64(h.quantile(0.99)))
	r.value("p99.9", "ns", float64(h.quantile(0.999)))
	r.value("max", "ns", float64(h.max))
}

// --- lines ---

type key struct {
	Workload string `json:"workload"`
	Case     string `json:"case"`
	Subject  string `json:"subject"`
}

func say(line any) {
	must(json.NewEncoder(os.Stdout).Encode(line))
}

// Six digits.
func rounded(values []float64) (out []float64) {
	for _, v := range values {
		short, err := strconv.ParseFloat(fmt.Sprintf("%.6g", v), 64)
		must(err)
		out = append(out, short)
	}
	return
}

func (r *run) say(w *workload, c *benchCase) {
	k := key{w.name, c.name, subject}
	if r.skipped != "" {
		say(struct {
			key
			Skipped string `json:"skipped"`
		}{k, r.skipped})
		return
	}
	for _, s := range r.series {
		say(struct {
			key
			Metric string    `json:"metric"`
			Unit   string    `json:"unit"`
			Values []float64 `json:"values"`
		}{k, s.metric, s.unit, rounded(s.values)})
	}
}

type description struct {
	Workload string   `json:"workload"`
	Subject  string   `json:"subject"`
	Measures string   `json:"measures"`
	How      string   `json:"how"`
	Silent   string   `json:"silent"`
	Axes     []string `json:"axes"`
	Cases    []string `json:"cases,omitempty"`
	Serves   []string `json:"serves,omitempty"`
}

func describe() {
	axes := []string{"workers"}
	for _, w := range workloads {
		d := description{w.name, subject, w.measures, w.how, w.silent, axes,
			nil, nil}
		for _, c := range w.cases {
			d.Cases = append(d.Cases, c.name)
		}
		say(d)
	}
	for _, name := range []string{"echo", "accept_storm", "idle_connections"} {
		say(description{name, subject, "a server of the load generator",
			echoHow, "its own CPU", axes, nil, []string{"echo"}})
	}
}

// --- the program ---

func (w *workload) run(c *benchCase, repeat int, quick, warm bool) {
	r := &run{quick: quick}
	if workers() == 0 {
		r.skipped = noWorkers
		repeat = 0
	}
	if repeat > 0 && warm && !c.cold {
		r.warmingUp = true
		c.run(r)
		r.warmingUp = false
	}
	for i := 0; i < repeat; i++ {
		runtime.GC() // what one leaves is not the next one's
		c.run(r)
	}
	r.say(w, c)
}

func refuse() {
	fmt.Fprintln(os.Stderr, "go: no such workload, case or server; see --describe")
	os.Exit(2)
}

func main() {
	asked := flag.String("workload", "", "only this `W`")
	askedCase := flag.String("case", "", "only this `C`")
	repeat := flag.Int("repeat", 11, "`N` is from 1 to 1000")
	quick := flag.Bool("quick", false, "a twentieth of the work")
	cold := flag.Bool("no-warm-up", false, "measure the first time, too")
	describing := flag.Bool("describe", false, "say what there is")
	server := flag.String("serve", "", "be the server `NAME`")
	found := false

	flag.Parse()
	if flag.NArg() > 0 || *repeat < 1 || *repeat > repeatMax {
		flag.Usage()
		os.Exit(2)
	}
	if *describing {
		describe()
		return
	}
	if n := workers(); n > 0 {
		runtime.GOMAXPROCS(n)
	}
	if *server == "echo" && workers() == 0 {
		fmt.Println(noWorkers)
		os.Exit(cannotRun)
	} else if *server == "echo" {
		serveEcho()
	} else if *server != "" {
		refuse()
	}
	for _, w := range workloads {
		for i := range w.cases {
			c := &w.cases[i]
			if (*asked == "" || *asked == w.name) &&
				(*askedCase == "" || *askedCase == c.name) {
				found = true
				w.run(c, *repeat, *quick, !*cold)
			}
		}
	}
	if !found {
		refuse()
	}
}

// Bytes in memory, without what was freed.
func residentTrimmed() float64 {
	debug.FreeOSMemory()
	return resident()
}
