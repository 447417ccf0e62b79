package turn

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/pion/logging"
)

// quietLogger is what pion logs to. pion puts addresses and user names into its messages, so only
// the fixed part of an error reaches the log, and nothing of lesser ones.
type quietLogger struct {
	log   *slog.Logger
	count *atomic.Int64
}

// NewLogger implements logging.LoggerFactory.
func (q quietLogger) NewLogger(string) logging.LeveledLogger { return q }

func (q quietLogger) Trace(string)          {}
func (q quietLogger) Tracef(string, ...any) {}
func (q quietLogger) Debug(string)          {}
func (q quietLogger) Debugf(string, ...any) {}
func (q quietLogger) Info(string)           {}
func (q quietLogger) Infof(string, ...any)  {}
func (q quietLogger) Warn(string)           {}
func (q quietLogger) Warnf(string, ...any)  {}

// Error counts; the message is not a fixed text and is dropped.
func (q quietLogger) Error(string) { q.count.Add(1) }

// Errorf counts, and logs the format without what was to fill it.
func (q quietLogger) Errorf(format string, _ ...any) {
	q.count.Add(1)
	q.log.LogAttrs(context.Background(), slog.LevelDebug, "relay library error", slog.String("format", format))
}
