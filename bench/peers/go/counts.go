// SPDX-License-Identifier: MIT

package main

// How much of each a workload does: bench/counts.h's numbers, so that a figure
// here is of as much work as it is elsewhere.
const (
	// spawn_join; yield, chained_spawn
	countTasks      = 1000
	countJoinRounds = 1000
	countMillion    = 1000000
	countChains     = 1000
	countYields     = 1000

	// spawn_many
	countMany       = 10000
	countManyRounds = 100

	// ping_pong, wake_cross
	countTurns      = 1000000
	countWakes      = 40000
	countWakesFlood = 2000000
	countSenders    = 4

	// block_on_spawn
	countCallsSpawn       = 40000
	countCallsPaused      = 500
	countCallsPausedQuick = 40
	countPauseNs          = 1000000

	// blocking_roundtrip, blocking_throughput
	countJobs         = 20000
	countAtOnce       = 256
	countAtOnceRounds = 240

	// timers, lateness and stalls among them
	countTimers        = 5000000
	countFarMs         = 3600000
	countNappers       = 100
	countNaps          = 50
	countNapsQuick     = 10
	countNapStallEvery = 100
	countNapStallNs    = 1000000

	// sleepers
	countSleepingStacks = 10000

	// cancel_storm
	countStormSleepers  = 10000
	countStormReceivers = 1000

	// fanin
	countPipes       = 500
	countPipesActive = 5
	countPasses      = 100000
)
