// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

var blockingRoundtrip = workload{
	"blocking_roundtrip", "a blocking call beside a goroutine, and its end",
	"a goroutine begins another, which makes a system call that for all Go " +
		"knows may block, and receives from its channel; busy: while a third " +
		"one calls Gosched() all the time",
	"a call that does block: Go then needs another thread",
	[]benchCase{{"idle", roundtrip, false}, {"busy", roundtripBusy, false}},
}

var blockingThroughput = workload{
	"blocking_throughput", "a blocking call where many are on their way",
	"1, 4 or 16 goroutines each begin 256 as in blocking_roundtrip, then " +
		"receive from all of them, over and over",
	"what a single one takes; calls that do block",
	[]benchCase{{"1 submitter", func(r *run) { throughput(r, 1) }, false},
		{"4 submitters", func(r *run) { throughput(r, 4) }, false},
		{"16 submitters", func(r *run) { throughput(r, 16) }, false}},
}

func call(done chan<- struct{}) {
	syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0)
	done <- struct{}{}
}

func submit(rounds, atOnce int) {
	done := make(chan struct{}, atOnce)
	for i := 0; i < rounds; i++ {
		for j := 0; j < atOnce; j++ {
			go call(done)
		}
		for j := 0; j < atOnce; j++ {
			<-done
		}
	}
}

func roundtrip(r *run) {
	ops := r.ops(countJobs)
	submit(1, 1)
	r.start()
	submit(ops, 1)
	r.stop(ops)
}

func roundtripBusy(r *run) {
	var stop atomic.Bool
	go func() {
		for !stop.Load() {
			runtime.Gosched()
		}
	}()
	roundtrip(r)
	stop.Store(true)
}

func throughput(r *run, submitters int) {
	var wg sync.WaitGroup
	rounds := r.ops(countAtOnceRounds)/submitters + 1
	wg.Add(submitters)
	r.start()
	for i := 0; i < submitters; i++ {
		go func() {
			submit(rounds, countAtOnce)
			wg.Done()
		}()
	}
	wg.Wait()
	r.stop(submitters * rounds * countAtOnce)
}
