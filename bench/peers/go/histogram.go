// SPDX-License-Identifier: MIT

package main

import (
	"math"
	"math/bits"
)

// bench/histogram.c in Go: values below 2048 have a bucket each; above, the
// highest set bit chooses the row, the ten bits below it the bucket in it.
const (
	rowBits = 10 // 2 ^ -10 is below a thousandth: three digits
	row     = 1 << rowBits
	rows    = 64 - rowBits + 1
)

type histogram struct {
	count, max uint64
	buckets    [rows * row]uint64
}

func bucketOf(value uint64) uint64 {
	if value < 2*row {
		return value
	}
	shift := uint64(bits.Len64(value) - 1 - rowBits)
	return shift*row + value>>shift
}

// The greatest value that falls into it.
func bucketTop(bucket uint64) uint64 {
	if bucket < 2*row {
		return bucket
	}
	shift := bucket/row - 1
	return (bucket-shift*row)<<shift + (1<<shift - 1)
}

func (h *histogram) record(value uint64) {
	h.count++
	if value > h.max {
		h.max = value
	}
	h.buckets[bucketOf(value)]++
}

// The smallest value that a share q of all values does not exceed.
func (h *histogram) quantile(q float64) uint64 {
	rank := uint64(math.Ceil(q * float64(h.count)))
	if rank == 0 {
		rank = 1
	}
	seen := uint64(0)
	for i, n := range h.buckets {
		seen += n
		if seen < rank {
			continue
		}
		if top := bucketTop(uint64(i)); top < h.max {
			return top
		}
		break
	}
	return h.max
}
