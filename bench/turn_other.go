//go:build !linux

package main

import (
	"context"
	"errors"
	"net"
)

func turnPart(context.Context, bench) ([]figure, error) {
	return nil, errors.New("the load of this part and its clocks are Linux's")
}

func turnWear(ctx context.Context, b bench) ([]figure, error) { return turnPart(ctx, b) }

func openRelay(context.Context, string, net.Listener) (service, error) {
	return service{}, errors.ErrUnsupported
}

// account is a user name with its password.
type account struct{ user, password string }

func openForwarder(context.Context) (service, error) {
	return service{}, errors.ErrUnsupported
}
