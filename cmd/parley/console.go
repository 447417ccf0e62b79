package main

import (
	"context"

	"parley/matcher"
	"parley/moderation"
	"parley/moderation/office"
	"parley/web"
)

// openOffice returns what operators act by on this node.
func (p parts) openOffice(cfg config) *office.Office {
	return office.New(office.Config{
		Redis: p.memory.rdb, Desk: p.desk, Trail: office.NewTrail(cfg.Audit), Apply: p.desk.SetPolicy, Log: p.log,
	})
}

// console returns what the operators' listener serves beside health.
func (p parts) console(cfg config) *web.Console {
	return &web.Console{
		Office: p.office, Tokens: office.NewTokens(cfg.OperatorTokens),
		Queues: func(ctx context.Context) ([]matcher.Line, error) {
			return p.queue.Survey(ctx, len(moderation.Table()))
		},
	}
}
