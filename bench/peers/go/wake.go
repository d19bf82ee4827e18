// SPDX-License-Identifier: MIT

package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

// --- ping_pong ---

var pingPong = workload{
	"ping_pong", "a goroutine's wake of another and its own, there and back",
	"two goroutines, two unbuffered channels without values",
	"a wake from another thread",
	[]benchCase{{"tasks", playPingPong, false}},
}

func playPingPong(r *run) {
	rounds := r.ops(countTurns)
	ping, pong := make(chan struct{}), make(chan struct{})
	go func() {
		for range ping {
			pong <- struct{}{}
		}
	}()
	r.start()
	for i := 0; i < rounds; i++ {
		ping <- struct{}{}
		<-pong
	}
	r.stop(rounds)
	close(ping)
}

// --- wake_cross ---

var wakeCross = workload{
	"wake_cross", "a thread's wake of a goroutine that sleeps",
	"senders are locked to threads of their own, and GOMAXPROCS is one more; " +
		"they send to a channel of one place unless it is full, and a " +
		"goroutine receives: one sender that waits until its wake has " +
		"arrived, or four that do not",
	"a wake from the same thread",
	[]benchCase{{"1 to 1", func(r *run) { cross(r, 1, countWakes) }, false},
		{"4 to 1", func(r *run) {
			cross(r, countSenders, countWakesFlood)
		}, false}},
}

type crossing struct {
	senders, each int
	sent          atomic.Int64  // and not yet taken
	sentAt        atomic.Int64  // the one sender's; read once sent is 1
	wake          chan struct{} // of one place
	taken         chan struct{} // of a single sender's wakes
	late          histogram
}

func (c *crossing) send(base time.Time) {
	runtime.LockOSThread()
	for i := 0; i < c.each; i++ {
		if c.senders == 1 {
			c.sentAt.Store(int64(time.Since(base)))
		}
		c.sent.Add(1)
		select {
		case c.wake <- struct{}{}:
		default:
		}
		if c.senders == 1 {
			<-c.taken
		}
	}
}

func (c *crossing) receive(base time.Time) {
	for arrived := 0; arrived < c.senders*c.each; {
		<-c.wake
		n := int(c.sent.Swap(0))
		arrived += n
		if n > 0 && c.senders == 1 {
			c.late.record(uint64(int64(time.Since(base)) - c.sentAt.Load()))
			c.taken <- struct{}{}
		}
	}
}

func cross(r *run, senders, wakes int) {
	c := &crossing{
		senders: senders,
		each:    r.ops(wakes) / senders,
		wake:    make(chan struct{}, 1),
		taken:   make(chan struct{}, 1),
	}
	base := time.Now()
	was := runtime.GOMAXPROCS(workers() + 1)
	r.start()
	for i := 0; i < senders; i++ {
		go c.send(base)
	}
	c.receive(base)
	r.stop(senders * c.each)
	if senders == 1 {
		r.latencies(&c.late)
	}
	runtime.GOMAXPROCS(was)
}
