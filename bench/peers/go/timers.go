// SPDX-License-Identifier: MIT

package main

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var timers = workload{
	"timers", "a timer that is set and stopped; how late one is",
	"AfterFunc() an hour or more ahead, and Stop(); 1M live: all are set, then all stopped; " +
		"lateness: 100 goroutines Sleep() 1 to 10 ms",
	"a timer that fires",
	[]benchCase{{"create and cancel", createAndCancel, false},
		{"1M live", live1M, true},
		{"lateness", func(r *run) { nap(r, false) }, false}},
}

var sleepers = workload{
	"sleepers", "memory of an idle goroutine",
	"resident bytes before and after 10,000 goroutines were begun that " +
		"Sleep() an hour",
	"what a goroutine's stack has once it was used deeply",
	[]benchCase{{"fiber", sleep, true}},
}

var stalls = workload{
	"stalls", "how late others are where goroutines block their thread",
	"100 goroutines Sleep() 1 to 10 ms; one in 100 of those is followed by " +
		"1 ms of the system call nanosleep",
	"a block that is longer than a nap",
	[]benchCase{{"1% block", func(r *run) { nap(r, true) }, false}},
}

const hour = countFarMs * time.Millisecond

func never() {}

func createAndCancel(r *run) {
	ops := r.ops(countTimers)
	r.start()
	for i := 0; i < ops; i++ {
		time.AfterFunc(far(i), never).Stop()
	}
	r.stop(ops)
}

// When the i-th of many timers is to end: out of order, in the next hour
// but one.
func far(i int) time.Duration {
	return hour + time.Duration(uint64(i)*2654435761%countFarMs)*time.Millisecond
}

func live1M(r *run) {
	all := make([]*time.Timer, countMillion)
	for i := range all {
		all[i] = nil // its memory is not what is measured
	}
	r.start()
	for i := range all {
		all[i] = time.AfterFunc(far(i), never)
	}
	for _, t := range all {
		t.Stop()
	}
	r.stop(countMillion)
}

// --- naps: bench/naps.h's ---

type ended struct {
	sync.Mutex
	late  histogram // those that end too early count as not late
	early int
}

// True when this one is to block its thread.
func (e *ended) nap(late time.Duration) bool {
	e.Lock()
	defer e.Unlock()
	if late < 0 {
		e.early++
		late = 0
	}
	e.late.record(uint64(late))
	return e.late.count%countNapStallEvery == 0
}

func nap(r *run, stalls bool) {
	var all ended
	var wg sync.WaitGroup
	each := r.either(countNaps, countNapsQuick)
	wg.Add(countNappers)
	r.start()
	for i := 0; i < countNappers; i++ {
		go func(napper int) {
			for nap := 0; nap < each; nap++ {
				length := time.Duration(1+(napper+nap)%10) * time.Millisecond
				began := time.Now()
				time.Sleep(length)
				if all.nap(time.Since(began)-length) && stalls {
					syscall.Nanosleep(&syscall.Timespec{Nsec: countNapStallNs}, nil)
				}
			}
			wg.Done()
		}(i)
	}
	wg.Wait()
	r.stop(countNappers * each)
	r.latencies(&all.late)
	r.value("early", "1", float64(all.early)/float64(countNappers*each))
}

// --- sleepers ---

func sleep(r *run) {
	var begun atomic.Int64
	before := residentTrimmed()
	for i := 0; i < countSleepingStacks; i++ { // who stay, asleep
		go func() {
			begun.Add(1)
			time.Sleep(hour)
		}()
	}
	for begun.Load() < countSleepingStacks {
		time.Sleep(time.Millisecond)
	}
	r.value("memory", "B", (residentTrimmed()-before)/countSleepingStacks)
}
