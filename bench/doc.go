// Command bench measures parley against the limits that it was built to and against named
// baselines, and prints a table of ratios.
//
//	go run ./bench                     every part, under 4 minutes on 2 cores
//	go run ./bench -parts pairs,page   some of them
//	go run ./bench -strict             exit status 1 when a limit is broken
//
// A figure and its baseline are measured in the same run, one after the other, for several rounds;
// the table shows medians. README.md says what each figure means and what to doubt.
package main
