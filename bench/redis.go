package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// store is a redis-server of its own, on a Unix socket, without persistence.
type store struct {
	*redis.Client
	socket string
	stop   func()
}

// startStore starts redis-server and returns once it answers.
func startStore(ctx context.Context) (*store, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, errors.New("redis-server is not installed: apt-get install redis-server")
	}
	dir, err := os.MkdirTemp("", "parley-bench")
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "s")
	server := exec.Command("redis-server", "--port", "0", "--unixsocket", socket, //nolint:gosec // G204: our own folder
		"--save", "", "--appendonly", "no", "--dir", dir)
	if err := server.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &store{Client: redis.NewClient(storeOptions(socket)), socket: socket}
	s.stop = func() {
		_ = s.Close()
		_ = server.Process.Kill() // nothing to keep
		_ = server.Wait()         // says that it was killed
		_ = os.RemoveAll(dir)
	}
	if err := s.await(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func storeOptions(socket string) *redis.Options {
	return &redis.Options{
		Network: "unix", Addr: socket,
		MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true,
		DialTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30 * time.Second,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func (s *store) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for s.Ping(ctx).Err() != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.New("redis-server does not answer")
		}
	}
	return nil
}

// cpu returns the CPU time that the server has used, in the kernel too.
func (s *store) cpu(ctx context.Context) (time.Duration, error) {
	info, err := s.Info(ctx, "cpu").Result()
	if err != nil {
		return 0, err
	}
	var total float64
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name != "used_cpu_sys" && name != "used_cpu_user" {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("INFO cpu: %w", err)
		}
		total += v
	}
	return time.Duration(total * float64(time.Second)), nil
}
