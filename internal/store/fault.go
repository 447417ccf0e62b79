package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
)

// fault is one thing that Redis answers, and what to do about it.
type fault struct {
	begins, holds string // of the answer; "" fits all
	says          string // follows the address
}

// faults are looked through from the top.
func (w Where) faults() []fault {
	all := []fault{
		{"NOAUTH", "", "wants a password: put user:password@ before the host, best in a file that PARLEY_REDIS_FILE names"},
		{"WRONGPASS", "", "refuses the user or password that the URL gives: correct it"},
		{"ERR AUTH", "", "has no password set, but the URL gives one: take it out of the URL, or set one in Redis"},
		{"ERR invalid password", "", "refuses the password that the URL gives: correct it"},
		{"ERR Client sent AUTH", "", "has no password set, but the URL gives one: take it out of the URL, or set one in Redis"},
		{"NOPERM", "", "does not let this user do what parley needs: allow it what deploy/redis-acl allows"},
		{"READONLY", "", "is a replica, which takes no writes: name its primary, or use redis-sentinel:// so that it is found"},
		{"LOADING", "", "is reading its data from the disk: start parley again in a moment"},
		{"MASTERDOWN", "", "is a replica that has lost its primary: name the primary, or mend the replication"},
		{"CLUSTERDOWN", "", "is a Cluster that does not serve all slots: see CLUSTER INFO, and mend it with redis-cli --cluster fix"},
		{"MOVED", "", "is one node of a Cluster: use redis-cluster:// instead"},
		{"CROSSSLOT", "", "is one node of a Cluster: use redis-cluster:// instead"},
		{"", "cluster support disabled", "is no Cluster: use redis:// instead"},
		{"NOREPLICAS", "", "takes no writes because too few replicas are connected: start them, or lower min-replicas-to-write"},
		{"MISCONF", "", "takes no writes because it cannot save to its disk: see its log"},
		{"OOM", "", "takes no writes because its memory is full: raise maxmemory"},
		{"ERR DB index", "", "has no database of that number: use 0, or raise databases in its configuration"},
		{"ERR max number of clients", "", "has too many connections: raise maxclients in its configuration"},
		{"", "unreachable", "cannot be asked where the master is: start the Sentinels, or mend the setting"},
	}
	if w.kind == sentinel {
		// A Sentinel that does not know the master answers nothing, which the client calls nil.
		return append([]fault{{"", "unreachable: redis: nil", "do not watch a master called " + w.master + ": see SENTINEL MASTERS for its name"}}, all...)
	}
	return append(all, fault{"ERR unknown command", "", "is not a Redis that stores data; for a Sentinel use redis-sentinel://host:26379/master"})
}

// ErrSilent says that nobody answers, or that what answers is not understood.
var ErrSilent = errors.New("does not answer")

// Explain turns an error of Redis at start into one sentence that says what to do, without secrets.
func (w Where) Explain(err error) error {
	if err == nil {
		return nil
	}
	if w.IsEmbedded() {
		return fmt.Errorf("the store of its own: %w", err)
	}
	if says := w.words(err); says != "" {
		return fmt.Errorf("redis: %s %s", w, says)
	}
	return fmt.Errorf("redis: %s %w (%w); start it, or mend the setting", w, ErrSilent, err)
}

// words says what to do about err, "" when nothing is known about it.
func (w Where) words(err error) string {
	answer := err.Error()
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		answer = cause.Error()
	}
	for _, f := range w.faults() {
		if strings.HasPrefix(answer, f.begins) && strings.Contains(err.Error(), f.holds) {
			return f.says
		}
	}
	if w.tls && errors.Is(err, context.DeadlineExceeded) {
		return "does not answer in time: start it, or use redis:// without the second s if it does not speak TLS"
	}
	return tlsWords(err)
}

func tlsWords(err error) string {
	if _, plain := errors.AsType[tls.RecordHeaderError](err); plain {
		return "does not speak TLS: use redis:// without the second s, or take tls=true away"
	}
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return "has a certificate of an authority that this machine does not know: name its file in SSL_CERT_FILE"
	}
	if _, other := errors.AsType[x509.HostnameError](err); other {
		return "has a certificate for another name: use the name in the certificate"
	}
	if _, expired := errors.AsType[x509.CertificateInvalidError](err); expired {
		return "has a certificate that is not valid: renew it"
	}
	return ""
}

// Kind names in a few words what kind of error Redis gave, for a log or for health: never an address.
func Kind(err error) string {
	var op *net.OpError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded), strings.Contains(err.Error(), "timeout"):
		return "it does not answer in time"
	case errors.As(err, &op) && op.Op == "dial", strings.Contains(err.Error(), "unreachable"):
		return "it cannot be reached"
	}
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		err = cause
	}
	code, _, _ := strings.Cut(err.Error(), " ")
	if code != "" && code != "ERR" && strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" && len(code) < 20 {
		return "it answers " + code
	}
	return "the connection broke"
}
