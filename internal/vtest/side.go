package vtest

import (
	"bytes"
	"fmt"
	"net"
	"os"
)

// owned tells whether one of the processes has the socket whose own end is addr. It knows Linux only.
func owned(addr net.Addr, pids []int) bool {
	inode := inodeOf(addr)
	if inode == "" {
		return false // closed meanwhile
	}
	for _, pid := range pids {
		dir := fmt.Sprintf("/proc/%d/fd", pid)
		files, err := os.ReadDir(dir)
		if err != nil {
			continue // it has ended
		}
		for _, f := range files {
			if to, err := os.Readlink(dir + "/" + f.Name()); err == nil && to == "socket:["+inode+"]" {
				return true
			}
		}
	}
	return false
}

// inodeOf finds the socket whose own end is addr; "" when there is none.
func inodeOf(addr net.Addr) string {
	at, ok := addr.(*net.TCPAddr)
	if !ok || at.IP.To4() == nil {
		return ""
	}
	ip := at.IP.To4()
	local := fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], at.Port)
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return ""
	}
	// A torn network leaves thousands of lines, and every connection is looked up: only one is taken apart.
	_, rest, found := bytes.Cut(table, []byte(": "+local+" "))
	if !found {
		return ""
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	if f := bytes.Fields(line); len(f) > 7 {
		return string(f[7])
	}
	return ""
}
