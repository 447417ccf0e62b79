package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"parley/moderation/office"
)

const reviewHelp = `parley reviews answers those who asked that their record be looked at.

  parley reviews list                         who waits for an answer
  parley reviews find CODE                    the one whose code somebody gave you
  parley reviews expunge ID --reason TEXT     the record is deleted; the person sees it by their code
  parley reviews keep ID --reason TEXT        it stays
`

func reviewVerbs() map[string]func(context.Context, *deskCall) error {
	return map[string]func(context.Context, *deskCall) error{
		"list": listReviews, "find": findReview,
		"expunge": decide(office.Expunge, "the record is expunged"), "keep": decide(office.Keep, "the record is kept"),
	}
}

func listReviews(ctx context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	all, err := c.office.Reviews(ctx, c.now)
	if err != nil {
		return err
	}
	return c.say(all, func(w io.Writer) { printReviews(w, all...) })
}

func printReviews(w io.Writer, all ...office.Review) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "id\topened\tband\tscore\treports\tlast expires")
	for _, r := range all {
		expires := "-"
		if !r.Expires.IsZero() {
			expires = r.Expires.Format(time.DateOnly)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%.3f\t%d\t%s\n", r.ID, r.Opened.Format(time.RFC3339), r.Band, r.Score, r.Reports, expires)
	}
	_ = t.Flush() // a terminal that went away
}

func findReview(ctx context.Context, c *deskCall) error {
	code, err := c.oneWord("the CODE that somebody gave you, in quotes if it has spaces")
	if err != nil {
		return err
	}
	r, err := c.office.FindReview(ctx, code, c.now)
	if err != nil {
		return err
	}
	return c.say(r, func(w io.Writer) { printReviews(w, r) })
}

func decide(verdict office.ReviewVerdict, says string) func(context.Context, *deskCall) error {
	return func(ctx context.Context, c *deskCall) error {
		id, err := c.oneWord("the ID, as parley reviews list prints it")
		if err != nil {
			return err
		}
		if err := c.office.AnswerReview(ctx, id, verdict, c.order()); err != nil {
			return err
		}
		return c.say(map[string]string{"id": id, "verdict": string(verdict)}, func(w io.Writer) { fmt.Fprintln(w, says) })
	}
}
