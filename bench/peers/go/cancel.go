// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var cancelStorm = workload{
	"cancel_storm", "the cancel of a goroutine that waits, to its end",
	"10,000 goroutines wait for a timer or their context, which is " +
		"cancelled; or 1000 Read() from a socket each, whose deadline is set " +
		"to the past; a WaitGroup awaits all",
	"a goroutine that runs when it is cancelled",
	[]benchCase{{"sleeping", cancelSleeping, false},
		{"receiving", cancelReceiving, false}},
}

// Lets all of them get to where they wait.
func settle(begun *atomic.Int64, count int) {
	for begun.Load() < int64(count) {
		time.Sleep(time.Millisecond)
	}
}

func cancelSleeping(r *run) {
	const count = countStormSleepers
	var wg sync.WaitGroup
	var begun atomic.Int64
	ctx, cancel := context.WithCancel(context.Background())
	wg.Add(count)
	for i := 0; i < count; i++ {
		go func() {
			defer wg.Done()
			timer := time.NewTimer(hour)
			defer timer.Stop()
			begun.Add(1)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		}()
	}
	settle(&begun, count)
	r.start()
	cancel()
	wg.Wait()
	r.stop(count)
}

func pair() (near, far net.Conn) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(err)
	var ends [2]net.Conn
	for i, fd := range fds {
		file := os.NewFile(uintptr(fd), "socketpair")
		ends[i], err = net.FileConn(file)
		must(err)
		file.Close()
	}
	return ends[0], ends[1]
}

func cancelReceiving(r *run) {
	const count = countStormReceivers
	var wg sync.WaitGroup
	var begun atomic.Int64
	var nears, fars [count]net.Conn
	wg.Add(count)
	for i := range nears {
		nears[i], fars[i] = pair()
		go func(conn net.Conn) {
			begun.Add(1)
			conn.Read(make([]byte, 64))
			wg.Done()
		}(nears[i])
	}
	settle(&begun, count)
	r.start()
	for _, conn := range nears {
		must(conn.SetReadDeadline(time.Unix(1, 0)))
	}
	wg.Wait()
	r.stop(count)
	for i := range nears {
		nears[i].Close()
		fars[i].Close()
	}
}
