// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"net"
	"os"
)

const echoHow = "a goroutine a connection: Read() into a buffer of 1 KiB, 32 " +
	"KiB once it was full; Write(); TCP_NODELAY, as is Go's default"

const (
	small = 1024  // most connections say little
	large = 32768 // more than a message: as much as there is fits
)

func echo(conn net.Conn) {
	defer conn.Close()
	buffer := make([]byte, small)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		if _, err = conn.Write(buffer[:n]); err != nil {
			return
		}
		if n == small {
			buffer = make([]byte, large)
		}
	}
}

// The process ends with its stdin.
func serveEcho() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		bytes := make([]byte, 64)
		for n := 1; n > 0; n, _ = os.Stdin.Read(bytes) {
		}
		os.Exit(0)
	}()
	for {
		conn, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "go: accept:", err)
			continue
		}
		go echo(conn)
	}
}
