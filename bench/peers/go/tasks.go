// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync"
	"time"
)

var workloads = []*workload{
	&spawnJoin, &spawnMany, &yields, &chainedSpawn, &pingPong, &wakeCross,
	&blockOnSpawn, &blockingRoundtrip, &blockingThroughput, &timers,
	&stalls, &cancelStorm, &fanin, &sleepers,
}

// --- spawn_join, spawn_many ---

var spawnJoin = workload{
	"spawn_join", "an empty goroutine's life",
	"1000 goroutines begun and awaited in a WaitGroup, over and over",
	"what a goroutine costs that waits, or crosses to another thread",
	[]benchCase{{"1000 live", func(r *run) {
		spawn(r, countTasks, countJoinRounds)
	}, false}},
}

var spawnMany = workload{
	"spawn_many", "beginning goroutines, until all have run",
	"10,000 goroutines begun and awaited in a WaitGroup, over and over",
	"what a goroutine costs that waits",
	[]benchCase{{"inside", func(r *run) {
		spawn(r, countMany, countManyRounds)
	}, false}},
}

// The first round is nobody's: memory is cold.
func spawn(r *run, live, rounds int) {
	var wg sync.WaitGroup
	rounds = r.ops(rounds)
	for round := 0; round <= rounds; round++ {
		if round == 1 {
			r.start()
		}
		wg.Add(live)
		for i := 0; i < live; i++ {
			go wg.Done()
		}
		wg.Wait()
	}
	r.stop(rounds * live)
}

// --- yield ---

var yields = workload{
	"yield", "going from one ready goroutine to the next",
	"1000 goroutines call Gosched() 1000 times each",
	"what a wake costs, or a second thread",
	[]benchCase{{"fibers", yield, false}},
}

func yield(r *run) {
	var wg sync.WaitGroup
	wg.Add(countTasks)
	r.start()
	for i := 0; i < countTasks; i++ {
		go func() {
			for j := 0; j < countYields; j++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	r.stop(countTasks * countYields)
}

// --- chained_spawn ---

var chainedSpawn = workload{
	"chained_spawn", "a goroutine's way from its spawn to its first step",
	"each goroutine begins the next, 1000 deep; the last one sends to a " +
		"channel that the one that began receives from",
	"the end of a goroutine that is awaited",
	[]benchCase{{"chain", chain, false}},
}

func link(last chan<- struct{}, left int) {
	if left == 0 {
		last <- struct{}{}
		return
	}
	go link(last, left-1)
}

func chain(r *run) {
	rounds, last := r.ops(countChains), make(chan struct{}, 1)
	r.start()
	for i := 0; i < rounds; i++ {
		link(last, countTasks)
		<-last
	}
	r.stop(rounds * countTasks)
}

// --- block_on_spawn ---

var blockOnSpawn = workload{
	"block_on_spawn", "a goroutine begun for one value, and the value",
	"the main goroutine begins another that sends to a channel, and receives " +
		"from it; back to back, or each after a Sleep()",
	"a thread that is not Go's",
	[]benchCase{{"back to back", backToBack, false},
		{"after 1 ms", after1ms, false}},
}

func spawnAndJoin() {
	answer := make(chan int, 1)
	go func() { answer <- 7 }()
	<-answer
}

func backToBack(r *run) {
	ops := r.ops(countCallsSpawn)
	r.start()
	for i := 0; i < ops; i++ {
		spawnAndJoin()
	}
	r.stop(ops)
}

// Wall is the median here: a pause lets other things happen.
func after1ms(r *run) {
	var h histogram
	for i := r.either(countCallsPaused, countCallsPausedQuick); i > 0; i-- {
		time.Sleep(countPauseNs)
		began := time.Now()
		spawnAndJoin()
		h.record(uint64(time.Since(began)))
	}
	r.value("wall", "ns", float64(h.quantile(0.5)))
	r.latencies(&h)
}
