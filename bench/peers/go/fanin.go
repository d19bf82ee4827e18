// SPDX-License-Identifier: MIT

package main

import (
	"os"
	"sync/atomic"
	"time"
)

var fanin = workload{
	"fanin", "one event among many descriptors that are waited on",
	"500 goroutines Read() from an os.Pipe() each; 5 bytes go round, each " +
		"goroutine writes what it read into the next pipe",
	"many active at once; sockets",
	[]benchCase{{"500 pipes, 5 active", fiveActive, false}},
}

type round struct {
	begun atomic.Int64
	left  atomic.Int64 // passes to go
	last  chan struct{}
}

// Until the pipe is closed.
func (r *round) pass(from, next *os.File) {
	b := make([]byte, 1)
	r.begun.Add(1)
	for {
		if _, err := from.Read(b); err != nil {
			return
		}
		left := r.left.Add(-1)
		if left == 0 {
			r.last <- struct{}{}
		}
		if left > 0 {
			_, err := next.Write(b)
			must(err)
		}
	}
}

func fiveActive(r *run) {
	var froms, intos [countPipes]*os.File
	passes := r.ops(countPasses)
	all := &round{last: make(chan struct{}, 1)}
	all.left.Store(int64(passes))
	for i := range froms {
		var err error
		froms[i], intos[i], err = os.Pipe()
		must(err)
	}
	for i, from := range froms {
		go all.pass(from, intos[(i+1)%countPipes])
	}
	for all.begun.Load() < countPipes {
		time.Sleep(time.Millisecond)
	}
	r.start()
	for i := 0; i < countPipes; i += countPipes / countPipesActive {
		_, err := intos[i].Write([]byte{0})
		must(err)
	}
	<-all.last
	r.stop(passes)
	for i := range froms {
		intos[i].Close()
		froms[i].Close()
	}
}
